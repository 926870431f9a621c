"""A real SSH line, with and without tmux: what is sent over it, and what happens when it is cut.

Skipped where there is no OpenSSH server: `apt-get install openssh-server` gives one, and none has to be running.
"""

import getpass
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.cli.perpdesk import perpdesk
from tests.terminal.pty_app import ROOT, PtyApp
from tests.terminal.ssh_client import options

SSHD = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")
MISSING = [name for name, path in (("sshd", SSHD), ("ssh", shutil.which("ssh"))) if path is None]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not on this machine: {', '.join(MISSING)}")
needs_tmux = pytest.mark.skipif(shutil.which("tmux") is None, reason="not on this machine: tmux")


@dataclass(frozen=True)
class Host:
    """A machine that is reached by SSH, as far as a test can tell."""

    folder: Path
    port: int

    def line(self, command: str) -> PtyApp:
        """A terminal with an SSH line to it, on which a command runs."""
        return PtyApp(str(self.folder), str(self.port), command, module="tests.terminal.ssh_client")


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """An OpenSSH server on loopback, on a port of its own, with keys that are thrown away."""
    assert SSHD is not None
    folder = tmp_path_factory.mktemp("ssh")
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    config = folder / "sshd_config"
    config.write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/user.pub\n"
        "PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\n"
        "StrictModes no\nUsePAM no\nPidFile none\nLogLevel VERBOSE\n"
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where root's sshd locks itself in; it has no option
    log = (folder / "log").open("wb")
    with log, subprocess.Popen([SSHD, "-D", "-e", "-f", str(config)], stdin=subprocess.DEVNULL, stderr=log) as server:
        try:
            end = time.monotonic() + 20
            while subprocess.run(["ssh", *options(folder, port), "true"], capture_output=True, check=False).returncode:
                assert time.monotonic() < end, (folder / "log").read_text()
            yield Host(folder, port)
        finally:
            for child in psutil.Process(server.pid).children():
                child.kill()
            server.kill()


def command(tmp_path: Path, *arguments: str, **environ: str) -> str:
    """Of the shell at the other end."""
    names = {"XDG_CONFIG_HOME": str(tmp_path), "PYTHONUTF8": "1", **environ}
    words = ["env", *(f"{name}={value}" for name, value in names.items()), *arguments]
    return f"cd {shlex.quote(str(ROOT))} && exec {shlex.join(words)}"


def program(tmp_path: Path, verb: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "tui.cli", verb, "--state", str(tmp_path / "state"), *arguments)


def processes(tmp_path: Path, verb: str) -> list[psutil.Process]:
    """Those of this test that run this verb: the state directory is nobody else's."""
    found: list[psutil.Process] = []
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if words[1:4] == ["-m", "tui.cli", verb] and str(tmp_path / "state") in words:
            found.append(process)
    return found


@pytest.fixture
def running(tmp_path: Path) -> Iterator[None]:
    """Whatever a test leaves running at the other end is ended."""
    yield
    for verb in ("attach", "demo"):
        for process in processes(tmp_path, verb):
            process.kill()


def block(line: PtyApp) -> int:
    """The newest block on the status line; 0 while there is none."""
    words = line.text().split()
    found = words[words.index("block") + 1] if "block" in words[:-1] else "0"
    return int(found.replace(",", "")) if found.replace(",", "").isdecimal() else 0


def goes_on(line: PtyApp) -> None:
    """The engine behind the screen does."""
    line.until(lambda: block(line) > 0, "block")
    was = block(line)
    line.until(lambda: block(line) > was + 1, "newer block")


@pytest.mark.usefixtures("running")
def test_a_line_that_is_cut_stops_no_engine(host: Host, tmp_path: Path) -> None:
    line = host.line(command(tmp_path, *program(tmp_path, "demo", "--on-hangup", "detach")))
    again = None
    try:
        line.wait_for("Desks 12")
        line.keys("\x1a")  # Ctrl-Z would stop every thread, the engine's too
        line.keys("h")
        line.wait_for("halted 1 desk")
        goes_on(line)
        (engine,) = processes(tmp_path, "demo")
        assert engine.status() != psutil.STATUS_STOPPED
        sent = bytes(line.sent)
        assert b"\x1b[?1003h" not in sent, "no mouse reports over a thin line"
        assert b"38;2;" not in sent
        assert b"38;5;" in sent
        bytes_per_second, _ = line.measure(3)
        assert bytes_per_second < 12_000

        line.process.kill()
        log = tmp_path / "state" / "perpdesk.log"
        line.until(lambda: "the engine goes on" in log.read_text(), "word of the engine that goes on")
        assert engine.is_running()

        again = host.line(command(tmp_path, *program(tmp_path, "attach")))
        again.wait_for("Desks 12")
        again.wait_for("link ")
        goes_on(again)
        again.keys("q")
        assert again.exit_code() == 0
        assert engine.is_running()
        desks = json.loads(perpdesk(tmp_path, "desks", "--json", "--state", str(tmp_path / "state")).stdout)
        assert getpass.getuser() in {row["halted_by"] for row in desks}, "what was asked for over the line was done"
        engine.send_signal(signal.SIGTERM)
        again.until(lambda: not engine.is_running() or engine.status() == "zombie", "end of the engine")
        assert "event=stopped" in log.read_text()
    finally:
        for each in (line, again):
            if each is not None:
                each.end()


@needs_tmux
@pytest.mark.usefixtures("running")
def test_a_tmux_session_survives_the_line(host: Host, tmp_path: Path) -> None:
    tmux = ("tmux", "-L", "desk", "-f", "/dev/null")
    at = {"TMUX_TMPDIR": str(host.folder)}
    demo = PtyApp(*program(tmp_path, "demo")[3:], module="tui.cli", XDG_CONFIG_HOME=str(tmp_path))
    lines = [demo]
    try:
        demo.wait_for("Desks 12")
        inside = shlex.join(program(tmp_path, "attach"))
        line = host.line(command(tmp_path, *tmux, "new-session", "-s", "desk", inside, **at))
        lines.append(line)
        line.wait_for("Desks 12")
        line.keys("\x1a")
        line.keys("j")
        goes_on(line)
        (screen,) = processes(tmp_path, "attach")
        assert screen.status() != psutil.STATUS_STOPPED
        assert b"38;2;" not in line.sent, "the profile of a thin line, inside tmux too"
        line.process.kill()

        second = host.line(command(tmp_path, *tmux, "attach-session", "-t", "desk", **at))
        lines.append(second)
        second.wait_for("Desks 12")
        goes_on(second)
        assert processes(tmp_path, "attach") == [screen], "it is the same screen"
        second.keys("H")
        second.wait_for("H again within")
        second.keys("H")
        second.wait_for("12 halted")
        second.keys("q")
        assert second.exit_code() == 0
        goes_on(demo)
        demo.keys("qq")
        assert demo.exit_code() == 0
    finally:
        for each in lines:
            each.end()
        subprocess.run([*tmux, "kill-server"], env={**os.environ, **at}, capture_output=True, check=False)
