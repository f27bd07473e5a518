"""The values of reports, and what their numbers mean."""
