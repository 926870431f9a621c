"""The journal as tables for whoever queries them."""
