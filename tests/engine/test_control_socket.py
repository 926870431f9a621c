"""The socket as a file: private, replaced when stale, found when its path is too long."""

import asyncio
import os
import socket
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from engine import control
from engine.control import listening
from engine.remote import NoEngine, NotYours, RemotePort
from engine.where import LONGEST_PATH, control_path, is_served
from tests.cli.perpdesk import perpdesk
from tests.engine.control import Recorder, served, works


async def test_the_socket_is_private_and_does_not_outlive_the_engine(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        async with served(tmp_path):
            assert stat.S_IMODE((tmp_path / "control.sock").stat().st_mode) == 0o600
    finally:
        os.umask(old)
    assert not (tmp_path / "control.sock").exists()
    with pytest.raises(NoEngine, match=f"no engine runs on {tmp_path}"):
        await RemotePort.connect(tmp_path)


async def test_a_dead_process_s_socket_is_replaced(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "control.sock"))
    with pytest.raises(NoEngine, match="no engine runs"):
        await RemotePort.connect(tmp_path)
    async with served(tmp_path):
        await works(tmp_path)


async def test_a_dead_process_s_socket_hides_no_live_engine(tmp_path: Path) -> None:
    """The paper run was killed, the live one runs: that is the one a halt is for."""
    paper, live = tmp_path / "perpdesk" / "paper", tmp_path / "perpdesk" / "live"
    paper.mkdir(parents=True)
    live.mkdir()
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(paper / "control.sock"))
    async with served(live) as port:
        run = await asyncio.to_thread(perpdesk, tmp_path, "halt", "--all", XDG_DATA_HOME=str(tmp_path))
        assert run.returncode == 0, run.stderr
        assert len(port.asked) == 1
        async with served(paper) as other:
            await asyncio.to_thread(perpdesk, tmp_path, "halt", "--all", XDG_DATA_HOME=str(tmp_path))
            assert (len(other.asked), len(port.asked)) == (1, 1)


def test_a_place_is_served_when_somebody_listens_however_busy(tmp_path: Path) -> None:
    assert not is_served(tmp_path)
    assert not is_served(tmp_path / "none")
    (tmp_path / "file").touch()
    assert not is_served(tmp_path / "file")
    with socket.socket(socket.AF_UNIX) as listener, ExitStack() as stack:
        listener.bind(str(tmp_path / "control.sock"))
        assert not is_served(tmp_path)
        listener.listen(0)
        assert is_served(tmp_path)
        for _ in range(4):  # a loop that is stuck takes nobody in
            waiting = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK))
            with suppress(BlockingIOError):
                waiting.connect(str(tmp_path / "control.sock"))
        assert is_served(tmp_path)
    assert not is_served(tmp_path)


@pytest.mark.parametrize("put", [lambda path: path.write_text("mine"), lambda path: path.symlink_to("/etc/hosts")])
async def test_what_is_no_socket_is_left_alone_and_said(tmp_path: Path, put: Callable[[Path], object]) -> None:
    put(tmp_path / "control.sock")
    said: list[str] = []
    async with listening(Recorder(), tmp_path, said.append):
        assert len(said) == 1
        assert "is no socket" in said[0]
    (tmp_path / "control.sock").lstat()


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A runtime folder whose own path is short."""
    with TemporaryDirectory(dir="/tmp") as name:
        monkeypatch.setenv("XDG_RUNTIME_DIR", name)
        yield Path(name)


@pytest.fixture
def long(tmp_path: Path) -> Path:
    """A state directory too deep for a unix socket."""
    directory = tmp_path / ("d" * LONGEST_PATH)
    directory.mkdir()
    return directory


async def test_a_long_path_falls_back_to_the_runtime_folder(long: Path, folder: Path) -> None:
    async with served(long):
        assert control_path(long).parent == folder / "perpdesk"
        assert len(os.fsencode(control_path(long))) <= LONGEST_PATH
        await works(long)
    assert not control_path(long).exists()


async def test_a_fallback_folder_open_to_others_is_not_used(long: Path, folder: Path) -> None:
    (folder / "perpdesk").mkdir(mode=0o755)
    said: list[str] = []
    async with listening(Recorder(), long, said.append):
        assert len(said) == 1
        with pytest.raises(NotYours):
            await RemotePort.connect(long)


async def test_another_user_s_process_is_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with served(tmp_path):
        monkeypatch.setattr(control, "peer_uid", lambda _: os.getuid() + 1)
        with pytest.raises(NoEngine):
            await RemotePort.connect(tmp_path)


async def test_another_user_s_engine_is_not_talked_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with served(tmp_path):
        monkeypatch.setattr("engine.remote.peer_uid", lambda _: os.getuid() + 1)
        with pytest.raises(NotYours, match="belongs to another user"):
            await RemotePort.connect(tmp_path)
