"""What the wallet's journal says of collections and claims. Pure: their ids are all that is needed after a crash."""

import re
from dataclasses import dataclass, field
from typing import Final

from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address

from venue.chain.facts import Result
from venue.chain.state import Chain, Ended, Tx

PREFIX: Final = "fees/"
KEPT_CLAIMS: Final = 50
"""Most claims that matter: the newest ones."""
_TX_ID: Final = re.compile(r"fees/(?P<number>\d+)/(?:collect/(?P<token>0x[0-9a-fA-F]{40})|claim)")


@dataclass(slots=True)
class Ids:
    """The ids that may be in the journal, each kind in the order they were made."""

    number: int = 0
    collects: dict[ChecksumAddress, list[str]] = field(default_factory=dict)
    """By launch."""
    claims: list[str] = field(default_factory=list)

    def collect(self, token: ChecksumAddress) -> str:
        """A new one."""
        self.number += 1
        tx_id = f"{PREFIX}{self.number}/collect/{token}"
        self.collects.setdefault(token, []).append(tx_id)
        return tx_id

    def claim(self) -> str:
        """A new one."""
        self.number += 1
        tx_id = f"{PREFIX}{self.number}/claim"
        self.claims.append(tx_id)
        del self.claims[:-KEPT_CLAIMS]
        return tx_id

    def forget_before(self, token: ChecksumAddress, tx_id: str) -> None:
        """Collections older than one that is booked are booked as well."""
        tx_ids = self.collects[token]
        del tx_ids[: tx_ids.index(tx_id)]


@dataclass(frozen=True, slots=True)
class Books:
    """Collections and claims that have a nonce. A claim takes all that collections of lower nonces stored."""

    collects: dict[ChecksumAddress, tuple[Ended, ...]]
    """Those that succeeded, for good, newest first."""
    claims: tuple[Ended, ...]
    """Those that succeeded, for good, oldest first."""
    collecting: int
    claiming: int
    """How many have not ended."""

    @property
    def claimed_to(self) -> int:
        """The nonce of the newest claim that is done, or -1: whatever was collected below it has arrived."""
        return self.claims[-1].nonce if self.claims else -1


def ids_of(chain: Chain) -> Ids:
    """All that an earlier process made."""
    found: list[tuple[int, str, str]] = []
    for tx_id in (*chain.ended, *chain.open):
        if tx_id.startswith(PREFIX) and (match := _TX_ID.fullmatch(tx_id)):
            found.append((int(match["number"]), tx_id, match["token"] or ""))
    ids = Ids()
    for number, tx_id, token in sorted(found):
        ids.number = number
        (ids.collects.setdefault(to_checksum_address(token), []) if token else ids.claims).append(tx_id)
    return ids


def books(chain: Chain, ids: Ids) -> Books:
    """What became of them."""
    collects = {token: _done(chain, tx_ids) for token, tx_ids in ids.collects.items()}
    return Books(
        {token: tuple(reversed(done)) for token, done in collects.items() if done},
        _done(chain, ids.claims),
        sum(_open(chain, tx_ids) for tx_ids in ids.collects.values()),
        _open(chain, ids.claims),
    )


def _done(chain: Chain, tx_ids: list[str]) -> tuple[Ended, ...]:
    ended = (chain.ended.get(tx_id) for tx_id in tx_ids)
    done = [each for each in ended if each is not None and each.result is Result.DONE]
    return tuple(sorted(done, key=lambda each: each.nonce))


def _open(chain: Chain, tx_ids: list[str]) -> int:
    return sum(isinstance(chain.open.get(tx_id), Tx) for tx_id in tx_ids)
