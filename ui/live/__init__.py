"""Live updates: one hub a process, one bounded connection a tab."""
