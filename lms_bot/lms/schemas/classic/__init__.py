"""The classic LMS: exam attempts and course content in tables of its own."""
