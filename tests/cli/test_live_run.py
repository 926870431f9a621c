"""`run --live` as a process: what it wants before it trades, and what a run that only looks leaves alone."""

from pathlib import Path

import pytest

from tests.chain.stage import TOKEN, TRADER
from tests.cli.live import LiveVenue, locked, private
from tests.cli.perpdesk import perpdesk, summary
from tests.cli.test_refusals import refused

HEADLESS = ("run", "--live", "--headless", "--for", "4s")


def config(folder: Path) -> tuple[str, str]:
    """One launch that is enrolled."""
    text = f'[[desks.tokens]]\naddress = "{TOKEN}"\nname = "CAT"\n'
    return "--config", str(private(folder / "config.toml", text))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "--armed"), "--armed and --observe need --live"),
        (("run", "--observe", "--headless"), "--armed and --observe need --live"),
        (("run", "--live", "--armed", "--observe"), "exclude each other"),
        (("run", "--live", "--headless"), "--headless --live needs --armed or --observe"),
    ],
)
def test_what_nobody_is_there_to_confirm_is_said_beforehand(
    tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    refused(perpdesk(tmp_path, *arguments), 64, words)


def test_a_run_that_only_looks_opens_no_key_and_writes_nothing(tmp_path: Path, live: LiveVenue) -> None:
    env = live.env(PERPDESK_WALLET__ADDRESS=TRADER)
    run = perpdesk(tmp_path, *HEADLESS, "--observe", "--state", str(tmp_path / "state"), *config(tmp_path), **env)
    assert summary(run)["facts"] == 0


def test_a_key_that_trades_is_opened_first_and_the_journal_is_its_wallets(tmp_path: Path, live: LiveVenue) -> None:
    tmp_path.chmod(0o700)
    env, where = live.env(**locked(tmp_path)), ("--state", str(tmp_path / "state"), *config(tmp_path))
    found = summary(perpdesk(tmp_path, *HEADLESS, "--armed", *where, **env))
    assert found["facts"] > 0
    again = summary(perpdesk(tmp_path, *HEADLESS, "--observe", *where, **env))
    assert again["facts"] == found["facts"]
    paper = {name: value for name, value in env.items() if name != "PERPDESK_VENUE"}
    run = perpdesk(tmp_path, "run", "--headless", "--for", "1s", *where, **paper)
    assert run.returncode != 0
    assert "belongs to the wallet" in run.stderr


@pytest.mark.parametrize("how", ["--armed", "--observe"])
def test_nodes_of_another_chain_are_refused_before_anything_starts(tmp_path: Path, live: LiveVenue, how: str) -> None:
    live.server.route("/node", lambda asked: (200, {"jsonrpc": "2.0", "id": _id(asked.body), "result": "0x1"}))
    env = live.env(**locked(tmp_path)) | {"BASE_RPC_URL": f"{live.url}/node"}
    run = perpdesk(tmp_path, *HEADLESS, how, "--state", str(tmp_path / "s"), *config(tmp_path), **env)
    refused(run, 78, "chain id 1: expected 8453")
    assert "name nodes of Base" in run.stderr
    assert not (tmp_path / "s").exists()


def test_a_run_without_any_node_in_reach_says_so_and_starts(tmp_path: Path, live: LiveVenue) -> None:
    env = live.env(PERPDESK_WALLET__ADDRESS=TRADER) | {"BASE_RPC_URL": "http://127.0.0.1:1"}
    run = perpdesk(tmp_path, *HEADLESS, "--observe", "--state", str(tmp_path / "s"), *config(tmp_path), **env)
    assert summary(run)["facts"] == 0
    assert "it starts without them: nothing is opened or closed until nodes answer" in run.stderr


def _id(body: object) -> int:
    return int(body["id"]) if isinstance(body, dict) else 0
