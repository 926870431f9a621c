"""The places of a run with real money."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import partial

from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address

from engine.arming import Arming
from engine.clock import Clock
from engine.config import Settings
from engine.feed import Feed
from engine.live.chain_watch import ChainWatch, chain_watch
from engine.live.doors import ChainDoor
from engine.live.fleet_money import FleetFees, FleetPurse, FleetSwaps, homes_of
from engine.live.fleet_rows import wallet_rows
from engine.live.fleet_venue import FleetVenue
from engine.live.member import Member, Shared, member
from engine.live.money import Drain
from engine.live.pinning import Pinning
from engine.live.wiring import Reading, reading
from engine.places import Loop, Pair, Places
from engine.settlement import Settlement
from engine.worker import Cadence
from venue.avantis.units import TEN, TO_WAD, USDC
from venue.chain.signer import Signer
from venue.clanker.launches import Launches

SENDER = Cadence(1.5, 2.0)
KEY = Cadence(1.5, 2.0)
INTENTS = Cadence(1.5, 2.0)
POSITIONS = Cadence(2.5, 3.5)
MONEY = Cadence(4.0, 6.0)
PINS = Cadence(240, 360)
HOMES = Cadence(4.0, 6.0)
DRAIN = Cadence(60, 90)
TRUST = Cadence(500, 700)
ETHER = 10**18
_PERCENT = 100 * TEN


@dataclass(frozen=True, slots=True)
class Live:
    """A run with real money. Its keys are open already, or it has none and only looks."""

    signers: tuple[Signer, ...]
    arming: Arming
    silent: str = ""
    """Why no node answered when it began."""

    @property
    def wallets(self) -> tuple[ChecksumAddress, ...]:
        """In the order of the settings."""
        return tuple(signer.address for signer in self.signers)


def live_places(
    settings: Settings, live: Live, settlement: Settlement, feed: Feed, clock: Clock, tokens: Collection[str]
) -> Places:
    """`tokens`: the enrolled launches. Raises ConfigError."""

    def mark(symbol: str) -> int | None:
        price = feed.book.tradable(symbol, clock.now_ms())
        return price.wad if price else None

    read = reading(settings, clock)
    chain = chain_watch(settings, read.endpoints, read.node, ChainDoor(settlement, ""), clock)
    launches = tuple(to_checksum_address(token) for token in tokens)
    shared = Shared(settings, settlement, read, chain, mark, clock, live.arming, launches)
    crew = {signer.address: member(shared, signer) for signer in live.signers}
    purse = FleetPurse({wallet: each.trade.purse for wallet, each in crew.items()})
    pinning = Pinning(settlement, live.wallets, Launches(read.node, live.wallets[0]))
    least_gas = int(settings.risk.min_wallet_balance_eth * ETHER) if settings.avantis.route == "transactions" else 0
    trades = {wallet: each.trade for wallet, each in crew.items()}
    low_gas = partial(_low_gas, purse, least_gas)
    venue = FleetVenue({wallet: trade.venue for wallet, trade in trades.items()}, settlement.read, low_gas)

    async def close() -> None:
        for each in crew.values():
            await each.trade.aclose()
        await read.aclose()

    return Places(
        mode="LIVE",
        name="avantis",
        venue=venue,
        swaps=FleetSwaps({wallet: each.money.buyer for wallet, each in crew.items()}, purse, settlement),
        purse=purse,
        fees=FleetFees({wallet: each.money.fees for wallet, each in crew.items()}, lambda: settlement.read(homes_of)),
        simulated="",
        simulated_money="",
        embedded=False,
        loops=(
            Loop("wallets", HOMES, pinning.pass_once),
            *(loop for wallet, each in crew.items() for loop in _loops(each, live, _tail(wallet, live))),
            Loop("trust", TRUST, read.trust.pass_once, looks=True),
            Loop("blocks", SENDER, chain.follow, looks=True, endless=True),
            Loop("contracts", PINS, chain.pins.pass_once),
        ),
        alarms=lambda: _alarms(live, read, chain, pinning, crew),
        pairs=lambda: _pairs(read),
        block=lambda _: chain.heads.pulse.number if chain.heads.pulse.number >= 0 else None,
        wallets=lambda world: wallet_rows(world, trades, purse, least_gas),
        low_gas=low_gas,
        unseen=lambda: _unseen(crew),
        arming=live.arming,
        close=close,
    )


def _tail(wallet: str, live: Live) -> str:
    """Tells the loops of several wallets apart."""
    return f" {wallet[2:6]}" if len(live.signers) > 1 else ""


def _loops(each: Member, live: Live, tail: str) -> tuple[Loop, ...]:
    trade, money = each.trade, each.money
    return (
        Loop(f"sender{tail}", SENDER, partial(trade.keep_sending, live.wallets)),
        Loop(f"key{tail}", KEY, each.key.look, looks=True),
        Loop(f"intents{tail}", INTENTS, each.intents.look),
        Loop(f"claims{tail}", POSITIONS, trade.watch.look, looks=True),
        Loop(f"buyer{tail}", MONEY, money.buyer.pass_once),
        Loop(f"weth{tail}", DRAIN, partial(_drained, money.drain, live.arming)),
        Loop(f"claimer{tail}", MONEY, money.claimer.pass_once),
    )


async def _drained(drain: Drain, arming: Arming) -> str:
    return arming.why_not() or await drain.pass_once()


def _unseen(crew: dict[ChecksumAddress, Member]) -> str:
    whys = ((wallet, each.trade.venue.unseen()) for wallet, each in crew.items())
    return next((f"{_whose(wallet, crew)}{why}" for wallet, why in whys if why), "")


def _low_gas(purse: FleetPurse, least: int, wallet: str) -> str:
    counted = purse.counted.get(wallet)
    if counted is None or counted.gas is None or counted.gas >= least:
        return ""
    return f"{wallet} holds {counted.gas / ETHER:.4f} ETH for gas; {least / ETHER:g} are kept"


def _alarms(
    live: Live, read: Reading, chain: ChainWatch, pinning: Pinning, crew: dict[ChecksumAddress, Member]
) -> tuple[str, ...]:
    """The most urgent first: what bars everything, what waits for a person, then the rest."""
    found = [f"no node, nothing is opened or closed: {live.silent}"] if _silent(live, chain) else []
    found += chain.alarms()
    found += [f"{_whose(wallet, crew)}{text}" for wallet, each in crew.items() for text in each.urgent()]
    found += [f"nothing is opened: {why}"] if (why := read.trust.why_not()) else []
    found += [f"{name}: its launch pays no wallet of this run" for name in pinning.homeless.values()]
    found += [f"{_whose(wallet, crew)}{text}" for wallet, each in crew.items() for text in each.alarms()]
    return tuple(found)


def _whose(wallet: str, crew: dict[ChecksumAddress, Member]) -> str:
    return f"wallet {wallet[:6]}…{wallet[-4:]}: " if len(crew) > 1 else ""


def _silent(live: Live, chain: ChainWatch) -> bool:
    """Whether there has been no block since a start without any node."""
    return bool(live.silent) and chain.heads.pulse.number < 0


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
