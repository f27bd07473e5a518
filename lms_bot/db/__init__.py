"""Engines for the two databases, and column types they share."""
