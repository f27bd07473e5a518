"""Keeps people and what they study those of the LMS, and looks how far apart both are."""
