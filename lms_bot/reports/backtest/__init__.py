"""What alerts and attention would have said in the past."""
