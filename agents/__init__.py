"""The agents: what consumes the bus. Faust stays at the edge; what an agent does is plain functions."""
