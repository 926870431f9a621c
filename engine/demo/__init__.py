"""What the demo invents, and says so on the screen: tokens, their fees, and other traders."""
