"""How alerts follow from what the rules say: for the worker, and for a replay of the past."""
