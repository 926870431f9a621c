"""`make bench`: one JSON line per figure, each beside a baseline measured in the same run."""
