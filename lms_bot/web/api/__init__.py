"""The paths below /api/v1, and those that say whether the process lives."""
