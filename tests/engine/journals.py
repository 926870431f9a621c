"""Journals of any length, written by the machine itself: a crowd on two curves, and desks that earn and are halted."""

import random
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

from engine import codec
from engine.desks import commands as desks
from engine.world import Command, Fact, World, decide, evolve
from store.journal import Journal
from venue.exchange import commands as exchange
from venue.exchange.commands import Rejection
from venue.exchange.fixed import WAD, wad
from venue.exchange.params import MarketParams

BEGIN_MS = 1_780_000_000_000
STEP_MS = 700
"""Between two transactions."""
_DESKS = tuple(f"0x{number:02x}" + f"{number:02x}" * 19 for number in range(1, 7))
_BATCH = 200


def _founding() -> Iterable[Command]:
    yield exchange.FundInsurance(wad(1_000_000))
    for symbol, price in (("ETH", "2000"), ("BTC", "60000")):
        yield exchange.ListMarket(symbol, MarketParams.anchored(wad(price), wad("50000000")))
    for number, address in enumerate(_DESKS):
        yield desks.EnrollToken(address, f"TOK{number}")


def _next(rng: random.Random, world: World, number: int) -> Command:
    """What somebody does next: mostly trades, some fees, now and then a halt."""
    what = rng.random()
    address = rng.choice(_DESKS)
    if what < 0.05:
        return exchange.AdvanceBlock(1)
    if what < 0.25:
        return desks.BookFees(address, f"f{number:09}", rng.randint(10**5, 10**7), 100_000)
    if what < 0.28:
        halted = world.house.desks[address].halted
        return desks.Resume(address, "ops", f"c{number}") if halted else desks.Halt(address, "ops", f"c{number}")
    held = list(world.exchange.open_positions.values())
    if len(held) > 40 or (held and what < 0.6):
        position = rng.choice(held)
        return exchange.ClosePosition(user=position.user_id, position_id=position.id)
    user, market = f"sim:trader-{rng.randint(1, 30)}", rng.choice(("ETH", "BTC"))
    spent = rng.randint(100, 2_000) * WAD
    return exchange.OpenPosition(
        user=user,
        market=market,
        is_long=rng.random() < 0.5,
        total=spent,
        leverage=Fraction(rng.randint(2, 8)),
        deposit=spent,
    )


async def write(directory: Path, entries: int, seed: int = 1) -> World:
    """A journal of at least so many entries in a directory that has none; the world at its end."""
    rng, world = random.Random(seed), World()
    journal = await Journal.open(directory)
    try:
        assert [entry async for entry in journal.replay()] == []
        at_ms, number, seq = BEGIN_MS, 0, 0
        founding = list(_founding())
        rows: list[tuple[str, str]] = []
        while seq < entries:
            number += 1
            command = founding.pop(0) if founding else _next(rng, world, number)
            facts = decide(world, command)
            for fact in () if isinstance(facts, Rejection) else facts:
                seq += 1
                evolve(world, fact, seq, at_ms)
                rows.append(codec.encode(fact))
            if len(rows) >= (_BATCH if entries > 10_000 else 1):
                await journal.append(rows, at_ms)
                rows = []
            if not rows or entries > 10_000:
                at_ms += STEP_MS
        if rows:
            await journal.append(rows, at_ms)
    finally:
        await journal.close()
    return world


def facts_of(rows: Iterable[tuple[str, str]]) -> list[Fact]:
    """Read back from their journal text."""
    return [codec.decode(*row) for row in rows]
