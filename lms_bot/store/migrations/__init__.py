"""The steps from each schema of the event store to the next."""
