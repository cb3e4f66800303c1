"""Bad input for the receiving door: a table of what is sent and what is answered, and its generated page."""
