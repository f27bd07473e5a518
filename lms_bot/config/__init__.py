"""The settings: what may be set, and what is said of a mistake in them."""
