"""Alerts about students, and the facts that rules judge."""
