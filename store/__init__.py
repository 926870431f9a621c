"""What is remembered: the journal, and the lease that lets one process write it."""
