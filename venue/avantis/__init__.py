"""Avantis (renamed Veranta), version 2 of its contracts, on Base."""
