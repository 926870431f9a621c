"""The clearinghouse as an API (seed vamm-clearinghouse, "Key API Patterns"), over the Port like everything else."""
