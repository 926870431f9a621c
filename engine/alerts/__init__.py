"""What a person should be told who is not looking: rules over pictures, and where their words go."""
