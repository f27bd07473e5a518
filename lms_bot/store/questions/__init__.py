"""Questions to the bot: which were claimed, asked and answered."""
