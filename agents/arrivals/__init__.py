"""Arrivals: which series there are, and when each is whole. Inner zone."""
