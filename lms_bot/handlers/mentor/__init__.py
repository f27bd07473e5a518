"""Commands of mentors, about their own students."""
