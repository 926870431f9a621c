"""Days of trading against everything that can go wrong, on a virtual clock; `make days` runs many."""
