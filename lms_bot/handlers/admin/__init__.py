"""Commands of admins, in their private channel."""
