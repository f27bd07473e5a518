"""Recorded events, and how far the LMS has been read."""
