"""`python -m tests.proof [--short] [--seed N] [NAME]`: runs the checks whose name begins with NAME, all without one.

One JSON line on stdout for each; exit status 1 when anything was violated, 64 when no check has that name. A check that
tried nothing is a violation. What failed is told on stderr by the tests themselves, and which were skipped, and why.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree as Xml

CHECKS: dict[str, tuple[str, ...]] = {
    "crash-matrix": ("tests/chain/test_crash_matrix.py",),
    "random-kills": ("tests/proof/test_random_kills.py", "tests/cli/test_live_kills.py"),
    "simulation": ("tests/simulation",),
    "hostile-builder": ("tests/venue/avantis_writes/test_hostile.py",),
    "terminal-hangup": ("tests/terminal/test_pulse.py",),
    "hostile-names": (
        "tests/tui/test_hostile.py",
        "tests/terminal/test_wire.py::test_four_hundred_hostile_names_never_reach_the_wire",
    ),
    "soak": ("tests/proof/test_soak.py",),
    "one-writer": ("tests/proof/test_one_writer.py", "tests/proof/test_copied_database.py"),
    "secrets": (
        "tests/proof/test_secrets.py",
        "tests/proof/test_secrets_kept.py",
        "tests/engine/agent/test_minting.py",
        "tests/venue/net",
    ),
    "price-and-agent-attacks": ("tests/engine/prices", "tests/engine/agent/test_strict.py"),
    "store-damage": (
        "tests/proof/test_store_damage.py",
        "tests/proof/test_power_loss.py",
        "tests/proof/test_backup_power.py",
        "tests/proof/test_full_disk.py",
        "tests/proof/test_hung_disk.py",
        "tests/proof/test_hung_screen.py",
        "tests/engine/test_index_damage.py",
    ),
    "reconcile": (
        "tests/proof/test_reconcile.py",
        "tests/proof/test_poisoned.py",
        "tests/venue/avantis/test_changed.py",
        "tests/chain/test_avantis_orders.py",
    ),
}
LONGEST_S = 6 * 3_600


@dataclass(frozen=True, slots=True)
class Proof:
    """What a check came to; the line that is printed."""

    check: str
    cases: int
    violations: int
    seconds: float
    seed: int
    commit: str


def proof(check: str, seed: int, *, short: bool) -> Proof:
    """Runs the tests of a check in a process of their own."""
    surroundings = os.environ | {
        "PROOF_SEED": str(seed),
        "PROOF_FORM": "short" if short else "long",
        "REQUIRE_ANVIL": "1",
    }
    with TemporaryDirectory() as folder:
        told = Path(folder) / "told.xml"
        arguments = (
            "-p",
            "no:cacheprovider",
            f"--timeout={LONGEST_S}",
            f"--junitxml={told}",
            "--override-ini=junit_family=xunit1",
        )
        command = (sys.executable, "-m", "pytest", *arguments, *CHECKS[check])
        before, began = commit(), time.monotonic()
        ended = subprocess.run(command, env=surroundings, stdout=sys.stderr, check=False)
        seconds = time.monotonic() - began
        cases, violations, skipped = counted(told) if told.exists() else (0, 1, ())
    for each in skipped:
        sys.stderr.write(f"{check}: skipped {each}\n")
    if not violations and (ended.returncode or not cases):
        violations = 1
    return Proof(check, cases, violations, round(seconds, 1), seed, spanned(before, commit()))


def counted(told: Path) -> tuple[int, int, tuple[str, ...]]:
    """Cases tried, tests that failed, and those that were skipped with their reasons, by what pytest wrote down. A test
    that was skipped tried nothing."""
    cases = violations = 0
    skipped = []
    for test in Xml.parse(told).iter("testcase"):  # noqa: S314 - our own
        if (skip := test.find("skipped")) is not None:
            skipped.append(f"{test.get('classname')}.{test.get('name')}: {skip.get('message')}")
            continue
        said = [int(each.get("value", "1")) for each in test.iter("property") if each.get("name") == "cases"]
        cases += sum(said) or 1
        violations += any(test.find(kind) is not None for kind in ("failure", "error"))
    return cases, violations, tuple(skipped)


def spanned(before: str, after: str) -> str:
    """The commit that a check was begun on, with a plus sign too where it was not the same at the end."""
    return before if before == after else f"{before.removesuffix('+')}+"


def commit() -> str:
    """The commit that is checked out, with a plus sign where files differ from it."""
    found = subprocess.run(("git", "describe", "--always", "--dirty=+"), capture_output=True, text=True, check=False)
    return found.stdout.strip() or "unknown"


def main() -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof")
    parser.add_argument("name", nargs="?", default="")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    chosen = [check for check in CHECKS if check.startswith(asked.name)]
    if not chosen:
        sys.stderr.write(f"no check {asked.name!r}; there are {', '.join(CHECKS)}\n")
        return 64
    failed = False
    for check in chosen:
        found = proof(check, asked.seed, short=asked.short)
        failed = failed or found.violations > 0
        line = {name: getattr(found, name) for name in Proof.__slots__}
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
