"""Clanker, version 4 of its contracts, on Base: where launches keep what they earned. Nothing is sent here."""
