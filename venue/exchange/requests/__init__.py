"""The two-step layer: create with escrow, execute once, cancel, freeze, expire; independent of the market under it."""
