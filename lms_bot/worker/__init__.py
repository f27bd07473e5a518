"""The heartbeat: which job runs when, and how it ends."""
