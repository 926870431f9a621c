"""Which positions may be liquidated, without looking at the others."""
