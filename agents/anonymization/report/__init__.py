"""What became of a set of objects, for an ethics board: counts by attribute and reason, never values."""
