"""Runs the desks. Knows no terminal."""
