"""Looking back: what happened, views made again from the store, comparison, and dead letters. No effects."""
