"""Uniswap on Base: what a swap costs, and the calls that make it. Nothing is sent here."""
