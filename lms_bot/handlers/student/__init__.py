"""Commands of students, about themselves."""
