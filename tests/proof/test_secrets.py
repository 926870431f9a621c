"""No secret leaves the program but to whom it is for: every file, stream, screen and process of real runs is searched
for it, while everything fails that can."""

import asyncio
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import aiohttp
import psutil
import pytest

from engine.indexing.fill import environment as of_fill
from engine.stills.maker import environment as of_still
from tests.chain.fixtures import _needs_anvil
from tests.cli.forge import forged
from tests.cli.live import LiveVenue, live_venue, locked, private
from tests.cli.perpdesk import COMMAND, environment
from tests.patient import PATIENCE_S, until
from tests.proof import canaries
from tests.proof.canaries import Search, Watched, leaked, surroundings
from tests.proof.echo import Echo, echoing
from tests.proof.secrets_house import SOUND, cores, faulty, words
from tests.scale import scaled
from tests.terminal.pty_app import PtyApp
from tests.terminal.test_serve import WIDE, Screen, basic, tabs
from tui.serve import environment as of_tab

Tried = Callable[[int], None]


OPEN = "control socket open"
"""Said by a run that from now on stops in order."""


def said(search: Search, run: "subprocess.CompletedProcess[str]") -> None:
    """Everything a verb says."""
    assert run.returncode in SOUND, run.stderr
    search.text(f"stdout of {run.args[1:]}", run.stdout)
    search.text(f"stderr of {run.args[1:]}", run.stderr)


LOOKS: Final = (
    ("status", "--json"),
    ("desks", "--json"),
    ("markets", "--json"),
    ("queue", "--json"),
    ("log",),
    ("events",),
    ("requests", "--json"),
    ("account", "--json"),
)


def test_a_run_in_which_everything_fails(tmp_path: Path, search: Search, echo: Echo, tried: Tried) -> None:
    state, env = tmp_path / "state", surroundings(echo.url)
    faults = ("loops", "thread", "task", "callback", "finaliser", "snapshots")
    run = ("demo", "--headless", "--seed", "11", "--state", str(state), "--for", f"{scaled(12, 20, 120)}s")
    with faulty(tmp_path, faults, *run, **env) as process, Watched(process.pid) as watched:
        until(lambda: forged(tmp_path, "desks", "--state", str(state)).returncode == 0, "engine")
        for verb in LOOKS:
            said(search, forged(tmp_path, *verb, "--state", str(state), **env))
        process.wait(200)
    for fault in ("pass failed", "in thread faulty", "in a callback", "in a finalizer", "never retrieved"):
        assert fault in words(tmp_path), fault
    assert "Traceback" not in words(tmp_path)
    assert any("engine.stills.make" in line for line, _ in watched.seen.values()), "no snapshot was made"
    watched.search(search)
    after: tuple[tuple[str | Path, ...], ...] = (
        ("verify", state),
        ("backup", state, tmp_path / "copy"),
        ("replay", state, "--json"),
        ("index", "status", "--state", state),
        ("config", "show"),
        ("config", "show", "--json"),
        ("doctor", "--state", state),
        ("alert", "test"),
        ("init", "--stdout"),
    )
    for look in after:
        said(search, forged(tmp_path, *map(str, look), **env))
    assert {"venice", "hermes", canaries.HOOK, f"bot{canaries.BOT}", canaries.RPC_KEY} <= echo.asked
    search.folder(tmp_path)
    tried(search.looked_at)


@pytest.mark.parametrize(("fault", "status"), [("engine", 70), ("main", 70)])
def test_a_run_that_ends_by_a_fault(tmp_path: Path, search: Search, echo: Echo, fault: str, status: int) -> None:
    run = ("demo", "--headless", "--state", str(tmp_path / "state"), "--for", "20s")
    with faulty(tmp_path, (fault,), *run, **surroundings(echo.url)) as process:
        assert process.wait(PATIENCE_S) == status
    assert "RuntimeError: a fault" in words(tmp_path)
    search.folder(tmp_path)


@pytest.mark.parametrize("number", [signal.SIGABRT, signal.SIGSEGV, signal.SIGQUIT, signal.SIGTERM][: scaled(2, 4, 4)])
def test_a_run_that_is_killed_leaves_no_memory_behind(
    tmp_path: Path, search: Search, echo: Echo, number: signal.Signals
) -> None:
    run = ("demo", "--headless", "--state", str(tmp_path / "state"))
    with faulty(tmp_path, (), *run, **surroundings(echo.url)) as process:
        until(lambda: "recovered" in words(tmp_path), "a start")
        assert "Max core file size        0                    0" in Path(f"/proc/{process.pid}/limits").read_text()
        process.send_signal(number)
        _, status = os.waitpid(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert not os.WCOREDUMP(status)
    assert not list(tmp_path.glob("core*"))
    search.folder(tmp_path)


def test_no_other_process_of_the_same_user_looks_into_it() -> None:
    code = "import ctypes; from venue.net.undumped import undumped; {}; print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"
    for done, dumpable in (("undumped()", "0"), ("0", "1")):
        run = subprocess.run([sys.executable, "-c", code.format(done)], capture_output=True, text=True, check=True)
        assert run.stdout.strip() == dumpable


SCREENS: Final = "1234567890"


@pytest.mark.parametrize("fault", ["screenshots", "screen"])
def test_the_screens(tmp_path: Path, search: Search, echo: Echo, fault: str, tried: Tried) -> None:
    child = PtyApp(
        *(fault, "--", "demo", "--seed", "11", "--state", str(tmp_path / "state")),
        module="tests.proof.faulty",
        columns=160,
        rows=45,
        XDG_CONFIG_HOME=str(tmp_path),
        **surroundings(echo.url),
    )
    try:
        child.wait_for("Desks 12")
        if fault == "screen":
            assert child.exit_code() == 1
        for key in () if fault == "screen" else (*SCREENS, "?", ":", "a", "n"):
            child.keys(key)
            time.sleep(0.3)
            search.text(f"screen {key}", child.text().replace("\n", ""))
            child.keys("e")  # on a board: its rows go into a file
            time.sleep(0.2)
            search.text(f"screen {key} after its export", child.text().replace("\n", ""))
            child.keys("\x1b")
            time.sleep(0.3)  # or it would be the beginning of the next key
        search.bytes("what the terminal was sent", bytes(child.sent))
    finally:
        child.end()
    if fault == "screen":
        assert b"RuntimeError: a fault" in bytes(child.sent)
    else:
        pictures = [canaries.drawn(path.read_text()) for path in (tmp_path / "shots").glob("*.svg")]
        for title in ("Desks 12", "Keepers"):
            assert any(title in each.replace("\xa0", " ") for each in pictures), title
        exported = {path.name.partition("-")[0] for path in tmp_path.rglob("exports/*.csv")}
        assert exported >= {"desks", "keepers", "pools", "requests", "log"}, exported
    search.folder(tmp_path)
    tried(search.looked_at)


async def test_a_browser(tmp_path: Path, search: Search, echo: Echo) -> None:
    env = surroundings(echo.url)
    file = private(tmp_path / "serve.password", canaries.SERVE_PASSWORD)
    state = ("--state", str(tmp_path / "state"))
    with faulty(tmp_path, (), "demo", "--headless", *state, **env):
        until(lambda: forged(tmp_path, "desks", *state).returncode == 0, "engine")
        serve = (*COMMAND, "serve", "--port", "0", *state, "--password-file", str(file))
        with (tmp_path / "serve.log").open("w") as log:
            server = subprocess.Popen(  # noqa: ASYNC220 - returns at once
                serve, env=environment(tmp_path, **env), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        try:
            with Watched(server.pid) as watched:
                until(lambda: "may " in (tmp_path / "serve.log").read_text(), "server")
                url = (tmp_path / "serve.log").read_text().split()[1].rstrip("/")
                headers = basic(canaries.SERVE_PASSWORD)
                async with aiohttp.ClientSession(headers=headers) as session:
                    async with session.ws_connect(url + "/ws", params=WIDE, origin=url) as socket:
                        screen = Screen(socket)
                        await screen.shows("Desks 12")
                        assert tabs(server)
                        await asyncio.sleep(0.2)
                        search.bytes("what the browser was sent", bytes(screen.received))
                    async with session.get(url + "/") as answer:
                        search.text("the page", await answer.text())
                        search.text("its headers", str(answer.headers))
            assert any("attach" in line for line, _ in watched.seen.values())
            watched.search(search)
        finally:
            server.terminate()
            server.wait(PATIENCE_S)
    search.folder(tmp_path, keep=(file,))


def test_children_are_told_nothing() -> None:
    env = {"PATH": "/bin", **surroundings("http://127.0.0.1:1")}
    for made in (of_still(env), of_fill(env), of_tab(env)):
        assert made["PATH"] == "/bin"
        assert leaked(repr(made).encode()) == set()


@pytest.fixture(scope="module")
def live() -> Iterator[LiveVenue]:
    _needs_anvil()
    with live_venue() as made:
        yield made


def test_real_money(tmp_path: Path, live: LiveVenue, search: Search, tried: Tried) -> None:
    tmp_path.chmod(0o700)
    keys = locked(tmp_path, password_is=canaries.PASSWORD)
    keep = (tmp_path / "password", tmp_path / "key")
    state = ("--state", str(tmp_path / "state"))
    with echoing(live.node.http_url) as echo:
        env = {**surroundings(echo.url), **keys, **_trading(live)}
        run = ("run", "--live", "--headless", "--armed", *state)
        for number in (signal.SIGABRT, signal.SIGTERM):
            with faulty(tmp_path, ("loops", "thread", "callback"), *run, **env) as process:
                with Watched(process.pid) as watched:
                    begun = words(tmp_path).count(OPEN)
                    until(lambda: words(tmp_path).count(OPEN) > begun or process.poll() is not None, "start")  # noqa: B023
                    assert process.poll() is None, words(tmp_path)
                    until(lambda: {canaries.RPC_KEY, canaries.WS_KEY} <= echo.asked, "question")
                    time.sleep(scaled(1, 10, 60))
                    process.send_signal(number)
                    _, status = os.waitpid(process.pid, 0)
                    process.returncode = os.waitstatus_to_exitcode(status)
                assert not os.WCOREDUMP(status)
                watched.search(search)
                started = {Path(line.partition("\0")[0]).name for line, _ in watched.seen.values()}
                assert started == {Path(sys.executable).name}, started
        assert process.returncode == 0, words(tmp_path)
        for verb in (
            ("doctor", *state),
            ("doctor", "--json", *state),
            ("wallet", "show", *state),
            ("wallet", "approve", "1", "--dry-run", *state),
            ("venue", "avantis", "positions", *state),
            ("verify", str(tmp_path / "state"), "--chain"),
            ("backup", str(tmp_path / "state"), str(tmp_path / "copy")),
            ("config", "show"),
        ):
            run_ = forged(tmp_path, *verb, **env)
            assert run_.returncode in (*SOUND, 64), run_.stderr
            search.text(f"{verb}", run_.stdout + run_.stderr)
    search.folder(tmp_path, keep=keep)
    tried(search.looked_at)


def _trading(live: LiveVenue) -> dict[str, str]:
    """As the program trades there, but for the nodes."""
    return {name: value for name, value in live.env().items() if name != "BASE_RPC_URL"}


@pytest.mark.parametrize(
    ("leak", "where"),
    [("says", "VENICE_API_KEY in err"), ("shows", "pyth.key in err"), ("hands-on", "pyth.key in environment of")],
)
def test_a_leak_is_found(tmp_path: Path, echo: Echo, leak: str, where: str) -> None:
    run = ("demo", "--headless", "--state", str(tmp_path / "state"), "--for", "10s" if leak == "hands-on" else "3s")
    found = Search()
    with faulty(tmp_path, (leak,), *run, **surroundings(echo.url)) as process, Watched(process.pid) as watched:
        process.wait(PATIENCE_S)
    watched.search(found)
    found.folder(tmp_path)
    assert any(each.startswith(where) for each in found.found), found.found


@pytest.mark.parametrize("secret", canaries.SECRETS)
def test_a_secret_is_found_however_it_is_written(secret: str) -> None:
    text = canaries.SECRETS[secret]
    raw = text.encode()
    for form in (raw, raw[::-1], raw.hex().encode(), raw.upper(), raw[: len(raw) // 2 + 8]):
        assert secret in leaked(b"x" * 7 + form + b"y")
    assert leaked(json.dumps({"a": "b" * 1000, "c": list(range(1000))}).encode()) == set()


def test_a_secret_that_is_drawn_in_many_colours_is_found(tmp_path: Path) -> None:
    letters = "".join(f'<text class="r{number}">{each}</text>\n' for number, each in enumerate(canaries.VENICE_KEY))
    (tmp_path / "shot.svg").write_text(f"<svg>{letters}</svg>")
    found = Search()
    found.folder(tmp_path)
    assert found.found == ["VENICE_API_KEY in the text of shot.svg"]


def test_a_core_is_left_where_nobody_forbids_it(tmp_path: Path) -> None:
    """Or the tests above prove nothing."""
    if resource.getrlimit(resource.RLIMIT_CORE)[1] == 0:
        pytest.skip("this machine forbids it")
    code = "import os; os.abort()"
    process = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, preexec_fn=cores)
    _, status = os.waitpid(process.pid, 0)
    process.returncode = -signal.SIGABRT
    assert os.WCOREDUMP(status)
    assert psutil.pid_exists(os.getpid())
