"""The web: what `lms-bot serve` answers to programs, with the rights of their tokens."""
