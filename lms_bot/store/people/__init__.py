"""Students, mentors, the links between them, and their Zulip accounts."""
