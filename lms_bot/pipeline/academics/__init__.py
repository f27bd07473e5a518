"""Keeps what is known of studies beside events."""
