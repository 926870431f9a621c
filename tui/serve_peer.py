"""Whose process is at the other end of a connection on this machine, as Linux tells it.

`ssh -L` connects as the user who logged in, so everybody who comes through a tunnel is told apart as well.
"""

import asyncio
import socket
import sys
from pathlib import Path

_TABLE = Path("/proc/net/tcp")
_ESTABLISHED = "01"
Address = tuple[str, int]
"""IPv4 and port."""


def owner(table: str, theirs: Address, ours: Address) -> int | None:
    """The user id in a table like `/proc/net/tcp`; None where the connection is not in it, or is half closed: then
    the kernel has forgotten whose it was."""
    _, found, rest = table.partition(f": {_packed(theirs)} {_packed(ours)} {_ESTABLISHED} ")
    return int(rest.split(maxsplit=4)[3]) if found else None


def _packed(address: Address) -> str:
    host, port = address
    return f"{int.from_bytes(socket.inet_aton(host), sys.byteorder):08X}:{port:04X}"


async def owner_of(theirs: Address, ours: Address) -> int | None:
    """The user id behind a connection to us; None where that cannot be known."""
    try:
        table = await asyncio.to_thread(_TABLE.read_text, "ascii")
    except OSError:
        return None  # no Linux
    return owner(table, theirs, ours)
