"""Text that is kept: what names people in it is found and taken out."""
