"""The two-step exchange as an account or an operator uses it: commands in human units, and who may give them."""
