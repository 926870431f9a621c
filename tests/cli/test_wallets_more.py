"""A run with several keystores that cannot be opened: one line, the exit code of a missing key, and no state."""

import json
from pathlib import Path

import pytest

from tests.chain.node import ADDRESSES, KEYS
from tests.cli.forge import forged
from tests.cli.live import LiveVenue, locked
from tests.cli.test_refusals import refused
from tests.cli.test_wallet import Run, no_secret

LIVE = ("run", "--live", "--headless", "--armed", "--for", "1s")


@pytest.fixture
def more(tmp_path: Path) -> Path:
    """Where the keystore of a second wallet lies, with the same password."""
    folder = tmp_path / "more"
    folder.mkdir()
    locked(folder, KEYS[1])
    return folder / "wallet.json"


@pytest.fixture
def first(tmp_path: Path) -> dict[str, str]:
    """The settings that name the first wallet."""
    return locked(tmp_path)


def run(tmp_path: Path, first: dict[str, str], *more: Path, **env: str) -> Run:
    """With a node that nobody gets to ask."""
    where = {"BASE_RPC_URL": "http://127.0.0.1:1", "PERPDESK_VENUE": "avantis"}
    paths = json.dumps([str(path) for path in more])
    settings = {**where, **first, "PERPDESK_WALLET__MORE": paths, **env}
    done = forged(tmp_path, *LIVE, "--state", str(tmp_path / "s"), **settings)
    no_secret(done)
    assert not (tmp_path / "s").exists()
    return done


def test_the_same_wallet_twice(tmp_path: Path, first: dict[str, str], more: Path) -> None:
    twice = "wallet.more: two keystores hold the same wallet; expected each once"
    refused(run(tmp_path, first, more, more), 78, twice)
    refused(run(tmp_path, first, tmp_path / "wallet.json"), 78, twice)


def test_a_keystore_that_is_not_there_or_that_others_can_read(
    tmp_path: Path, first: dict[str, str], more: Path
) -> None:
    missing = tmp_path / "none.json"
    refused(run(tmp_path, first, more, missing), 80, f"{missing} is not there")
    more.chmod(0o644)
    refused(run(tmp_path, first, more), 80, "others can read")


def test_a_password_that_opens_the_first_alone(tmp_path: Path, first: dict[str, str]) -> None:
    other = tmp_path / "other"
    other.mkdir()
    locked(other, KEYS[1], "battery staple")
    refused(run(tmp_path, first, other / "wallet.json"), 80, f"wrong password for {other / 'wallet.json'}")


def test_the_address_of_the_settings_is_that_of_the_first(tmp_path: Path, first: dict[str, str], more: Path) -> None:
    wrong = run(tmp_path, first, more, PERPDESK_WALLET__ADDRESS=ADDRESSES[1])
    refused(wrong, 80, f"wallet.address expects {ADDRESSES[1]}")


def test_a_command_works_with_any_wallet_of_the_settings(
    live: LiveVenue, tmp_path: Path, first: dict[str, str], more: Path
) -> None:
    env = live.env(**first, PERPDESK_WALLET__ADDRESS=ADDRESSES[0])
    approve = ("wallet", "approve", "1", "--state", str(tmp_path / "s"))
    assert forged(tmp_path, *approve, **env).returncode == 0
    refused(forged(tmp_path, *approve, "--keystore", str(more), **env), 80, "wallet.address expects")
    del env["PERPDESK_WALLET__ADDRESS"]
    refused(forged(tmp_path, *approve, "--keystore", str(more), **env), 79, "OTHER_WALLET: this journal sends from")
    env |= {"PERPDESK_WALLET__MORE": json.dumps([str(more)]), "PERPDESK_WALLET__ADDRESS": ADDRESSES[0]}
    second = forged(tmp_path, *approve, "--keystore", str(more), **env)
    assert second.returncode == 0, second.stderr
    assert forged(tmp_path, *approve, **env).returncode == 0
