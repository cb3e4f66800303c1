"""The composition root: the chips command, supervisor, engines, demo."""
