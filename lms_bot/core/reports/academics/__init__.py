"""What is known of a student's studies, and what each figure means (docs/definitions.md says it in words)."""
