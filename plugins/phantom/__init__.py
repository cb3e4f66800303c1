"""Synthetic and packaged series for the demo, the tests and the benches. The product needs none of it."""
