"""Whether a state directory can be trusted: every entry fits, every fold holds, and what is derived equals the fold.

Nothing is written, and an engine may be running on it. `faults` is what must hold of any world, pure; `audit` reads the
journal once and looks at everything beside it on the way.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from engine.desks.accounts import deployed, in_flight
from engine.liquidations.book import LiquidationBook
from engine.replay import fold
from engine.still_world import Unreadable, thaw
from engine.world import World
from store import stills
from store.errors import Damaged
from store.journal import Mark
from store.reader import Reader
from venue.exchange.health import health
from venue.exchange.ledger import EXTERNAL, Ledger
from venue.exchange.state import Exchange, PositionStatus

LOOK_EVERY = 10_000
"""Entries between two looks at the whole world on the way to its end."""
TOLD_EVERY = 1_000
SHOWN = 20
"""Faults of one check that are told one by one."""
Progress = Callable[[int, int], None]


@dataclass(slots=True)
class Finding:
    """One check: how many things were looked at, and what is wrong with them."""

    check: str
    cases: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.faults

    def fault(self, text: str) -> None:
        """One more; only the first `SHOWN` are kept."""
        if len(self.faults) < SHOWN:
            self.faults.append(text)


@dataclass(frozen=True, slots=True)
class Report:
    """What an audit found. `mark` is the last entry that is whole, `world` the one behind it."""

    mark: Mark
    world: World
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        return all(finding.ok for finding in self.findings)


def audit(directory: Path, progress: Progress = lambda _done, _of: None) -> Report:
    """Reads everything in a state directory, up to the newest entry there is by now.

    Raises StoreError when there is no journal or the disk refuses; what is damaged is a finding.
    """
    file, chain = Finding("file"), Finding("chain")
    folds, books, kept = Finding("fold"), Finding("books"), Finding("snapshots")
    world = World()
    with Reader(directory) as reader:
        newest = _newest(reader, chain)
        file.cases = 1
        for words in reader.damage():
            file.fault(words)
        saved = {stills.seq_of(path): path for path in stills.found(directory)}
        try:
            for entry in reader.read(newest):
                chain.cases = entry.seq
                fold(world, entry)
                folds.cases = entry.seq
                if entry.seq % LOOK_EVERY == 0 or entry.seq == newest:
                    _look(world, entry.seq, books)
                if path := saved.pop(entry.seq, None):
                    _compare(path, reader.mark, world, kept)
                if entry.seq % TOLD_EVERY == 0 or entry.seq == newest:
                    progress(entry.seq, newest)
        except Damaged as error:
            (folds if error.code in ("DOES_NOT_FOLD", "UNKNOWN_FACT") else chain).fault(str(error))
        mark = reader.mark
    for path in saved.values():
        if stills.seq_of(path) <= newest or not chain.ok:
            kept.fault(f"{path}: no entry of this journal was compared with it")
    return Report(mark, world, (file, chain, folds, books, kept))


def _newest(reader: Reader, chain: Finding) -> int:
    try:
        return reader.newest()
    except Damaged as error:
        chain.fault(str(error))
        return reader.last()


def _look(world: World, seq: int, books: Finding) -> None:
    books.cases += 1
    for fault in faults(world):
        books.fault(f"behind entry {seq}: {fault}")


def _compare(path: Path, mark: Mark, world: World, kept: Finding) -> None:
    kept.cases += 1
    try:
        file = stills.read(path)
        if file.mark != mark:
            kept.fault(f"{path}: of another journal")
        elif thaw(file.body).world != world:
            kept.fault(f"{path}: not the world that the entries fold to")
    except stills.Unfit as error:
        kept.fault(str(error))
    except Unreadable as error:
        kept.fault(f"{path}: {error}")


def faults(world: World) -> Iterator[str]:
    """What does not hold in a world, one line each; none in a sound one."""
    yield from _ledgers(world)
    yield from _desks(world)
    exchange = [*_positions(world.exchange), *_interest(world.exchange)]
    yield from exchange
    if not exchange:  # the rule knows no answer for positions that cannot be
        yield from _index(world.exchange)


def _ledgers(world: World) -> Iterator[str]:
    """Double entry: all accounts of a ledger sum to zero, and nobody owes who may not."""
    named: dict[str, Ledger] = {"the desks": world.house.ledger, "the clearinghouse": world.exchange.ledger}
    named |= {f"token {token}": ledger for token, ledger in world.exchange.tokens.items()}
    for name, ledger in named.items():
        if total := ledger.total():
            yield f"the ledger of {name} sums to {total}, expected 0"
        for account, amount in ledger.balances.items():
            if amount < 0 and account not in ledger.may_owe and account != EXTERNAL:
                yield f"account {account} of {name} holds {amount}"


def _positions(exchange: Exchange) -> Iterator[str]:
    still_open = {number for number, each in exchange.positions.items() if each.status is PositionStatus.OPEN}
    if still_open != exchange.open_positions.keys():
        yield f"positions {sorted(still_open ^ exchange.open_positions.keys())[:5]} are open in one list only"
    for number, each in exchange.open_positions.items():
        if exchange.positions.get(number) is not each or each.id != number:
            yield f"position {number} is not one thing"
        if min(each.base_size, each.entry_notional, each.margin) <= 0:
            yield f"position {number} has no size, no notional or no margin"
    if exchange.next_position_id <= max(exchange.positions, default=0):
        yield f"the next position would be {exchange.next_position_id}, which there is already"


def _interest(exchange: Exchange) -> Iterator[str]:
    """Open interest is the sum over the open positions."""
    counted: Counter[tuple[str, str]] = Counter()
    for each in exchange.open_positions.values():
        side = "long" if each.is_long else "short"
        counted[each.market, side] += each.entry_notional
        counted[each.market, "base"] += each.base_size if each.is_long else 0
    for symbol, market in exchange.markets.items():
        held = {"long": market.long_open_interest, "short": market.short_open_interest, "base": market.long_base}
        for side, amount in held.items():
            if amount != counted[symbol, side]:
                yield f"{symbol} {side} is {amount}, its positions sum to {counted[symbol, side]}"
        if min(market.base_reserve, market.quote_reserve) <= 0:
            yield f"{symbol} has an empty reserve"


def _index(exchange: Exchange) -> Iterator[str]:
    """The liquidation index finds exactly what a look at every position finds."""
    exact = {
        each.id for each in exchange.open_positions.values() if health(exchange.markets[each.market], each).liquidatable
    }
    found = {due.position_id for due in LiquidationBook(exchange).all_due(exchange)}
    if found != exact:
        yield f"positions {sorted(found ^ exact)[:5]} are liquidatable by the index or by the rule, not by both"


def _desks(world: World) -> Iterator[str]:
    """What stands in a position is at cost in the books, and at risk on its market."""
    house = world.house
    staked = 0
    for address, desk in house.desks.items():
        stands, underway = house.ledger[deployed(address)], house.ledger[in_flight(address)]
        staked += stands + underway
        if stands and desk.ref is None:
            yield f"desk {desk.called} has {stands} deployed and no position"
        if underway and desk.order is None:
            yield f"desk {desk.called} has {underway} in flight and no order"
    if house.at_risk.total() != staked:
        yield f"{house.at_risk.total()} is at risk by the markets, {staked} by the desks"
