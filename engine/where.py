"""Where the control socket of a state directory is, and who is at its other end."""

import hashlib
import os
import socket
import stat
import struct
from pathlib import Path

import platformdirs

LONGEST_PATH = 107
"""Bytes a unix socket's path may have; the kernel's field holds one more, for the end."""


class NotPrivate(OSError):
    """A folder or socket that somebody else could have put there."""


def control_path(directory: Path) -> Path:
    """`control.sock` in the state directory. Where that path is too long for a unix socket: a file named by a hash of
    the directory, in `perpdesk` in the user's runtime folder, which engine and clients find alike."""
    full = directory.resolve()
    usual = full / "control.sock"
    if len(os.fsencode(usual)) <= LONGEST_PATH:
        return usual
    name = hashlib.sha256(os.fsencode(full)).hexdigest()[:32]
    return platformdirs.user_runtime_path("perpdesk") / f"{name}.sock"


def checked_path(directory: Path) -> Path:
    """`control_path`, once it is sure that nobody else can have put something there.

    Raises NotPrivate, and OSError for a fallback folder that is missing.
    """
    path = control_path(directory)
    if path.parent != directory.resolve():
        _check_folder(path.parent)
    return path


def is_served(directory: Path) -> bool:
    """Whether a process listens for a state directory, of whatever user; the socket of one that was killed does not."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as asking:
        try:
            asking.connect(os.fspath(control_path(directory)))
        except (ConnectionRefusedError, FileNotFoundError, NotADirectoryError):
            return False
        except OSError:  # busy, or not for us: whoever connects is told
            return True
    return True


def _check_folder(folder: Path) -> None:
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise NotPrivate(f"{folder} is not a private folder of this user")


def peer_uid(connection: socket.socket) -> int:
    """User id of the process that opened the other end, as the kernel knows it."""
    _, uid, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
    return int(uid)
