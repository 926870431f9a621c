"""How much a test tries: little in `make test`, more in `make proof SHORT=1`, all in `make proof`; and the seed it
begins with."""

import os
from collections.abc import Callable
from typing import Final

_FORMS: Final = ("", "short", "long")
# Not PERPDESK_*: an engine in the same process refuses settings that it does not know.
FORM: Final = _FORMS.index(os.environ.get("PROOF_FORM", ""))
SEED: Final = int(os.environ.get("PROOF_SEED", "0"))
"""Histories are numbered from here on."""
Progress = Callable[[str], None]
"""Told how far a run has come, again and again."""


def scaled(test: int, short: int, long: int) -> int:
    """As many as this run tries."""
    return (test, short, long)[FORM]
