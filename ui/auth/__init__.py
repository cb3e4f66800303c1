"""Who is it: passwords, accounts, sessions, and the limit on attempts."""
