"""What students study, kept in sync with the LMS: batches and courses, details of attempts, conflicts."""
