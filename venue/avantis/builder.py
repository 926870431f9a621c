"""The tx-builder as a client: it is told what is asked in human units, and its answer is held against our own call.

A builder that does not answer is followed by that of the next family: whoever answers, the comparison is the same. One
that refuses has answered, and nobody is asked to get around a limit or a law.

Three answers in ten minutes that could have cost money open the circuit. While it is open nothing that adds risk is
asked for; leaving a position still is, because every answer is compared all the same and not leaving is worse.

What no comparison can tell apart is yesterday's answer to the same question: the same wallet, pair, side, amounts and
slippage, and a price that is within the slippage of today's. Signed, it does what is asked today.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

from venue.avantis.addresses import AVANTIS, BASE, Addresses
from venue.avantis.asked import MOST_FEE, Approve, Asked, Close, Increase, Margin, Open, adopting, expected
from venue.avantis.envelope import MOST_BYTES, BuilderCode, NotOffered, offered
from venue.avantis.units import TEN, USDC, written
from venue.chain.call import Call, Wei
from venue.chain.guard import GuardCode, Offered, Refused, matched
from venue.net.client import Client, NetCode, NetFault

WITHIN_S: Final = 8.0
"""For a whole answer, from the first byte sent to the last byte read."""
REFUSALS: Final = 3
WINDOW_S: Final = 600.0

_HONEST: Final = frozenset(
    {
        *(BuilderCode.UNREACHABLE, BuilderCode.HTTP_STATUS, BuilderCode.DECLINED),
        *(BuilderCode.RATE_LIMITED, BuilderCode.GEO_BLOCKED),
    }
)
"""Ways of saying no that raise no suspicion."""
_ELSEWHERE: Final = frozenset({BuilderCode.UNREACHABLE, BuilderCode.HTTP_STATUS, BuilderCode.TOO_SLOW})
"""What the next family is asked after."""
_NET: Final = {
    NetCode.TOO_SLOW: BuilderCode.TOO_SLOW,
    NetCode.TOO_LARGE: BuilderCode.TOO_LARGE,
    NetCode.COMPRESSED: BuilderCode.COMPRESSED,
}


@dataclass(frozen=True, slots=True)
class Circuit:
    """How far the builder is trusted, for the screen."""

    refusals: int
    """In the last ten minutes."""
    last: BuilderCode | GuardCode | None
    """Why the newest of them was refused."""
    open_for_s: float
    """How long the builder is still left alone; 0 when it is not."""

    @property
    def is_open(self) -> bool:
        return self.open_for_s > 0


class Builder:
    """Asks the tx-builders for calls, in order. `clock` is monotonic seconds."""

    def __init__(
        self,
        clients: Sequence[Client],
        clock: Callable[[], float],
        *,
        addresses: Addresses = AVANTIS,
        most_fee: Wei = MOST_FEE,
        within_s: float = WITHIN_S,
    ) -> None:
        self._clients = tuple(clients)
        self._clock = clock
        self._addresses = addresses
        self._most_fee = most_fee
        self._within_s = within_s
        self._refused_at: list[float] = []
        self._last: BuilderCode | GuardCode | None = None
        self._open_until = float("-inf")

    @property
    def circuit(self) -> Circuit:
        """Its state now."""
        now = self._clock()
        recent = sum(now - at < WINDOW_S for at in self._refused_at)
        return Circuit(recent, self._last if recent else None, max(0.0, self._open_until - now))

    async def call(self, asked: Asked) -> Call:
        """The call for `asked`, compared with our own; the guard has yet to pass it.

        Raises Refused for a call that is not what was asked, NotOffered when there is none.
        """
        ours = expected(asked, self._most_fee, self._addresses)
        if self.circuit.is_open and isinstance(asked, Open | Increase | Approve):
            raise NotOffered(BuilderCode.CIRCUIT_OPEN, f"the builder is left alone after {REFUSALS} refusals")
        try:
            theirs = await self._asked(asked)
            if isinstance(asked, Margin):
                ours = expected(adopting(asked, theirs), self._most_fee, self._addresses)
            return matched(ours, theirs, BASE)
        except (NotOffered, Refused) as refusal:
            self._count(refusal.code)
            raise

    async def _asked(self, asked: Asked) -> Offered:
        path, body = request(asked, self._addresses)
        for client in self._clients[:-1]:
            try:
                return await self._of(client, path, body)
            except NotOffered as none:
                if none.code not in _ELSEWHERE:
                    raise
        return await self._of(self._clients[-1], path, body)

    async def _of(self, client: Client, path: str, body: dict[str, JsonValue]) -> Offered:
        try:
            reply = await client.send("POST", path, body=body, limit=MOST_BYTES, within_s=self._within_s)
        except NetFault as fault:
            raise NotOffered(_NET.get(fault.code, BuilderCode.UNREACHABLE), str(fault)) from None
        return offered(reply)

    def _count(self, code: BuilderCode | GuardCode) -> None:
        if code in _HONEST:
            return
        now = self._clock()
        self._last = code
        self._refused_at = [*(at for at in self._refused_at if now - at < WINDOW_S), now][-REFUSALS:]
        if len(self._refused_at) == REFUSALS:
            self._open_until = now + WINDOW_S


def request(asked: Asked, addresses: Addresses = AVANTIS) -> tuple[str, dict[str, JsonValue]]:
    """Path and body that ask for a call. An approval names its spender and amount: left out, it would be unlimited."""
    body: dict[str, JsonValue] = {"trader": asked.trader}
    if isinstance(asked, Approve):
        return "v2/token/approve", body | {"spender": addresses.storage, "amountUsdc": written(asked.amount, USDC)}
    body["pairIndex"] = asked.pair_index
    if not isinstance(asked, Open):
        body["tradeIndex"] = asked.trade_index
    collateral = written(asked.collateral, USDC)
    match asked:
        case Open():
            body |= {"side": "long" if asked.is_long else "short", "orderType": "market"}
            return "v2/trade/open", body | {"collateralUsdc": collateral} | _terms(asked)
        case Increase():
            return "v2/position/increase", body | {"additionalCollateralUsdc": collateral} | _terms(asked)
        case Close():
            price = written(asked.price, TEN)
            return "v2/trade/close", body | {"collateralToCloseUsdc": collateral, "expectedPrice": price}
        case Margin():
            action = "deposit" if asked.deposits else "withdraw"
            sourced: dict[str, JsonValue] = {"priceSourcing": int(asked.sourcing)}
            return "v2/margin/update", body | {"action": action, "collateralUsdc": collateral} | sourced


def _terms(asked: Open | Increase) -> dict[str, JsonValue]:
    return {
        "leverage": written(asked.leverage, TEN),
        "openPrice": written(asked.price, TEN),
        "slippagePercent": written(asked.slippage, TEN),
    }
