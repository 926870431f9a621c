"""How much may be put where: the settings, and what the venue allows on its markets."""

from collections.abc import Mapping
from decimal import Decimal

from engine.desks.commands import Caps
from engine.sections import Risk
from venue.exchange.fixed import WAD, wad
from venue.perp import MarketTerms, Usdc

USDC = 10**6


def in_usdc(amount: Decimal) -> Usdc:
    """A configured amount in 1e-6, digits below that cut off."""
    return int(amount * USDC)


def caps_of(risk: Risk) -> Caps:
    """The exposure caps that are set."""
    return Caps(
        desk=in_usdc(risk.max_position_usdc),
        market=in_usdc(risk.max_market_usdc),
        wallet=in_usdc(risk.max_wallet_usdc),
        day=in_usdc(risk.max_daily_usdc),
        open_interval_ms=risk.open_interval_s * 1000,
    )


class Terms:
    """Knows the venue's markets as of the last pass."""

    def __init__(self, risk: Risk, avantis_max_leverage: int) -> None:
        self.risk = risk
        self.caps = caps_of(risk)
        self._leverage = min(wad(risk.leverage), avantis_max_leverage * WAD)
        self._markets: Mapping[str, MarketTerms] = {}

    def learn(self, markets: Mapping[str, MarketTerms]) -> None:
        """Takes what the venue says now."""
        self._markets = markets

    @property
    def markets(self) -> Mapping[str, MarketTerms]:
        """What it has learned; everything it says follows from that and the settings."""
        return self._markets

    @property
    def known(self) -> bool:
        """Whether the venue has said what may be traded."""
        return bool(self._markets)

    def leverage(self, market: str = "") -> int:
        """min(RISK.leverage, AVANTIS_MAX_LEVERAGE, the venue's cap) in 1e-18 (seed desk-agent, "Leverage"): on a
        market, or the most that any of those allows that may be opened."""
        if market:
            return (
                min(self._leverage, self._markets[market].max_leverage) if market in self._markets else self._leverage
            )
        limits = [terms.max_leverage for terms in self._markets.values() if terms.opens]
        return min(self._leverage, max(limits, default=self._leverage))

    def opening(self) -> dict[str, int]:
        """The markets that may be opened, with their leverage in whole times."""
        return {symbol: self.leverage(symbol) // WAD for symbol, terms in self._markets.items() if terms.opens}

    def room(self, market: str, is_long: bool, leverage: int) -> Usdc | None:
        """Most collateral the venue's own limits leave on a side; None is no limit known."""
        most = self._markets[market].max_notional(is_long)
        return None if most is None else most * WAD // leverage

    def min_deploy(self, leverage: int, market: str = "") -> Usdc:
        """Smallest collateral that reaches both RISK.minDeployUsdc and the venue's minimum notional, rounded up: on a
        market, or the least over those that may be opened."""
        notionals = [terms.min_notional for terms in self._markets.values() if terms.opens]
        smallest = self._markets[market].min_notional if market in self._markets else min(notionals, default=0)
        return max(in_usdc(self.risk.min_deploy_usdc), -(-smallest * WAD // max(leverage, 1)))

    def deployable(self, pending: Usdc, deployed: Usdc, leverage: int, market: str = "") -> Usdc:
        """What of the pending USDC may go to the venue now; 0 while that is below the minimum."""
        amount = min(pending, in_usdc(self.risk.max_position_usdc) - deployed)
        return amount if amount >= self.min_deploy(leverage, market) else 0

    def at_cap(self, deployed: Usdc) -> bool:
        """Whether what RISK.maxPositionUsdc still allows is less than the smallest deploy."""
        return in_usdc(self.risk.max_position_usdc) - deployed < self.min_deploy(self.leverage())
