"""The places of a run with real money."""

from collections.abc import Collection
from dataclasses import dataclass

from eth_utils.address import to_checksum_address

from engine.clock import Clock
from engine.config import Settings
from engine.feed import Feed
from engine.live.doors import ChainDoor, claims_of
from engine.live.money import Money, ages, money_of
from engine.live.wiring import Reading, Trading, reading, trading
from engine.places import Loop, Pair, Places
from engine.settlement import Settlement
from engine.worker import Cadence
from venue.avantis.claims import Claim
from venue.avantis.units import TEN, TO_WAD, USDC
from venue.chain.signer import Signer

SENDER = Cadence(1.5, 2.0)
POSITIONS = Cadence(2.5, 3.5)
MONEY = Cadence(4.0, 6.0)
TRUST = Cadence(500, 700)
_PERCENT = 100 * TEN


@dataclass(frozen=True, slots=True)
class Live:
    """A run with real money. Its key is open already."""

    signer: Signer


def live_places(
    settings: Settings, live: Live, settlement: Settlement, feed: Feed, clock: Clock, tokens: Collection[str]
) -> Places:
    """`tokens`: the enrolled launches. Raises ConfigError."""
    read = reading(settings, clock)

    async def claims() -> tuple[Claim, ...]:
        return await settlement.read(claims_of)

    def mark(symbol: str) -> int | None:
        price = feed.book.tradable(symbol, clock.now_ms())
        return price.wad if price else None

    launches = tuple(to_checksum_address(token) for token in tokens)
    door = ChainDoor(settlement)
    trade = trading(settings, read, live.signer, door, claims, mark, clock, launches)
    age = ages(settings, settlement, clock)
    money = money_of(settings, read.node, trade.guard, trade.sender, door, trade.wallet, age)

    async def close() -> None:
        await trade.builder.aclose()
        await read.aclose()

    return Places(
        mode="LIVE",
        name="avantis",
        venue=trade.venue,
        swaps=money.buyer,
        purse=trade.purse,
        fees=money.fees,
        simulated="",
        simulated_money="",
        embedded=False,
        loops=(
            Loop("sender", SENDER, trade.keep_sending),
            Loop("claims", POSITIONS, trade.watch.look),
            Loop("buyer", MONEY, money.buyer.pass_once),
            Loop("claimer", MONEY, money.claimer.pass_once),
            Loop("trust", TRUST, read.trust.pass_once),
        ),
        alarms=lambda: _alarms(read, trade, money),
        pairs=lambda: _pairs(read),
        close=close,
    )


def _alarms(read: Reading, trade: Trading, money: Money) -> tuple[str, ...]:
    known = trade.watch.known
    found = [f"nothing is opened: {why}"] if (why := read.trust.why_not()) else []
    found += [f"transaction {tx_id}: {why}" for tx_id, why in trade.sender.waiting.items()]
    found += [f"order {order_id} needs you: {why}" for order_id, why in trade.venue.unclear.items()]
    found += [f"{ref.market} {ref.trade_index} in doubt: {why}" for ref, why in known.doubts.items()]
    found += [f"a position of nobody's: pair {each.held.pair_index}, {each.held.trade_index}" for each in known.orphans]
    found += [f"buyback {name}: {why}" for name, why in money.buyer.troubles.items()]
    found += [f"fees of {name}: {why}" for name, why in money.claimer.troubles.items()]
    return tuple(found)


def _pairs(read: Reading) -> dict[str, Pair]:
    """By symbol, of the newest catalogue."""
    catalogue = read.catalogues.last
    found: dict[str, Pair] = {}
    for pair in catalogue.pairs.values() if catalogue else ():
        interest = pair.interest
        found[pair.symbol] = Pair(
            mark=None,
            carry_per_hour=interest.long_pays / _PERCENT if interest else None,
            long_oi=interest.long * (TO_WAD * TEN // USDC) if interest else None,
            short_oi=interest.short * (TO_WAD * TEN // USDC) if interest else None,
            open_fee=pair.fees.open_taker / _PERCENT,
        )
    return found
