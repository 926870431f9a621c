"""The wallets of a run as rows."""

from collections import Counter
from collections.abc import Mapping
from heapq import nlargest

from eth_typing import ChecksumAddress

from engine.desk_rows import WalletRow
from engine.desks.state import House
from engine.live.fleet_money import FleetPurse, owned
from engine.live.wiring import Trading
from engine.world import World
from venue.avantis.adapter import MAX_POSITIONS
from venue.avantis.claims import Known
from venue.chain.call import Wei
from venue.exchange.fixed import MICRO


def wallet_rows(
    world: World, trades: Mapping[ChecksumAddress, Trading], purse: FleetPurse, least_gas: Wei
) -> tuple[WalletRow, ...]:
    """One for each, in the order of the settings."""
    books = owned(world.house)
    desks = Counter(desk.wallet for desk in world.house.desks.values())
    return tuple(
        _row(wallet, trade, world, purse, books.get(wallet, 0), desks[wallet], least_gas)
        for wallet, trade in trades.items()
    )


def _row(
    wallet: str, trade: Trading, world: World, purse: FleetPurse, books: int, desks: int, least_gas: Wei
) -> WalletRow:
    counted = purse.counted.get(wallet)
    slots = Counter(_markets(trade.watch.known, world.house, wallet))
    ((fullest, count),) = nlargest(1, slots.items(), key=lambda item: item[1]) or (("", 0),)
    gas = counted.gas if counted else None
    return WalletRow(
        address=wallet,
        usdc=counted.usdc * MICRO if counted else None,
        owned=books * MICRO,
        gas=gas,
        least_gas=least_gas,
        desks=desks,
        positions=slots.total(),
        most=MAX_POSITIONS,
        fullest=fullest,
        fullest_count=count,
        sending=len(world.wallets.of(wallet).open),
        state=_state(count, gas, least_gas, counted is not None and counted.usdc < books),
    )


def _markets(known: Known, house: House, wallet: str) -> list[str]:
    """Of every position in the wallet, those of strangers as well, by a name or a number."""
    names = {
        desk.ref.pair_index: desk.ref.market for desk in house.desks.values() if desk.ref and desk.wallet == wallet
    }
    slots = {(ref.pair_index, ref.trade_index) for ref in (*known.held, *known.doubts)}
    slots |= {orphan.held.slot for orphan in known.orphans}
    return [names.get(pair, f"pair {pair}") for pair, _ in slots]


def _state(fullest: int, gas: Wei | None, least_gas: Wei, short: bool) -> str:
    if short:
        return "holds less than its desks own"
    if gas is not None and gas < least_gas:
        return "too little gas to open"
    return "full in a market" if fullest >= MAX_POSITIONS else ""
