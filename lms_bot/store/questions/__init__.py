"""Questions to the bot: claims, askers, conversations and the audit."""
