"""What every command says about itself."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """`id` makes a repetition harmless; `seen_seq` is the newest fact the asker had seen, `expires_at_ms` (unix ms)
    the end of their meaning it."""

    id: str
    who: str
    seen_seq: int
    expires_at_ms: int
