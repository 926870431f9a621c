"""Every reason the pool gives is given in a test of this room."""

import re
from pathlib import Path

from venue.exchange import pool
from venue.exchange.reasons import Reason


def named(room: Path, pattern: str) -> set[str]:
    """What is named so in the modules of a room."""
    return {
        name for path in sorted(room.glob(pattern)) for name in re.findall(r"\bReason\.([A-Z_]+)", path.read_text())
    }


def test_every_reason_is_seen() -> None:
    raised = named(Path(pool.__file__).parent, "*.py")
    assert raised <= set(Reason.__members__)
    assert raised - named(Path(__file__).parent, "test_*.py") == set()
