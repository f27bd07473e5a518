"""The settings, and the errors about them."""
