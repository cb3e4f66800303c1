"""Feeds: what is known of studies becomes a feed's history, its views, and what browsers are told."""
