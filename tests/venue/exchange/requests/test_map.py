"""The map of the seed (docs/avitus-boxes.md) is complete and true: boxes, functions and tests that are really there."""

import re
import subprocess
import sys
from collections import Counter
from importlib import import_module
from pathlib import Path
from string import ascii_lowercase
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[4]
HERE = Path(__file__).parent.relative_to(ROOT)
LAST = {"deposit.create": "m", "deposit.execute": "v", "order.create": "i", "order.execute": "i"}
BOXES = [
    f"{flow}.{letter}" for flow, last in LAST.items() for letter in ascii_lowercase[: ascii_lowercase.index(last) + 1]
]
BOX = re.compile(r"(?:deposit|order)\.(?:create|execute)\.[a-z]")
CELLS = re.compile(r"\| (\S+) \| (.+) \| `([\w.]+)` \| `([\w/]+\.py::\w+)\[(\S+)\]` \|")


class Row(NamedTuple):
    box: str
    rule: str
    function: str
    test: str
    proved: str


def rows(text: str) -> list[Row]:
    """The table rows of the page; a row that names a box and does not parse is a mistake."""
    lines = [line for line in text.splitlines() if line.startswith("|") and BOX.search(line)]
    found = [CELLS.fullmatch(line) for line in lines]
    assert all(found), [line for line, match in zip(lines, found, strict=True) if not match]
    return [Row(*match.groups()) for match in found if match]


def resolved(dotted: str) -> object:
    """What a dotted path names: a module's function or class, or a class's method."""
    parts = dotted.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        try:
            target: object = import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for name in parts[cut:]:
            target = getattr(target, name)
        return target
    raise ModuleNotFoundError(dotted)


@pytest.fixture(scope="module")
def page() -> list[Row]:
    return rows((ROOT / "docs" / "avitus-boxes.md").read_text())


@pytest.fixture(scope="module")
def collected() -> dict[str, set[str]]:
    """The boxes that each test carries, as pytest itself collects them."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-o",
        "addopts=",
        "-p",
        "no:cacheprovider",
        "--collect-only",
        "-q",
        str(HERE),
    ]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    carried: dict[str, set[str]] = {}
    for line in ran.stdout.splitlines():
        name, _, parameters = line.partition("[")
        match = re.search(rf"(?:^|-)({BOX.pattern})\]$", parameters)
        if "::" in name:
            carried.setdefault(name, set()).update(match.groups() if match else ())
    return carried


def test_the_seed_has_53_boxes() -> None:
    assert len(BOXES) == len(set(BOXES)) == 53


def test_every_box_is_there_once_and_in_order(page: list[Row]) -> None:
    assert [row.box for row in page] == BOXES
    assert all(row.proved == row.box and row.rule.endswith(".") for row in page)


def test_every_function_can_be_imported(page: list[Row]) -> None:
    for row in page:
        target = resolved(row.function)
        assert callable(target), row.function
        assert row.function.startswith("venue.exchange."), row.function
        assert getattr(target, "__module__", "") in row.function, f"{row.function} is only passing through"


def test_every_test_is_collected_and_carries_the_box(page: list[Row], collected: dict[str, set[str]]) -> None:
    for row in page:
        assert row.test in collected, row.test
        assert row.box in collected[row.test], f"{row.test} does not carry {row.box}"


def test_every_box_has_a_test_and_every_test_a_box_there_is(collected: dict[str, set[str]]) -> None:
    proofs = Counter(name for boxes in collected.values() for name in boxes)
    assert set(proofs) == set(BOXES)


def test_a_wrong_page_would_be_noticed() -> None:
    with pytest.raises(AssertionError):
        rows("| deposit.create.a | no function | | |")
    with pytest.raises(ModuleNotFoundError):
        resolved("no_such_module.create")
    with pytest.raises(AttributeError):
        resolved("venue.exchange.requests.create.no_such_function")
