"""Who is at this machine: by user id, because the environment can claim any name."""

import os
import pwd
from importlib.metadata import version

from engine.port import Info


def user_name(uid: int) -> str:
    """The name of a user; a number where the system has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid-{uid}"


def local_operator() -> str:
    """The user perpdesk runs as."""
    return user_name(os.getuid())


def local_info() -> Info:
    """What a front end in the engine's own process is told."""
    return Info(version("perpdesk"), "operator", local_operator())
