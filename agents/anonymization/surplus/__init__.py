"""What lies in Pixel Data beside an image, found without decoding it."""
