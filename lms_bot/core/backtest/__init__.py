"""Replays the past: what rules, attention and budgets would have said on each day by what was known then."""
