"""`decide` + `evolve` of an open and a close, at several numbers of open positions, beside plain fractions."""

from fractions import Fraction

from tests.bench.report import best_of, report, timed
from venue.exchange import machine
from venue.exchange.commands import ClosePosition, Deposit, ListMarket, OpenPosition, Rejection
from venue.exchange.fixed import wad
from venue.exchange.params import MarketParams
from venue.exchange.state import Exchange

OPERATIONS = 2_000
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


def _fractions() -> None:
    """The same arithmetic without an engine around it: fee solve, curve there, curve back."""
    base, quote = Fraction(500_000_000), Fraction(10**12)
    for _ in range(OPERATIONS // 2):
        margin = Fraction(10) / (1 + 5 * Fraction(1, 1000))
        notional = margin * 5
        size = base * notional / (quote + notional)
        base, quote = base - size, quote + notional
        back = quote * size / (base + size)
        base, quote = base + size, quote - back


def step() -> None:
    """Microseconds per operation."""
    baseline = best_of(3, lambda: timed(_fractions)) / OPERATIONS * 1e6
    for positions in (0, 10_000, 1_000_000):
        state = _exchange(positions)
        value = best_of(3, lambda state=state: timed(lambda: _open_and_close(state))) / OPERATIONS * 1e6  # type: ignore[misc]
        report("clearing.step", str(positions), value, "us", "plain fractions, arithmetic only", baseline)
