"""What the LMS's own pages use: tokens of students, and the script that reports."""
