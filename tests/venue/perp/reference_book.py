"""The reference venue's rules, faults and positions: money in integers of 1e-6 USDC, prices in 1e-18."""

from dataclasses import dataclass, replace

from venue.perp import WHOLE, Capabilities, PerpPosition, PositionRef, Profit, UnknownPnl, Usdc

WAD = 10**18
SCALE = 10**30
"""Value = size x price / SCALE."""
PPM = 10**6
PPB = 10**9
FOR_EVER = 10**12
"""An act that never comes."""
ALL = Capabilities(reduces=True, worst_price=True, max_positions=None, gas=False)


@dataclass(frozen=True, slots=True)
class Rules:
    """What the reference venue asks of orders and positions."""

    capabilities: Capabilities = ALL
    max_leverage: int = 75 * WAD
    min_notional: Usdc = 100 * 10**6
    max_interest: Usdc | None = None
    """Most notional open per market and side."""
    fee_ppm: int = 800
    """Of the notional, on the way in and on the way out."""
    carry_ppb: int = 0
    """Of the entry notional, owed per act."""
    liquidated_at_percent: int = 85
    """Loss, as a share of the collateral, from which a position is liquidated."""
    expiry_acts: int = 20
    """An order the venue could not act on for so long is given back."""


@dataclass(frozen=True, slots=True)
class Faults:
    """Chances from 0 to 1 of what goes wrong."""

    lost_before: float = 0.0
    """Per order: it never arrives, and its sender cannot know."""
    lost_after: float = 0.0
    """Per order: it arrives, and its sender cannot know."""
    declined: float = 0.0
    """Per order, when it is acted on: the venue gives it back."""
    blind: float = 0.0
    """Per market and act: nobody can tell its price for a while."""
    close_only: float = 0.0
    """Per market and act: positions on it can only be left for a while."""
    slowest: int = 1
    """Most acts until an order is filled, a lost answer can be asked for, a blind or closed market is back."""


@dataclass(slots=True)
class Standing:
    """A position as the venue keeps it."""

    ref: PositionRef
    account: str
    collateral: Usdc
    notional: Usdc
    """At entry."""
    size: int
    owed_from: int
    """Sum of entry notional x carry index when it was added."""

    def part(self, share: int) -> "Standing":
        """A share of it, rounded down; `WHOLE` is all of it, exactly."""
        if share == WHOLE:
            return self
        return replace(
            self,
            collateral=self.collateral * share // WHOLE,
            notional=self.notional * share // WHOLE,
            size=self.size * share // WHOLE,
            owed_from=self.owed_from * share // WHOLE,
        )

    def add(self, other: "Standing", sign: int = 1) -> None:
        """Grows by `other`, or with `sign` -1 lets go of it."""
        self.collateral += sign * other.collateral
        self.notional += sign * other.notional
        self.size += sign * other.size
        self.owed_from += sign * other.owed_from

    def value(self, price: int) -> Usdc:
        """Notional at a price, rounded down."""
        return self.size * price // SCALE

    def profit(self, price: int, index: int, rules: Rules) -> Profit:
        """What leaving all of it at a price and carry index would bring."""
        value = self.value(price)
        won = value - self.notional if self.ref.is_long else self.notional - value
        carry = -((self.notional * index - self.owed_from) // PPB)
        return Profit(won, carry, fee(value, rules))


def fee(notional: Usdc, rules: Rules) -> Usdc:
    """Rounded up."""
    return -(-notional * rules.fee_ppm // PPM)


def payout(position: Standing, profit: Profit) -> Usdc:
    """What leaving gives back."""
    return max(0, position.collateral + profit.net)


def is_lost(position: Standing, profit: Profit, rules: Rules) -> bool:
    """Whether the loss is so large that the position is liquidated."""
    return -profit.net * 100 >= position.collateral * rules.liquidated_at_percent


def view(position: Standing, price: int | None, index: int, rules: Rules) -> PerpPosition:
    """The position as the contract shows it; without a price its notional is the one at entry."""
    value = position.notional if price is None else position.value(price)
    seen = PerpPosition(
        ref=position.ref,
        account=position.account,
        collateral=position.collateral,
        notional=value,
        leverage=value * WAD // max(1, position.collateral),
        entry=position.notional * SCALE // position.size,
        mark=price,
        pnl=UnknownPnl(f"nobody can tell the price of {position.ref.market}"),
        liq_move=None,
        exit_price=None,
        exit_payout=None,
    )
    if price is None:
        return seen
    profit = position.profit(price, index, rules)
    spare = position.collateral * rules.liquidated_at_percent / 100 + profit.net
    return replace(
        seen,
        pnl=profit,
        liq_move=min(1.0, max(0.0, spare / max(1, value))),
        exit_price=price,
        exit_payout=payout(position, profit),
    )
