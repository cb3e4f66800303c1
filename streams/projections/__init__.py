"""What pages read, made from a feed's events alone. Pure: no store, no clock, no effects."""
