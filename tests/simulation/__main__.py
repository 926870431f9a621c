"""`python -m tests.simulation --seed N`: replays one history and prints what it came to as one JSON line, with the hash
of its last fact; the same seed prints the same line. `--speed` measures a hundred desks instead.

What did not hold is told on stderr; exit status 1.
"""

import argparse
import json
import sys
from dataclasses import asdict

from tests.simulation.crowd import hushed
from tests.simulation.day import Broken
from tests.simulation.history import lived
from tests.simulation.speed import speeds


def main() -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--speed", action="store_true")
    asked = parser.parse_args()
    hushed()
    try:
        told = speeds(asked.seed) if asked.speed else asdict(lived(asked.seed))
    except Broken as broken:
        sys.stderr.write(f"{broken}\n")
        return 1
    sys.stdout.write(json.dumps(told) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
