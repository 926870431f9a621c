"""What an operator fills in to create a request: what there is to ask, how it is checked, and the dialog."""
