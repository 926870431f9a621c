"""The embedded exchange: a pure vAMM clearinghouse, and its face as a venue for desks."""
