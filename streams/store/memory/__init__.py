"""A store in memory, for tests: the same contract, nothing durable."""
