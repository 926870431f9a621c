"""The twelve checks of `make proof`: each is a set of tests that say how many cases they tried."""
