"""Copies a whole store into an empty one, on the other database or on the same."""
