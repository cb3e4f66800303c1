"""Dispatch: settled series become work orders, and runners' reports become a job's history. Outer zone."""
