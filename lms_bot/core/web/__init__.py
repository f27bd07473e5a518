"""Rules and values of the web."""
