"""Days of students, and the streaks they make."""
