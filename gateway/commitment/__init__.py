"""Storage Commitment, Push Model (PS3.4, annex J): senders ask whether their objects are kept."""
