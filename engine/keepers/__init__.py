"""Loops that keep the exchange honest: carry and liquidations."""
