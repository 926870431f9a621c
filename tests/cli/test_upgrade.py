"""A contract that is changed in place, by hand: nothing opens, a close is asked about, and it can be accepted."""

import os
import pty
import subprocess
from collections.abc import Generator, Sequence
from pathlib import Path

import pytest

from tests.chain.stage import TRADER
from tests.cli.forge import forged
from tests.cli.live import LiveVenue, locked
from tests.cli.perpdesk import COMMAND, environment
from tests.cli.test_refusals import refused
from venue.avantis.addresses import AVANTIS
from venue.chain.pins import IMPLEMENTATION

AVANTIS_CLI = ("venue", "avantis")
OPEN = (*AVANTIS_CLI, "open", "eth", "long", "100", "--leverage", "5", "--yes")
CLOSE = (*AVANTIS_CLI, "close", "eth")
ACCEPT = (*AVANTIS_CLI, "accept-upgrade")
NEW = "02" * 20


@pytest.fixture(autouse=True, scope="module")
def approved(live: LiveVenue) -> None:
    live.approve(5_000 * 10**6)


@pytest.fixture
def env(live: LiveVenue, tmp_path: Path) -> Generator[dict[str, str], None, None]:
    yield live.env(**locked(tmp_path))
    implement(live, "")


def implement(live: LiveVenue, address: str) -> None:
    """Trading stands for another from now on."""
    live.do(live.node.set_storage(AVANTIS.trading, IMPLEMENTATION, bytes.fromhex(address)))


def typed(tmp_path: Path, lines: Sequence[str], *arguments: str, **env: str) -> "subprocess.CompletedProcess[str]":
    """A run at a terminal where somebody types."""
    keyboard, terminal = pty.openpty()
    os.write(keyboard, "".join(f"{line}\n" for line in lines).encode())
    run = subprocess.run(
        [*COMMAND, *arguments],
        env=environment(tmp_path, **env),
        stdin=terminal,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    os.close(keyboard)
    os.close(terminal)
    return run


def test_an_upgrade_is_seen_and_accepted(live: LiveVenue, tmp_path: Path, env: dict[str, str]) -> None:
    state = ("--state", str(tmp_path / "s"))
    run = forged(tmp_path, *OPEN, *state, **env)
    assert run.returncode == 0, run.stderr
    implement(live, NEW)
    refused(forged(tmp_path, *OPEN, *state, **env), 79, f"CHANGED: trading {AVANTIS.trading} was changed: 0x")
    refused(forged(tmp_path, "wallet", "approve", "10", *state, **env), 79, "CHANGED: trading")
    refused(forged(tmp_path, *CLOSE, "--yes", *state, **env), 79, "without --yes you are asked")
    assert len(live.world.held(TRADER)) == 1

    run = typed(tmp_path, ["498", "no"], *CLOSE, *state, **env)
    assert (run.returncode, run.stdout) == (79, ""), run.stderr
    assert "all the same was not typed; nothing was signed" in run.stderr
    run = typed(tmp_path, ["498", "all the same"], *CLOSE, *state, **env)
    assert run.returncode == 0, run.stderr
    assert live.world.held(TRADER) == []

    refused(forged(tmp_path, *ACCEPT, *state, **env), 64, "not a terminal")
    run = typed(tmp_path, ["wrong"], *ACCEPT, *state, **env)
    assert run.returncode == 79
    assert "Type 02020202 to confirm" in run.stderr
    refused(forged(tmp_path, *OPEN, *state, **env), 79, "CHANGED: trading")
    run = typed(tmp_path, ["02020202"], *ACCEPT, *state, **env)
    assert run.returncode == 0, run.stderr
    assert f"0x{NEW} is believed from now on" in run.stderr
    run = typed(tmp_path, [], *ACCEPT, *state, **env)
    assert (run.returncode, "nothing to accept" in run.stderr) == (0, True)
    assert forged(tmp_path, *OPEN, *state, **env).returncode == 0
    assert forged(tmp_path, *CLOSE, "--yes", *state, **env).returncode == 0


def test_what_the_settings_name_is_not_accepted_here(live: LiveVenue, tmp_path: Path, env: dict[str, str]) -> None:
    named = {"PERPDESK_AVANTIS__PINS": f'{{"{AVANTIS.trading}": "0x{NEW}"}}'}
    run = typed(tmp_path, [], *ACCEPT, "--state", str(tmp_path / "s"), **env, **named)
    assert run.returncode == 79, run.stderr
    assert "BY_SETTING: trading" in run.stderr
    implement(live, NEW)
    run = typed(tmp_path, [], *ACCEPT, "--state", str(tmp_path / "s"), **env, **named)
    assert (run.returncode, "nothing to accept" in run.stderr) == (0, True)
