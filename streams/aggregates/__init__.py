"""Streams with invariants: what their state is, what may happen next, and what happened. All of it pure."""
