"""What is known of studies beside events."""
