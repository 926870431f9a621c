"""The indexes of an exchange follow its facts: after every operation they answer as a scan of the exchange does."""

from fractions import Fraction
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from engine.liquidations.book import LiquidationBook
from tests.engine.liquidations.books import scan
from tests.venue.exchange.generate import Scenario, histories, history
from tests.venue.exchange.market import LITERAL, apply, wad
from venue.exchange import commands
from venue.exchange.commands import Rejection
from venue.exchange.health import health
from venue.exchange.machine import Fact
from venue.exchange.scenario.config import configured
from venue.exchange.scenario.simulation import Simulation
from venue.exchange.state import Exchange


class Followed(Simulation):
    """A simulation whose facts a book follows."""

    book: LiquidationBook

    def apply(self, command: Any) -> tuple[Fact, ...] | Rejection:
        answer = super().apply(command)
        for fact in () if isinstance(answer, Rejection) else answer:
            self.book.follow(self.exchange, fact)
        return answer


def full(exchange: Exchange) -> list[int]:
    """What the exchange would liquidate now, by looking at every position."""
    return [
        number
        for symbol, market in exchange.markets.items()
        for number in scan(market, {p.id: p for p in exchange.open_positions.values() if p.market == symbol})
        if exchange.positions[number].open_block != exchange.current_block
    ]


def play(scenario: Scenario) -> int:
    """Plays it, comparing after every operation; how many liquidations were seen coming."""
    followed = Followed(Exchange(), "SIM")
    followed.book = LiquidationBook(followed.exchange)
    followed.apply(commands.ListMarket("SIM", configured(scenario["config"])))
    seen = 0
    for op in scenario["ops"]:
        followed.run(op)
        exchange = followed.exchange
        due = followed.book.due(exchange)
        assert due == full(exchange), op
        assert len(followed.book) == len(exchange.open_positions)
        assert LiquidationBook(exchange).due(exchange) == due
        seen += len(due)
    return seen


@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(histories())
def test_histories_that_hypothesis_writes(scenario: Scenario) -> None:
    play(scenario)


@pytest.mark.parametrize("temper", ["calm", "wild", "raid", "slow", "dry"])
def test_long_histories(temper: str) -> None:
    seen = sum(play(history(Random(seed), 150, temper=temper)) for seed in range(3))
    assert seen > 10 or temper == "calm"


def test_markets_together_worst_first_and_not_in_the_block_that_opened() -> None:
    exchange = Exchange()
    book = LiquidationBook(exchange)

    def do(command: Any) -> None:
        answer = apply(exchange, command)
        assert not isinstance(answer, Rejection), answer
        for fact in answer:
            book.follow(exchange, fact)

    for symbol in ("A", "B"):
        do(commands.ListMarket(symbol, LITERAL))
    do(commands.Deposit("u", wad("100000")))
    for symbol, total in (("A", "180"), ("B", "200")):
        for is_long in (True, False):
            leverage = Fraction(25 if is_long else 10)
            do(commands.OpenPosition(user="u", market=symbol, is_long=is_long, total=wad(total), leverage=leverage))
    shares = sorted(
        ((health(exchange.markets[p.market], p).loss_share, p.id) for p in exchange.open_positions.values()),
        reverse=True,
    )
    assert [each.id for each, _ in book.nearest(exchange, 3)] == [number for _, number in shares[:3]]
    assert [number for share, number in shares if share > 1] == [3, 1]
    assert book.due(exchange) == []
    do(commands.AdvanceBlock(1))
    assert book.due(exchange) == [3, 1]
    do(commands.LiquidatePosition("k", 3))
    assert book.due(exchange) == [1]
    assert len(book) == 3
