"""Decides for a desk that has money and no position."""
