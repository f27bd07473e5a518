"""Commands: from a message to a reply."""
