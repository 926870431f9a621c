"""One wallet of a run: its nonces, its positions, its money, and the loops that look after them."""

from dataclasses import dataclass

from eth_typing import ChecksumAddress

from engine.clock import Clock
from engine.config import Settings
from engine.live.chain_watch import ChainWatch
from engine.live.doors import claims_of, doors_of
from engine.live.intents import IntentWatch
from engine.live.money import Money, ages, money_of
from engine.live.wiring import Reading, Trading, trading
from engine.settlement import Settlement
from venue.avantis.claims import Claim, Marks
from venue.chain.signer import Signer


@dataclass(frozen=True, slots=True)
class Shared:
    """What all wallets of a run have in common."""

    settings: Settings
    settlement: Settlement
    read: Reading
    chain: ChainWatch
    marks: Marks
    clock: Clock
    launches: tuple[ChecksumAddress, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """A wallet and all that works with it."""

    trade: Trading
    intents: IntentWatch
    money: Money

    def alarms(self) -> list[str]:
        """What a person should know of it now."""
        trade, known = self.trade, self.trade.watch.known
        found = [f"transaction {tx_id}: {why}" for tx_id, why in trade.sender.waiting.items()]
        found += self.intents.alarms()
        found += [f"order {order_id} needs you: {why}" for order_id, why in trade.venue.unclear.items()]
        found += [f"{ref.market} {ref.trade_index} in doubt: {why}" for ref, why in known.doubts.items()]
        strangers = [orphan.held for orphan in known.orphans]
        found += [f"a position of nobody's: pair {held.pair_index}, {held.trade_index}" for held in strangers]
        found += [f"buyback {name}: {why}" for name, why in self.money.buyer.troubles.items()]
        found += [f"WETH from before: {why}"] if (why := self.money.drain.why) else []
        found += [f"fees of {name}: {why}" for name, why in self.money.claimer.troubles.items()]
        return found


def member(shared: Shared, signer: Signer) -> Member:
    """The wallet that `signer` signs for. Raises ConfigError."""
    settings, settlement, clock, wallet = shared.settings, shared.settlement, shared.clock, signer.address

    async def claims() -> tuple[Claim, ...]:
        return await settlement.read(lambda world: claims_of(world, wallet))

    doors = doors_of(settlement, wallet)
    trade = trading(settings, shared.read, signer, doors, claims, shared.marks, shared.chain, clock, shared.launches)
    age = ages(settings, settlement, clock)
    money = money_of(settings, shared.read.node, trade.guard, trade.sender, doors.chain, wallet, age)
    return Member(trade, IntentWatch(trade.signed, clock.now_ms), money)
