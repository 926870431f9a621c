"""Becomes an ssh client of the server in a folder: `python -m tests.terminal.ssh_client FOLDER PORT COMMAND`."""

import os
import sys
from pathlib import Path


def options(folder: Path, port: int) -> list[str]:
    """A client that uses nobody's configuration, keys or known hosts."""
    known = f"UserKnownHostsFile={folder / 'known'}"
    settings = ["IdentitiesOnly=yes", "BatchMode=yes", "StrictHostKeyChecking=accept-new", known, "LogLevel=ERROR"]
    words = ["-F", "none", "-i", str(folder / "user"), "-p", str(port)]
    return [*words, *(part for each in settings for part in ("-o", each)), "127.0.0.1"]


if __name__ == "__main__":
    folder, port, command = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    words = ["ssh", "-tt", *options(folder, port), command]
    os.execvp("ssh", words)  # noqa: S606
