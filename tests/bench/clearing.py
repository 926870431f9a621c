"""`decide` + `evolve` of an open and a close, at several numbers of open positions, beside plain fractions."""

from fractions import Fraction

from tests.bench.report import best_of, report, timed
from tests.venue.exchange.model import Model
from venue.exchange import machine
from venue.exchange.commands import ClosePosition, Deposit, ListMarket, OpenPosition, Rejection
from venue.exchange.fixed import wad
from venue.exchange.params import MarketParams
from venue.exchange.state import Exchange

OPERATIONS = 2_000
BASELINE = 200
"""Fewer, because fractions grow with every operation."""
TOTAL, LEVERAGE = wad("10"), Fraction(5)


def _exchange(positions: int) -> Exchange:
    state = Exchange()
    _do(state, ListMarket("ETH", MarketParams.anchored(wad("2000"), wad("1000000000000"))))
    _do(state, Deposit("a", wad("1000000000000")))
    for number in range(positions):
        _do(state, OpenPosition(user="a", market="ETH", is_long=number % 2 == 0, total=TOTAL, leverage=LEVERAGE))
    return state


def _do(state: Exchange, command: object) -> None:
    answer = machine.decide(state, command)  # type: ignore[arg-type]
    assert not isinstance(answer, Rejection), answer
    for fact in answer:
        machine.evolve(state, fact)


def _open_and_close(state: Exchange) -> None:
    for _ in range(OPERATIONS // 2):
        position = state.next_position_id
        _do(state, OpenPosition(user="a", market="ETH", is_long=True, total=TOTAL, leverage=LEVERAGE))
        _do(state, ClosePosition(user="a", position_id=position))


def _fractions(operations: int) -> None:
    """The same operations on the exact model of the tests."""
    model = Model({}, grid=False)
    assert model.apply({"op": "deposit", "user": "a", "amount": "1000000"})["ok"]
    for number in range(operations // 2):
        opened = {"op": "open", "user": "a", "side": "long", "total": "10", "leverage": "5"}
        assert model.apply(opened)["ok"]
        assert model.apply({"op": "close", "user": "a", "position": number + 1})["ok"]


def step() -> None:
    """Microseconds per operation."""
    baseline = best_of(3, lambda: timed(lambda: _fractions(BASELINE))) / BASELINE * 1e6
    for positions in (0, 10_000, 1_000_000):
        state = _exchange(positions)
        value = best_of(3, lambda state=state: timed(lambda: _open_and_close(state))) / OPERATIONS * 1e6  # type: ignore[misc]
        report("clearing.step", str(positions), value, "us", "plain fractions, same operations", baseline)
