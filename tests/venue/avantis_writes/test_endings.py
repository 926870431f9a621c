"""What the chain must show before a cancellation is believed that only the history can name."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, cast

import pytest

from tests.venue.avantis_writes.relay_stand import OPENED, WALLET
from tests.venue.avantis_writes.signed_stand import CLOSING
from venue.avantis.addresses import AVANTIS
from venue.avantis.asked import Increase, Order
from venue.avantis.contracts import MARKET_ORDER_INITIATED
from venue.avantis.endings import ending_of
from venue.avantis.orders import Canceled, OrderStatus
from venue.avantis.registered import Ambiguous, Cancellation, Registration
from venue.avantis.units import TEN, USDC
from venue.chain.agreed import AgreedNode
from venue.chain.answers import Log
from venue.chain.call import Call
from venue.chain.erc20 import TRANSFERRED

REGISTERED, ENDED, LAST = 50, 60, 100
NUMBER: Final = 123_456
GROWING: Final = Increase(WALLET, 0, 3, 100 * USDC, TEN, TEN, TEN)


def word(number: int | str) -> bytes:
    return (int(number, 16) if isinstance(number, str) else number).to_bytes(32, "big")


def said(number: int = NUMBER, trader: str = WALLET, topic: bytes = b"\x77" * 32, tx: str = "0xa") -> Log:
    """A log of the contract in a shape that nobody has described."""
    return Log(AVANTIS.trading, (topic, word(trader)), word(5) + word(number), ENDED, "0xb", tx, 1)


def paid(amount: int = 100 * USDC, to: str = WALLET, sender: str = AVANTIS.storage, tx: str = "0xa") -> Log:
    return Log(AVANTIS.usdc, (TRANSFERRED.topic, word(sender), word(to)), word(amount), ENDED, "0xb", tx, 0)


@dataclass
class Node:
    """What a quorum agrees on."""

    told: tuple[Log, ...] = (said(),)
    money: tuple[Log, ...] = (paid(),)
    before: bytes = b"\x01" * 352
    after: bytes = b"\x01" * 352

    async def logs(self, address: str, topics: Sequence[Any], first: int, last: int) -> tuple[Log, ...]:
        wanted = [each if isinstance(each, list) else [each] for each in topics]
        return tuple(
            log
            for log in (*self.told, *self.money)
            if log.address == address
            and first <= log.block <= last
            and all(topic in each for topic, each in zip(log.topics, wanted, strict=False))
        )

    async def call_at(self, call: Call, sender: str, block: int) -> bytes:
        assert (call.to, sender) == (AVANTIS.storage, WALLET)
        return {REGISTERED - 1: self.before, ENDED: self.after}[block]


async def found(node: Node, asked: Order, status: OrderStatus | None = None) -> Any:
    async def history(_: str) -> OrderStatus:
        return status or Canceled(NUMBER, None, ENDED)

    return await ending_of(cast(AgreedNode, node), history, Registration(NUMBER, REGISTERED, asked), "0xc", LAST)


@pytest.mark.parametrize("asked", [OPENED, GROWING, CLOSING])
async def test_what_chain_and_history_both_tell_is_believed(asked: Order) -> None:
    assert await found(Node(), asked) == Cancellation(ENDED)


@pytest.mark.parametrize("asked", [OPENED, GROWING, CLOSING])
@pytest.mark.parametrize(
    "status",
    [
        Canceled(NUMBER, None, 1),
        Canceled(NUMBER, None, REGISTERED - 1),
        Canceled(NUMBER, None, None),
        Canceled(NUMBER + 1, None, ENDED),
        Canceled(None, None, ENDED),
        Canceled(NUMBER, None, ENDED + 1),
    ],
)
async def test_a_history_that_names_another_order_or_block_is_not(asked: Order, status: OrderStatus) -> None:
    with pytest.raises(Ambiguous, match="the history says"):
        await found(Node(), asked, status)


@pytest.mark.parametrize("asked", [OPENED, GROWING])
@pytest.mark.parametrize(
    "money",
    [(), (paid(100 * USDC - 1),), (paid(to="0x" + "22" * 20),), (paid(sender="0x" + "22" * 20),), (paid(tx="0xd"),)],
    ids=["nothing", "less", "to another", "of another", "for something else"],
)
async def test_without_the_money_nothing_was_given_back(asked: Order, money: tuple[Log, ...]) -> None:
    with pytest.raises(Ambiguous, match="does not show it there"):
        await found(Node(money=money), asked)


@pytest.mark.parametrize("asked", [OPENED, GROWING, CLOSING])
@pytest.mark.parametrize(
    "told",
    [(), (said(NUMBER + 1),), (said(trader="0x" + "22" * 20),), (said(topic=MARKET_ORDER_INITIATED.topic),)],
    ids=["nothing", "of another order", "of another trader", "a registration"],
)
async def test_without_a_log_of_the_order_nothing_ended(asked: Order, told: tuple[Log, ...]) -> None:
    with pytest.raises(Ambiguous, match="does not show it there"):
        await found(Node(told=told), asked)


@pytest.mark.parametrize("after", [b"", bytes(352), b"\x01" * 351 + b"\x02"])
async def test_a_close_that_was_given_back_left_its_position_alone(after: bytes) -> None:
    with pytest.raises(Ambiguous, match="does not show it there"):
        await found(Node(after=after), CLOSING)
    with pytest.raises(Ambiguous, match="does not show it there"):
        await found(replace(Node(after=after), before=b"", after=b""), CLOSING)


async def test_what_the_history_dates_later_than_what_stays_is_waited_for() -> None:
    assert await found(Node(), OPENED, Canceled(NUMBER, None, LAST + 1)) is None
