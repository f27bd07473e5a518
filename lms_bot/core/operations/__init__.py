"""What keeps the bot working: figures that are counted, and whether the LMS is silent."""
