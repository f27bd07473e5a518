"""What is owed to mentors, and the messages it becomes."""
