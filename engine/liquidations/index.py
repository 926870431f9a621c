"""The positions of one market, found by what a move has crossed instead of by looking at all of them."""

from collections.abc import Iterable, Iterator
from heapq import heappush, heapreplace, merge
from math import exp, inf, log
from typing import NamedTuple

from engine.liquidations.fence import Fence
from engine.liquidations.regions import CLASSES, REACH, Buckets, Moment, Region, least_gearing, region
from venue.exchange.clearinghouse import liquidation_fee
from venue.exchange.health import Health, health
from venue.exchange.params import MarketParams
from venue.exchange.state import Market, Position

_LONG, _SHORT = 0, CLASSES
_CARRY_HIGH, _CARRY_LOW, _PRICE_HIGH, _PRICE_LOW = range(2 * CLASSES, 2 * CLASSES + 4)
_FARTHEST = 1e5
"""Carry from the origin, in shares of notional, at which floats would begin to lose what they are padded for."""
_K_PARTS = 1_000_000
"""k may be smaller by one of these than where a region was made (`DEPTH_PAD`)."""


class Due(NamedTuple):
    """A position that may be liquidated; ascending is the order in which keepers take them."""

    cover: float
    """Equity per margin."""
    less_fee: int
    """The fee in 1e-18, negative."""
    position_id: int
    open_block: int


class LiquidationIndex:
    """Follows one market's open positions. Whoever changes a position says so: `put` after an open, an increase or a
    reduction, `remove` after its end. The positions stay the caller's; moves of the market need not be told."""

    def __init__(self, positions: Iterable[Position] = ()) -> None:
        self._fences = tuple(Fence() for _ in range(2 * CLASSES + 4))
        self._live: dict[int, Position] = {}
        """Positions with a region, by the serial of the region."""
        self._serials: dict[int, int] = {}
        self._near: dict[int, Position] = {}
        """Positions without one: asked exactly at every look."""
        self.looked = 0
        """Looks at single positions since the beginning, for whoever counts the work."""
        self._serial = 0
        self._buckets: Buckets | None = None
        self._params: MarketParams | None = None
        self._origin = 0
        self._k = 0
        self._top = inf
        self._at: tuple[int, int, int, MarketParams] | None = None
        self._asked: list[tuple[Position, Health]] = []
        """What the last look came to, at `_at`: while the market stays as it was, nobody is asked again."""
        for position in positions:
            self.put(position)

    def __len__(self) -> int:
        return len(self._live) + len(self._near)

    @property
    def near(self) -> int:
        """Positions that every look asks exactly: those that are due, and those within rounding of it."""
        return len(self._near)

    @property
    def held(self) -> int:
        """Limits in memory, those included whose position has moved on or ended."""
        return sum(map(len, self._fences))

    def put(self, position: Position) -> None:
        """A position that is new, or whose size, entry, margin or carry snapshot changed."""
        self.remove(position.id)
        self._near[position.id] = position

    def remove(self, position_id: int) -> None:
        """A position that has ended; one that is not here is no error."""
        self._at = None
        self._near.pop(position_id, None)
        serial = self._serials.pop(position_id, None)
        if serial is not None:
            del self._live[serial]

    def due(self, market: Market) -> list[int]:
        """Ids of exactly the positions that the exchange calls liquidatable at the market's present state: least equity
        per margin first, then largest fee, then id. Raises what `health` raises."""
        return [due.position_id for due in sorted(self.all_due(market))]

    def all_due(self, market: Market) -> list[Due]:
        """Those of `due` with what orders them, in no order."""
        return [
            Due(
                state.exit.equity / position.margin,
                -liquidation_fee(market, state.exit.close_notional),
                position.id,
                position.open_block,
            )
            for position, state in self._look(market)
            if state.liquidatable
        ]

    def nearest(self, market: Market, count: int, most: int | None = None) -> list[tuple[Position, Health]]:
        """The `count` positions with the largest loss share, largest first, then largest id.

        Asks the exact rule of no more than `most` positions besides those without a region (`8 x count + 64` unless
        told). Short of that the answer is the full scan's, positions of under a million units of margin aside, whose
        shares are rounding; at it, rows may be missing, though none that is due.
        """
        if count <= 0:
            return []
        found: list[tuple[float, int, Position, Health]] = []

        def take(position: Position, state: Health) -> None:
            row = (state.loss_share, position.id, position, state)
            if len(found) < count:
                heappush(found, row)
            elif row[:2] > found[0][:2]:
                heapreplace(found, row)

        for position, state in self._look(market):
            take(position, state)
        left = 8 * count + 64 if most is None else most
        for least_spare, serial in self._by_share(Moment.of(market, self._buckets_of(market), self._origin)):
            if not left or (len(found) == count and found[0][0] > 1 - least_spare):
                break
            left -= 1
            position = self._live[serial]
            take(position, health(market, position))
        return [(position, state) for _, _, position, state in sorted(found, key=lambda row: row[:2], reverse=True)]

    def _by_share(self, now: Moment) -> Iterator[tuple[float, int]]:
        """Serials with the least share of the allowed loss that each has left, ascending."""
        sides = []
        for number in range(CLASSES):
            unit = least_gearing(number)
            longs, shorts = self._fences[_LONG + number], self._fences[_SHORT + number]
            sides.append(_spare(longs.ascending(self._live), unit, now.sheared, 1))
            sides.append(_spare(shorts.ascending(self._live), unit, -now.sheared, -1))
        return merge(*sides)

    def _look(self, market: Market) -> list[tuple[Position, Health]]:
        """Crosses what the market's move has crossed; the positions without a region then, with their exact health."""
        at = (market.base_reserve, market.quote_reserve, market.cumulative_carry_index, market.params)
        if self._at is not None and self._at[:3] == at[:3] and self._at[3] is at[3]:
            return self._asked
        self._at = None
        now = self._arrive(market)
        self._cross(now)
        waiting, self._near = self._near, {}  # a dict keeps the size it once had: emptied in place it is slow to walk
        asked = []
        try:
            while waiting:
                _, position = waiting.popitem()
                self.looked += 1
                safe = region(now, position)
                if safe is None:
                    self._near[position.id] = position
                    asked.append((position, health(market, position)))
                else:
                    self._fence(position, safe)
        finally:
            self._near.update(waiting)
        self._at, self._asked = at, asked
        return asked

    def _arrive(self, market: Market) -> Moment:
        """The market's coordinates, after every region was dropped if what they stand on has gone."""
        now = Moment.of(market, self._buckets_of(market), self._origin)
        k = market.k
        if now.log_price >= self._top or abs(now.carry) > _FARTHEST or k * _K_PARTS < self._k * (_K_PARTS - 1):
            self._forget()
            self._origin, self._k = market.cumulative_carry_index, 0
            now = Moment.of(market, self._buckets_of(market), self._origin)
        self._k = max(self._k, k)
        self._top = min(self._top, now.log_price + log(REACH))
        return now

    def _buckets_of(self, market: Market) -> Buckets:
        if self._buckets is None or self._params is not market.params:
            self._forget()
            self._buckets, self._params = Buckets.of(market.params), market.params
            self._origin = market.cumulative_carry_index
        return self._buckets

    def _forget(self) -> None:
        """Every position is without a region."""
        self._near.update((position.id, position) for position in self._live.values())
        self._live.clear()
        self._serials.clear()
        self._fences = tuple(Fence() for _ in self._fences)
        self._top = inf

    def _cross(self, now: Moment) -> None:
        fall, rise = -now.sheared, now.sheared
        sides = (now.carry, -now.carry, now.log_price, -now.log_price)
        for fence in self._fences[_LONG:_SHORT]:
            if fence.first <= fall:
                self._free(fence.reached(fall))
        for fence in self._fences[_SHORT:_CARRY_HIGH]:
            if fence.first <= rise:
                self._free(fence.reached(rise))
        for fence, value in zip(self._fences[_CARRY_HIGH:], sides, strict=True):
            if fence.first <= value:
                self._free(fence.reached(value))

    def _free(self, serials: list[int]) -> None:
        for serial in serials:
            position = self._live.pop(serial, None)
            if position is not None:
                del self._serials[position.id]
                self._near[position.id] = position

    def _fence(self, position: Position, safe: Region) -> None:
        self._serial += 1
        serial, live, fences = self._serial, self._live, self._fences
        live[serial] = position
        self._serials[position.id] = serial
        if position.is_long:
            fences[_LONG + safe.gearing].add(-safe.sheared, serial, live)
        else:
            fences[_SHORT + safe.gearing].add(safe.sheared, serial, live)
        fences[_CARRY_HIGH].add(safe.carry_high, serial, live)
        fences[_CARRY_LOW].add(-safe.carry_low, serial, live)
        if safe.price_high < inf:
            fences[_PRICE_HIGH].add(safe.price_high, serial, live)
        if safe.price_low > -inf:
            fences[_PRICE_LOW].add(-safe.price_low, serial, live)


def _spare(entries: Iterable[tuple[float, int]], unit: float, sheared: float, side: int) -> Iterator[tuple[float, int]]:
    """From limits of the signed sheared price to the least share of the allowed loss that is left there."""
    for limit, serial in entries:
        yield unit * side * (exp(side * (limit + sheared)) - 1), serial
