"""What to do about refusals of the builder, of our own price and of an order's terms; one line each."""

from typing import Final

_LIES: Final = "the builder answers otherwise than it should: repeat it later, or put another family into avantis.hosts"
_REMEDIES: Final = {
    "BUILDER_UNREACHABLE": "check the network and avantis.hosts, then repeat it",
    "BUILDER_TOO_SLOW": "repeat it in a while",
    "BUILDER_RATE_LIMITED": "repeat it in a minute",
    "BUILDER_GEO_BLOCKED": "do not trade from here; perpdesk does not work around it",
    "BUILDER_HTTP_STATUS": "the builder fails: repeat it in a while",
    "BUILDER_DECLINED": "see `positions`, `pairs` and the allowance, then repeat it",
    "BUILDER_CIRCUIT_OPEN": "repeat it in ten minutes",
    "NO_PRICE": "see the line `hermes` of `perpdesk doctor`",
    "NO_CHAIN": "see the lines `endpoint` of `perpdesk doctor`, then repeat it",
    "WRONG_NOTIONAL": "change the collateral or the leverage",
    "WRONG_LEVERAGE": "change --leverage",
    "WRONG_SHARE": "change --share, or leave it out to close all of it",
}
SILENT: Final = frozenset({"BUILDER_UNREACHABLE", "BUILDER_TOO_SLOW", "NO_CHAIN"})
"""Nobody answered; before anything was signed."""


def told(code: str, text: str) -> str:
    """A refusal, and what to do about it where that is known."""
    remedy = _REMEDIES.get(code) or (_LIES if code.startswith("BUILDER_") else "")
    return f"{code}: {text}; {remedy}" if remedy else f"{code}: {text}"
