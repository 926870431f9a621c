"""The rules by which a browser is let in, without a server."""

import base64

import pytest

from tui.serve import environment
from tui.serve_gate import AT_ONCE, EVERY_S, Guesses, Password, given_password, is_here, is_ours


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
        assert guesses.wait_s(1000.0) == 0
        guesses.wrong(1000.0)
    assert guesses.wait_s(1000.0) == EVERY_S
    assert guesses.wait_s(1000.0 + EVERY_S) == 0
    guesses.wrong(1000.0 + EVERY_S)
    assert guesses.wait_s(1000.0 + EVERY_S) == EVERY_S
    assert guesses.wait_s(1000.0 + 100 * EVERY_S) == 0


def test_a_tab_knows_every_colour_whatever_terminal_started_it() -> None:
    was = {"TERM": "dumb", "TERM_PROGRAM": "x", "TMUX": "/x", "TEXTUAL_DRIVER": "evil", "COLUMNS": "8", "HOME": "/h"}
    assert environment(was) == {
        "HOME": "/h",
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "TEXTUAL_COLOR_SYSTEM": "truecolor",
    }
