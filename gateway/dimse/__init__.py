"""DIMSE services of the gateway as SCP (PS3.7): messages, and who answers them."""
