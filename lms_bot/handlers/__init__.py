"""Commands: from a message to a reply, by reports and actions."""
