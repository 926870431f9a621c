"""The pool market: liquidity providers' tokens, swaps, and oracle-priced positions against them (seed avitus)."""
