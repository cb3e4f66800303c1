"""The contract: what travels on the bus and rests in the store. Imports nothing of ours, does no IO."""
