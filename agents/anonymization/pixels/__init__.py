"""Text burned into pixels: where it is, how it goes, and how the picture stays what it was. Fails closed."""
