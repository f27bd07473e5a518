"""Finds what somebody meant, in what they wrote."""
