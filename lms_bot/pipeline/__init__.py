"""What happens by itself: polling, enqueueing, delivering, and what the clock causes."""
