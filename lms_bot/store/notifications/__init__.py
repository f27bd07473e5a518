"""The queue of notifications, and the messages that they become."""
