"""Processes that receive: connections are handed to each, and it hands back what the journal must hold."""
