"""Programs that ask over the web: their tokens, and what they asked."""
