"""A process whose memory nobody reads: it leaves no core file, and no other process of the same user looks into it."""

import resource
import sys
from typing import Final

_PR_SET_DUMPABLE: Final = 4


def undumped() -> None:
    """From here on, for this process; the limit on core files holds for those it starts as well."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        import ctypes

        # A core that is piped to a collector heeds no limit; this does, and closes /proc/PID/environ and mem as well.
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
