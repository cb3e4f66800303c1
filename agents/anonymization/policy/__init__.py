"""Policies: what a project lets out, and the rules that follow for each attribute."""
