"""Snapshots of the world, made by a process of their own."""
