"""Whether a series is whole, graded by evidence and never guessed. Pure; see `docs/completeness.md`."""
