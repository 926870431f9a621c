"""The verbs that reach a running engine, as a user runs them: what is on stdout, on stderr, and the exit status."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.perpdesk import perpdesk, running
from tests.cli.test_refusals import refused


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The home of a running demo; its state is `state` in it."""
    home = tmp_path_factory.mktemp("home")
    with running(home, "demo", "--headless", "--state", str(home / "state")) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "control socket open" in line:
                break
        yield home


def ask(home: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return perpdesk(home, *arguments, "--state", str(home / "state"))


def test_requests(engine: Path) -> None:
    run = ask(engine, "requests", "--json")
    assert run.returncode == 0, run.stderr
    rows = json.loads(run.stdout)
    assert isinstance(rows, list)
    waiting = json.loads(ask(engine, "requests", "--json", "--waiting").stdout)
    assert all(row["state"] in ("pending", "frozen") for row in waiting)
    table = ask(engine, "requests")
    assert table.stdout == "none\n" or table.stdout.startswith("key ")


def test_pools(engine: Path) -> None:
    rows = json.loads(ask(engine, "pools", "--json").stdout)
    assert {row["symbol"] for row in rows} >= {"ETH-USD", "BTC-USD"}
    assert all(re.fullmatch(r"\d+", row["supply"]) for row in rows)
    lines = ask(engine, "pools").stdout.splitlines()
    assert lines[0].split()[:3] == ["pool", "enabled", "long"]
    assert len(lines) == len(rows) + 1


def test_credit_says_what_was_done(engine: Path) -> None:
    run = ask(engine, "credit", "alice", "USDC", "1", "--json")
    assert run.returncode in (0, 79)  # who may credit whom is the engine's business
    receipt = json.loads(run.stdout)
    assert receipt["ok"] is (run.returncode == 0)
    assert receipt["text"] in run.stderr


def test_a_refusal(engine: Path) -> None:
    refused(ask(engine, "request", "cancel", "0xnosuch"), 79, "0xnosuch")
    run = ask(engine, "request", "cancel", "0xnosuch", "--json", "--id", "mine")
    receipt = json.loads(run.stdout)
    assert (run.returncode, receipt["ok"], receipt["command_id"]) == (79, False, "mine")
    assert run.stderr.splitlines() == [f"perpdesk: {receipt['code']}: {receipt['text']}"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("deposit", "--market", "ETH-USD", "--long-amount", "-1"), "'--long-amount': '-1' is not an amount"),
        (("deposit", "--market", "ETH-USD", "--long-amount", "1e9"), "expected a plain decimal like 1.5"),
        (("deposit",), "Missing option '--market'"),
        (("withdraw", "--market", "ETH-USD"), "Missing option '--amount'"),
        (("order", "--type", "Market"), "'--type': 'Market' is unknown; expected one of MarketSwap, "),
        (("order", "--type", "MarketSwap", "--expires", "0"), "'--expires': 0 is not in the range 1<=x<=86400"),
        (("order", "--type", "MarketSwap", "--market", "x" * 101), "'--market': 'xxx"),
        (("cancel",), "Missing argument 'KEY'"),
        (("frobnicate",), "No such command 'frobnicate'"),
    ],
)
def test_bad_input_names_the_option(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    refused(perpdesk(tmp_path, "request", *arguments), 64, said)


@pytest.mark.parametrize(
    "verb", [("requests",), ("pools", "--json"), ("request", "retry", "k"), ("credit", "a", "b", "1")]
)
def test_without_an_engine(tmp_path: Path, verb: tuple[str, ...]) -> None:
    refused(perpdesk(tmp_path, *verb, "--state", str(tmp_path)), 69, f"no engine runs on {tmp_path}")


def test_every_field_of_a_command_has_its_option(tmp_path: Path) -> None:
    text = perpdesk(tmp_path, "request", "order", "--help").stdout
    for option in ("--type", "--long / --short", "--trigger-price", "--auto-cancel", "--path", "--id", "--expires"):
        assert option in text
