"""The demo: real studies and a phantom through the whole of CHIPS."""
