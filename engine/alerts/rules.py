"""What is wrong in a picture, and what began or ended between two. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from engine.keeper_rows import KeeperHealth
from engine.liquidations.overdue import OVERDUE_MS
from engine.snapshot import DeskPhase, DeskRow, FeedHealth, Snapshot
from engine.text import called, clean

POOL_LIQUIDATOR = "pools"
"""What its keeper is called."""


class Kind(StrEnum):
    """What a rule is about; stable, for filters at the other end."""

    HALTED = "halted"
    NEAR_LIQUIDATION = "near_liquidation"
    UNKNOWN = "unknown_outcome"
    QUARANTINED = "quarantined"
    KEEPER = "keeper"
    FEED = "feed"
    FUNDS = "funds_difference"
    GAS = "low_gas"
    OVERDUE = "liquidation_overdue"
    DISK = "disk_silent"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that is wrong, or not any more. `key` names the thing, so that it is told once."""

    kind: Kind
    key: str
    text: str
    over: bool = False


_PATIENCE_MS: Mapping[Kind, int] = {Kind.KEEPER: 15_000, Kind.FEED: 15_000, Kind.FUNDS: 60_000}
"""How long it must last before anybody is told; everything else is told at once."""


@dataclass(slots=True)
class Watch:
    """Remembers what was wrong. `near` is the share of mark at which a position is near its liquidation."""

    near: float
    _since_ms: dict[str, int] = field(default_factory=dict)
    _told: dict[str, Alert] = field(default_factory=dict)

    def look(self, picture: Snapshot) -> tuple[Alert, ...]:
        """What is to be told now, by this picture."""
        wrong = {alert.key: alert for alert in found(picture, self.near)}
        self._since_ms = {key: self._since_ms.get(key, picture.at_ms) for key in wrong}
        over = [self._over(self._told.pop(key)) for key in [*self._told] if key not in wrong]
        new = [alert for key, alert in wrong.items() if key not in self._told and self._lasts(alert, picture.at_ms)]
        self._told |= {alert.key: alert for alert in new}
        return (*new, *over)

    def _lasts(self, alert: Alert, now_ms: int) -> bool:
        return now_ms - self._since_ms[alert.key] >= _PATIENCE_MS.get(alert.kind, 0)

    def _over(self, alert: Alert) -> Alert:
        return Alert(alert.kind, alert.key, f"over: {alert.text}", over=True)


def on_screen(picture: Snapshot, near: float) -> list[str]:
    """What is wrong in a picture and no other alarm of it says; in words that stay while it lasts."""
    told = [f"{_name(desk)} halted by {desk.halted_by}" for desk in picture.desks if _halted_by_a_rule(desk)]
    told += [
        f"{_name(desk)} {desk.side} {desk.market} is near its liquidation"
        for desk in picture.desks
        if desk.liq_move is not None and desk.liq_move <= near
    ]
    told += [alert.text for alert in (*_overdue(picture), *_poor(picture))]
    return [clean(text) for text in told]


def _overdue(picture: Snapshot) -> Iterator[Alert]:
    queue = picture.queue
    if queue.overdue and queue.oldest_ms is not None:
        yield Alert(
            Kind.OVERDUE,
            "overdue",
            f"nobody liquidates position #{queue.oldest_id}: past its limit for {queue.oldest_ms // 1000} s",
        )
    for keeper in picture.keepers:
        waits_ms = keeper.work.oldest_ms if keeper.work and keeper.name == POOL_LIQUIDATOR else None
        if waits_ms is not None and waits_ms >= OVERDUE_MS:
            text = f"nobody liquidates a pool position: past its limit for {waits_ms // 1000} s"
            yield Alert(Kind.OVERDUE, "overdue:pools", text)


def _poor(picture: Snapshot) -> Iterator[Alert]:
    for wallet in picture.flow.wallets:
        if wallet.gas is not None and wallet.gas < wallet.least_gas:
            yield Alert(Kind.GAS, f"gas:{wallet.address}", f"{wallet.address} holds too little gas to open")


def _halted_by_a_rule(desk: DeskRow) -> bool:
    """What an operator halted, they know."""
    return desk.halted_by is not None and not desk.halted_by_hand


def _name(desk: DeskRow) -> str:
    return called(desk.token, desk.address)


def found(picture: Snapshot, near: float) -> Iterator[Alert]:
    """Everything that is wrong."""
    for desk in picture.desks:
        yield from _desk(desk, near)
    for keeper in picture.keepers:
        if keeper.health is not KeeperHealth.OK:
            why = f": {keeper.detail}" if keeper.detail else ""
            yield Alert(Kind.KEEPER, f"keeper:{keeper.name}", clean(f"{keeper.name} {keeper.health}{why}"))
    status = picture.status
    if status.feed not in (FeedHealth.LIVE, FeedHealth.SLOW):
        yield Alert(Kind.FEED, "feed", clean(f"prices {status.feed} {status.feed_text}: nothing is opened"))
    if picture.flow.difference:
        yield Alert(Kind.FUNDS, "funds", f"the wallet is {_usd(picture.flow.difference)} USDC off the books")
    yield from _overdue(picture)
    yield from _poor(picture)


def _desk(desk: DeskRow, near: float) -> Iterator[Alert]:
    name = _name(desk)
    if desk.halted_by is not None:
        yield Alert(Kind.HALTED, f"halted:{desk.address}", clean(f"{name} halted by {desk.halted_by}"))
    if desk.liq_move is not None and desk.liq_move <= near:
        text = f"{name} {desk.side} {desk.market}: {desk.liq_move:.1%} from its liquidation"
        yield Alert(Kind.NEAR_LIQUIDATION, f"near:{desk.address}", clean(text))
    if desk.phase is DeskPhase.UNKNOWN:
        yield Alert(Kind.UNKNOWN, f"unknown:{desk.address}", clean(f"{name}: outcome of its last order unknown"))
    if desk.quarantine:
        text = f"{name} quarantined: {desk.quarantine}"
        yield Alert(Kind.QUARANTINED, f"quarantined:{desk.address}", clean(text))


def _usd(amount: int) -> str:
    return f"{amount / 10**18:+,.2f}"
