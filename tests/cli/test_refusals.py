"""Bad input: one clear line on stderr, a documented exit status, nothing on stdout, no traceback."""

import socket
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.perpdesk import perpdesk, running

HEADLESS = ("demo", "--headless", "--for", "1s")


def refused(run: object, status: int, said: str) -> None:
    returncode, out, err = run.returncode, run.stdout, run.stderr  # type: ignore[attr-defined]
    lines = [line for line in err.splitlines() if not line.startswith("timestamp=")]
    assert (returncode, out, len(lines)) == (status, "", 1), err
    assert lines[0].startswith("perpdesk: ")
    assert said in lines[0]


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("[signl]\n", "unknown key 'signl'; did you mean 'signal'?"),
        ("[exchange]\nmarkets = ['ETH', 'XYZ']\n", "unknown market 'XYZ'; expected any of ETH, BTC"),
        ("[ui]\nthem = 'night'\n", "[ui] unknown key 'them'; did you mean 'theme'?"),
        ("[ui]\ntheme = 'pink'\n", "theme: 'pink' is unknown; expected one of night"),
    ],
)
def test_configuration(tmp_path: Path, config: str, said: str) -> None:
    (tmp_path / "c.toml").write_text(config)
    refused(perpdesk(tmp_path, *HEADLESS, "--config", str(tmp_path / "c.toml")), 78, said)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("demo", "--headless", "--for", "3x"), "'3x' is not a duration"),
        (("demo", "--headless", "--seed", "-1"), "--seed"),
        (("demo", "--for", "3s"), "--for needs --headless"),
        (("frobnicate",), "No such command 'frobnicate'"),
        (("demo",), "stdin is not a terminal; add --headless to run without a screen"),
        (("run",), "stdin is not a terminal"),
    ],
)
def test_usage(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    refused(perpdesk(tmp_path, *arguments), 64, said)


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"PERPDESK_RISKK__LEVERAGE": "3"}, "unknown setting PERPDESK_RISKK__LEVERAGE; did you mean PERPDESK_RISK?"),
        ({"PERPDESK_PYTH__KEY": ""}, "pyth.key: ***: "),
        ({"PERPDESK_PYTH__KEY": "canary key"}, "pyth.key: ***: "),
        ({"PERPDESK_PYTH__URL": "http://example.invalid"}, "must be https"),
        ({"PERPDESK_PYTH": "{"}, "environment: "),
        ({"PERPDESK_DESKS__TOKENS": "abc"}, "environment: "),
    ],
)
def test_environment(tmp_path: Path, env: dict[str, str], said: str) -> None:
    run = perpdesk(tmp_path, *HEADLESS, **env)
    refused(run, 78, said)
    assert "canary" not in run.stderr


def test_a_demo_and_a_run_do_not_share_a_state(tmp_path: Path) -> None:
    demo, live = str(tmp_path / "demo"), str(tmp_path / "run")
    assert perpdesk(tmp_path, *HEADLESS, "--state", demo).returncode == 0
    refused(perpdesk(tmp_path, "run", "--headless", "--for", "1s", "--state", demo), 78, "belongs to `perpdesk demo`")
    url = {"PERPDESK_PYTH__URL": "http://127.0.0.1:9"}
    assert perpdesk(tmp_path, "run", "--headless", "--for", "1s", "--state", live, **url).returncode == 0
    refused(perpdesk(tmp_path, *HEADLESS, "--state", live), 78, "belongs to `perpdesk run`")


def test_a_taken_port(tmp_path: Path) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused(perpdesk(tmp_path, *HEADLESS, "--port", str(port)), 69, f"port {port} of the price simulator")


def test_a_locked_state_directory(tmp_path: Path) -> None:
    state = str(tmp_path / "state")
    with running(tmp_path, "demo", "--headless", "--state", state) as holder:
        assert holder.stderr is not None
        holder.stderr.readline()
        refused(perpdesk(tmp_path, *HEADLESS, "--state", state), 75, f"in use by perpdesk process {holder.pid}")


def test_an_unreadable_journal(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "perpdesk.db").write_bytes(b"\x00garbage" * 999)
    refused(perpdesk(tmp_path, *HEADLESS, "--state", str(tmp_path / "state")), 66, "not a database")


def test_a_tampered_journal(tmp_path: Path) -> None:
    state = tmp_path / "state"
    assert perpdesk(tmp_path, *HEADLESS, "--state", str(state)).returncode == 0
    with closing(sqlite3.connect(state / "perpdesk.db")) as connection:
        connection.execute("DROP TRIGGER journal_is_never_edited")
        connection.execute("UPDATE journal SET payload = replace(payload, '1', '2') WHERE seq = 20")
        connection.commit()
    refused(perpdesk(tmp_path, *HEADLESS, "--state", str(state)), 66, "entry 20 does not fit the hash chain")


def test_a_state_directory_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    refused(perpdesk(tmp_path, *HEADLESS, "--state", str(tmp_path / "file" / "x")), 74, "Not a directory")


def test_help_needs_nothing(tmp_path: Path) -> None:
    run = perpdesk(tmp_path, "--help")
    assert (run.returncode, run.stderr) == (0, "")
    assert "demo" in run.stdout
    assert perpdesk(tmp_path, "--version").stdout.startswith("perpdesk, version ")
