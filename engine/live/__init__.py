"""Real money: the live venue, the chain and the wallet, as the engine holds them. Loaded by live runs only."""
