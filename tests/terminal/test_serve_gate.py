"""The rules by which a browser is let in, without a server."""

import base64
import os
import socket
import sys
from pathlib import Path

import pytest

from tui.serve import environment
from tui.serve_gate import AT_ONCE, EVERY_S, Acquaintances, Guesses, Password, given_password, is_here, is_ours
from tui.serve_peer import owner, owner_of


def packed(text: bytes) -> str:
    return base64.b64encode(text).decode()


def test_a_password_is_kept_as_a_hash_of_its_own() -> None:
    one, other = Password.of("correct horse"), Password.of("correct horse")
    assert one.digest != other.digest
    assert one.matches("correct horse")
    assert not one.matches("correct horse ")
    assert not one.matches("")
    assert "correct" not in repr(one)


@pytest.mark.parametrize(
    ("header", "password"),
    [
        (f"Basic {packed(b'me:word')}", "word"),
        (f"basic  {packed(b':a:b')}", "a:b"),
        (f"Basic {packed('me:pässwort'.encode())}", "pässwort"),
        (f"Basic {packed(b'me:')}", ""),
        (f"Basic {packed(b'word')}", None),
        (f"Basic {packed(bytes([255, 58]))}", None),
        ("Basic !!!", None),
        ("Basic é", None),
        ("Basic \udcff", None),
        ("Basic", None),
        (f"Bearer {packed(b'me:word')}", None),
        ("", None),
        (None, None),
    ],
)
def test_what_is_given(header: str | None, password: str | None) -> None:
    assert given_password(header) == password


def test_only_this_machine_is_here() -> None:
    assert is_here("127.0.0.1:8321")
    assert is_here("localhost:9000"), "ssh -L may have another port"
    for host in (
        None,
        "",
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example:8321",
        "127.0.0.1:",
        "x@localhost",
        "localhost:١٢٣",
    ):
        assert not is_here(host)


def test_only_pages_of_this_server_are_ours() -> None:
    assert is_ours("http://localhost:9000", "localhost:9000")
    for origin, host in (
        (None, "localhost:9000"),
        ("null", "localhost:9000"),
        ("http://localhost:9001", "localhost:9000"),
        ("https://localhost:9000", "localhost:9000"),
        ("http://evil.example", "evil.example"),
        ("http://127.0.0.1:9000", "localhost:9000"),
    ):
        assert not is_ours(origin, host)


def test_some_wrong_guesses_at_once_then_one_in_a_while() -> None:
    guesses = Guesses()
    for _ in range(AT_ONCE):
        assert guesses.wait_s("a", 1000.0) == 0
        guesses.wrong("a", 1000.0)
    assert guesses.wait_s("a", 1000.0) == EVERY_S
    assert guesses.wait_s("a", 1000.0 + EVERY_S) == 0
    guesses.wrong("a", 1000.0 + EVERY_S)
    assert guesses.wait_s("a", 1000.0 + EVERY_S) == EVERY_S
    assert guesses.wait_s("a", 1000.0 + 100 * EVERY_S) == 0


def test_who_guesses_keeps_nobody_else_waiting() -> None:
    guesses = Guesses()
    for _ in range(100):
        guesses.wrong("a", 1000.0)
    assert guesses.wait_s("b", 1000.0) == 0
    guesses.wrong("b", 1000.0)
    assert guesses.wait_s("a", 1000.0) == (100 - AT_ONCE + 1) * EVERY_S, "and is not forgotten"


def test_a_browser_is_known_by_its_own_cookie_only() -> None:
    known = Acquaintances()
    one, other = known.cookie(), known.cookie()
    names = {known.name(one), known.name(other)}
    assert None not in names
    assert len(names) == 2
    name, _, seal = one.partition(".")
    for forged in (None, "", ".", name, f"{name}.", f"{name}.{'0' * len(seal)}", f"x.{seal}", f"{name}.é", "\udcff.x"):
        assert known.name(forged) is None
    assert Acquaintances().name(one) is None, "of another run"


TABLE = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:2081 0100007F:C43E 01 00000000:00000000 00:00000000 00000000  1000        0 1681 1 00000000d619ebb0
   1: 0100007F:C43E 0100007F:2081 01 00000000:00000000 02:000011C5 00000000  1234        0 1682 3 00000000d41a2a5b
   2: 0100007F:C43F 0100007F:2081 05 00000000:00000000 03:000011C5 00000000     0        0 0 3 0000000076b4b129
"""


@pytest.mark.skipif(sys.byteorder == "big", reason="the table is of another machine")
def test_whose_a_connection_is() -> None:
    here = ("127.0.0.1", 8321)
    assert owner(TABLE, ("127.0.0.1", 0xC43E), here) == 1234
    assert owner(TABLE, ("127.0.0.1", 0xC43F), here) is None, "half closed: the kernel says 0, which is somebody else"
    assert owner(TABLE, ("127.0.0.2", 0xC43E), here) is None
    assert owner(TABLE, ("127.0.0.1", 0xC43E), ("127.0.0.1", 1)) is None
    assert owner("", ("127.0.0.1", 1), here) is None


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="Linux tells it")
async def test_a_connection_of_ours_is_ours() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert await owner_of(client.getsockname(), server.getsockname()) == os.getuid()


def test_a_tab_knows_every_colour_whatever_terminal_started_it() -> None:
    was = {"TERM": "dumb", "TERM_PROGRAM": "x", "TMUX": "/x", "TEXTUAL_DRIVER": "evil", "COLUMNS": "8", "HOME": "/h"}
    assert environment(was) == {
        "HOME": "/h",
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "TEXTUAL_COLOR_SYSTEM": "truecolor",
    }


def test_a_tab_is_told_no_secret() -> None:
    secrets = ("PERPDESK_PYTH__KEY", "PERPDESK_ALERTS__TELEGRAM_TOKEN", "VENICE_API_KEY", "BASE_RPC_URL")
    more = ("AWS_SECRET_ACCESS_KEY", "SSH_AUTH_SOCK", "DBUS_SESSION_BUS_ADDRESS", "LD_PRELOAD", "PERPDESK_UIX")
    plain = ("PATH", "LANG", "LC_ALL", "XDG_RUNTIME_DIR", "TZ", "NO_COLOR", "PERPDESK_UI__FPS")
    found = environment(dict.fromkeys((*secrets, *more, *plain), "x"))
    assert set(found) == {*plain, "TERM", "COLORTERM", "TEXTUAL_COLOR_SYSTEM"}
