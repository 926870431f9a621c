"""Orders as transactions of our own: built, compared, passed, sent, and followed until the keepers have acted."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, assert_never

from venue.avantis.addresses import AVANTIS, Addresses
from venue.avantis.asked import Asked, Close, Increase, Open, Order
from venue.avantis.builder import Builder
from venue.avantis.endings import History, ending_of
from venue.avantis.envelope import NotOffered
from venue.avantis.registered import Ambiguous, Cancellation, Execution, asked_of, registration
from venue.chain.agreed import AgreedNode
from venue.chain.envelope import RpcError
from venue.chain.facts import Result
from venue.chain.guard import Guard, Refused
from venue.chain.sender import Sender, Unsent
from venue.chain.state import Ended, Tx


class RouteCode(StrEnum):
    """Why an order has and will have no effect; stable. Refusals of builder and guard keep their own codes."""

    NEVER_SENT = "NEVER_SENT"
    NO_CHAIN = "NO_CHAIN"
    REVERTED = "REVERTED"
    GIVEN_UP = "GIVEN_UP"
    KEY_SHARED = "KEY_SHARED"
    CANCELED = "CANCELED"


@dataclass(frozen=True, slots=True)
class NoEffect:
    """The order had and will have no effect."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class UnderWay:
    """The venue has it, or will."""


@dataclass(frozen=True, slots=True)
class Unclear:
    """Nobody can tell yet. `why` is for a person; when `stuck`, only a person can find out."""

    why: str
    stuck: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """The venue executed it."""

    asked: Order
    execution: Execution


Ending = NoEffect | UnderWay | Unclear | Done


class Route(Protocol):
    """A way to send orders. An id makes an order happen at most once."""

    async def send(self, order_id: str, asked: Order) -> NoEffect | None:
        """Sends it, or says why nothing was sent."""
        ...

    async def ending(self, order_id: str) -> Ending:
        """What became of it."""
        ...


class DirectRoute:
    """Route over transactions of the wallet itself; needs gas. Whatever ends an order lies `confirmations` deep."""

    def __init__(
        self,
        wallet: str,
        builder: Builder,
        guard: Guard,
        sender: Sender,
        node: AgreedNode,
        history: History,
        confirmations: int,
        addresses: Addresses = AVANTIS,
    ) -> None:
        self._wallet = wallet
        self._builder = builder
        self._guard = guard
        self._sender = sender
        self._node = node
        self._history = history
        self._confirmations = confirmations
        self._addresses = addresses

    async def send(self, order_id: str, asked: Asked) -> NoEffect | None:
        """Sends it, or says why nothing was signed."""
        try:
            passed = await self._guard.passes(await self._builder.call(asked))
            refusal = await self._sender.send(order_id, passed)
        except (NotOffered, Refused) as refused:
            return NoEffect(refused.code, str(refused))
        except RpcError as error:
            return NoEffect(RouteCode.NO_CHAIN, f"{error.code}: {error}")
        return NoEffect(refusal.code, refusal.detail) if refusal else None

    async def knows(self, order_id: str) -> bool:
        return not isinstance(await self._sender.standing(order_id), Unsent)

    async def ending(self, order_id: str) -> Ending:
        """What became of it, by the chain; never raises what the chain or the venue raise."""
        standing = await self._sender.standing(order_id)
        match standing:
            case Unsent():
                return NoEffect(RouteCode.NEVER_SENT, "nothing was ever signed for it")
            case Tx():
                return UnderWay()
            case Ended():
                return await self._ended(standing)
            case _:
                assert_never(standing)

    async def _ended(self, tx: Ended) -> Ending:
        match tx.result:
            case Result.CANCELLED:
                return NoEffect(RouteCode.GIVEN_UP, "no block took it in time; its nonce is spent")
            case Result.TAKEN:
                return NoEffect(RouteCode.KEY_SHARED, f"somebody else used nonce {tx.nonce} of the wallet")
            case Result.REVERTED:
                return NoEffect(RouteCode.REVERTED, f"the contract refused it in {tx.hash}")
            case Result.DONE:
                try:
                    return await self._registered(tx)
                except Ambiguous as error:
                    return Unclear(str(error), stuck=True)
                except RpcError as error:
                    return Unclear(f"{error.code}: {error}")

    async def _registered(self, tx: Ended) -> Ending:
        receipt = await self._node.receipt(tx.hash)
        if receipt is None:
            return Unclear(f"the chain does not show {tx.hash} any more")
        order = registration(receipt, asked_of(tx.reserved, self._wallet), self._addresses)
        deep = (await self._node.deep(self._confirmations)).number
        if deep < order.block:
            return UnderWay()
        found = await ending_of(self._node, self._history, order, tx.hash, deep, self._addresses)
        if found is None:
            return UnderWay()
        if isinstance(found, Cancellation):
            return NoEffect(RouteCode.CANCELED, f"the venue gave order {order.order_id} back")
        return Done(order.asked, found)


def slot_of(asked: Order, execution: Execution) -> tuple[int, int]:
    """Pair and index of the position that an executed order was about."""
    match asked:
        case Open():
            return asked.pair_index, execution.trade_index
        case Increase() | Close():
            return asked.pair_index, asked.trade_index
