"""The chain: keys, transactions and what becomes of them. Knows no venue."""
