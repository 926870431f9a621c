"""Desks: a pure machine of what they are and own, and the manager that moves them."""
