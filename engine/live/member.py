"""One wallet of a run: its nonces, its positions, its money, and the loops that look after them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from eth_typing import ChecksumAddress

from engine.arming import Arming
from engine.clock import Clock
from engine.config import Settings
from engine.live.chain_watch import ChainWatch
from engine.live.doors import claims_of, doors_of
from engine.live.intents import IntentWatch
from engine.live.money import Money, ages, money_of
from engine.live.shared_key import SharedKey
from engine.live.wiring import Reading, Trading, trading
from engine.settlement import Settlement
from venue.avantis.claims import Claim, Marks
from venue.avantis.positions import Held
from venue.chain.signer import Signer

_NAMED: Final = 3
"""Most positions of nobody's that an alarm names."""


@dataclass(frozen=True, slots=True)
class Shared:
    """What all wallets of a run have in common."""

    settings: Settings
    settlement: Settlement
    read: Reading
    chain: ChainWatch
    marks: Marks
    clock: Clock
    arming: Arming
    launches: tuple[ChecksumAddress, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """A wallet and all that works with it."""

    trade: Trading
    intents: IntentWatch
    money: Money
    key: SharedKey

    def urgent(self) -> list[str]:
        """What waits for a person."""
        found = [why] if (why := self.key.alarm()) else []
        found += [f"order {order_id} needs you: {why}" for order_id, why in self.trade.venue.unclear.items()]
        doubts = self.trade.watch.known.doubts
        return found + [f"{ref.market} {ref.trade_index} in doubt: {why}" for ref, why in doubts.items()]

    def alarms(self) -> list[str]:
        """What else a person should know of it now."""
        found = [f"transaction {tx_id}: {why}" for tx_id, why in self.trade.sender.waiting.items()]
        found += self.intents.alarms()
        found += strangers([orphan.held for orphan in self.trade.watch.known.orphans])
        found += [f"buyback {name}: {why}" for name, why in self.money.buyer.troubles.items()]
        found += [f"WETH from before: {why}"] if (why := self.money.drain.why) else []
        found += [f"fees of {name}: {why}" for name, why in self.money.claimer.troubles.items()]
        return found


def strangers(held: Sequence[Held]) -> list[str]:
    """One alarm for all of them: they are left alone, however many there are."""
    if not held:
        return []
    named = "; ".join(f"pair {each.pair_index}, {each.trade_index}" for each in held[:_NAMED])
    more = f" and {len(held) - _NAMED} more" if len(held) > _NAMED else ""
    what = "a position" if len(held) == 1 else f"{len(held)} positions"
    return [f"{what} of nobody's: {named}{more}"]


def member(shared: Shared, signer: Signer) -> Member:
    """The wallet that `signer` signs for. Raises ConfigError."""
    settings, settlement, clock, wallet = shared.settings, shared.settlement, shared.clock, signer.address

    async def claims() -> tuple[Claim, ...]:
        return await settlement.read(lambda world: claims_of(world, wallet))

    doors = doors_of(settlement, wallet)
    trade = trading(settings, shared.read, signer, doors, claims, shared.marks, shared.chain, clock, shared.launches)
    age = ages(settings, settlement, clock)
    money = money_of(settings, shared.read.node, trade.guard, trade.sender, doors.chain, wallet, age)
    key = SharedKey(settlement, wallet, shared.arming)
    return Member(trade, IntentWatch(trade.signed, clock.now_ms), money, key)
