"""`chips status`: how CHIPS is, on this machine and in its engines."""
