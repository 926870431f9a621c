"""Commands with a wallet: what an operator does by hand on the live venue."""
