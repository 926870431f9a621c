"""A process whose memory nobody reads: it leaves no core file, no other process of the same user looks into it, and no
library starts another one with its environment."""

import platform
import resource
import sys
from typing import Final

_PR_SET_DUMPABLE: Final = 4


def _architecture(executable: str = sys.executable, bits: str = "", linkage: str = "") -> tuple[str, str]:
    """What a library for signatures asks as it is loaded; the original starts `file`, which would be told every key."""
    return bits or ("64bit" if sys.maxsize > 2**32 else "32bit"), linkage or "ELF"


def undumped() -> None:
    """From here on, for this process; the limit on core files holds for those it starts as well."""
    platform.architecture = _architecture
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        import ctypes

        # A core that is piped to a collector heeds no limit; this does, and closes /proc/PID/environ and mem as well.
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
