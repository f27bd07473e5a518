"""What is removed from the store: by age, by request, or because nobody needs it any more."""
