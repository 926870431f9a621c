"""Scenarios: lists of operations as plain JSON data; `simulation.py` runs them."""
