"""A Port over snapshots a test writes: it records commands and answers with the receipts it was given."""

import asyncio
import math
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Any

from engine.commands import Command, Receipt
from engine.desk_rows import AgentRow, BuybackRow, FundRow, FundsRow, PlanRow, SeenMarket, WalletRow
from engine.exchange_rows import MarketPoint, PoolRow, RequestCounts, RequestRow, RequestState, Side
from engine.keeper_rows import KeeperHealth, KeeperRow
from engine.port import Info
from engine.snapshot import (
    DecisionRow,
    DeskPhase,
    DeskRow,
    Event,
    EventPage,
    ExitQuote,
    FeedHealth,
    LiquidationRow,
    MarketRow,
    Outcome,
    QueueCounts,
    QueueState,
    Snapshot,
    Status,
)
from engine.who import local_info

WAD = 10**18
NOW = 1_795_269_802_000
"""14:03:22 UTC on the day of the script."""
SYMBOLS = (
    *("ETH", "BTC", "SOL", "DOGE", "AVAX", "LINK", "ARB", "OP", "SUI", "APT", "NEAR", "INJ"),
    *("TIA", "SEI", "ATOM", "DOT", "LTC", "BCH", "XRP", "ADA", "UNI", "AAVE", "PEPE", "WIF"),
)
TOKENS = ["PEPE", "BONK", "WIF", "MOG", "CAT", "DEGEN", "BRETT", "TOSHI", "HIGHER", "MFER", "KEYCAT", "DOGINME"]


def usd(value: float) -> int:
    """An amount in the engine's unit."""
    return round(value * 10**6) * 10**12


def address(number: int) -> str:
    """An address whose first four characters differ."""
    return "0x" + f"{(number * 40503 + 0x3F2A) % 65536:04x}" + f"{number:036x}"


def desk(number: int, **changes: Any) -> DeskRow:
    """An open desk."""
    market = SYMBOLS[number % 2]
    mark = 3020.11 if market == "ETH" else 64410.50
    entry = mark * (1 + ((number * 7) % 11 - 5) / 1000)
    side = Side.LONG if number % 3 else Side.SHORT
    leverage = (10, 25, 20, 50)[number % 4]
    collateral = 120.5 * (number + 1)
    notional = collateral * leverage
    pnl = notional * (mark / entry - 1) * (1 if side is Side.LONG else -1)
    base = DeskRow(
        address=address(number),
        token=TOKENS[number % len(TOKENS)],
        phase=DeskPhase.OPEN,
        version=number,
        pending=usd(3.2),
        min_deploy=usd(10),
        note="",
        market=market,
        side=side,
        position_id=18_000 + number,
        leverage=float(leverage),
        collateral=usd(collateral),
        notional=usd(notional),
        entry=usd(entry),
        mark=usd(mark),
        pnl=usd(pnl),
        pnl_price=usd(pnl + 1.44),
        pnl_carry=usd(-1.44),
        liq_move=0.8 / leverage + pnl / notional,
        exit=ExitQuote(usd(mark * (0.9997 if side is Side.LONG else 1.0003)), -0.0003, usd(collateral + pnl)),
        fees_total=usd(12.4),
        realised=usd(40.0 - 9 * number if number < 4 else 0),
        reserve=usd(1.5),
        deployed=usd(collateral),
        creator=usd(1.18),
        trading_fees=usd(notional * 0.0008),
        won=usd(12.5 - 7 * number),
        bought_back=usd(210),
        enrolled_as="long ETH 20x",
        plan=plan(number),
        take_profit=usd(entry * (1 + 0.3 / leverage * (1 if side is Side.LONG else -1))),
    )
    return replace(base, **changes)


def plan(number: int, **changes: Any) -> PlanRow:
    """A plan of the first tier, capped, after six markets were seen; of one too little is known."""
    seen = [
        SeenMarket(name, usd(price), 0.0025 - 0.0011 * place, 0.008 + 0.001 * place, 100 - 20 * place)
        for place, (name, price) in enumerate((("BTC", 64_410.5), ("ETH", 3_020.11), ("SOL", 142.31), ("OP", 0.41231)))
    ]
    base = PlanRow(
        at_ms=NOW - 2_000 - 15_000 * number,
        source=("venice", "signal")[number % 2],
        allow=True,
        market=SYMBOLS[number % 2],
        side=Side.LONG,
        leverage=20,
        asked_leverage=75,
        reason="ETH leads the majors over the window and volatility is calm; funding does not pay against it",
        degraded="" if number % 2 == 0 else "venice timed out after 10 s",
        pending=usd(88.2),
        in_session=True,
        lookback_ms=900_000,
        seen=(*seen, SeenMarket("WIF", None, None, None, 25)),
    )
    return replace(base, **changes)


def agent(**changes: Any) -> AgentRow:
    """An agent that answers."""
    base = AgentRow(
        tier="venice",
        phase="ready",
        model="llama-3.3-70b",
        key_source="wallet",
        balance_diem="12.40",
        balance_usd="3.10",
        requests_left=498,
        asked=316,
        answered=312,
        failed=4,
        latency_ms=1_240,
    )
    return replace(base, **changes)


def flow(**changes: Any) -> FundsRow:
    """Funds in which everything adds up."""
    amounts = (12_400.0, 620.0, 3_534.0, 1_178.0, 88.2, 120.5, 60.0, 5_420.5, 250.75, 40.0, 1_210.0, 0.0)
    names = ("fees", "pum", "diem", "creator", "pending", "reserve", "in flight", "deployed", "realised", "buying")
    holders = tuple((address(place), TOKENS[place], usd(4_000 / (place + 1))) for place in range(3))
    accounts = tuple(
        FundRow(name, usd(amount), holders if name in ("fees", "deployed") else ())
        for name, amount in zip((*names, "bought back", "difference"), amounts, strict=True)
    )
    base = FundsRow(
        accounts=accounts,
        wallet=usd(5_791.45),
        wallet_at_ms=NOW - 22_000,
        held=usd(5_791.45),
        buybacks=tuple(buyback(number) for number in range(5)),
        day_spent=usd(300),
        day_cap=usd(1_000),
        at_risk=usd(5_480.5),
        risk_cap=usd(25_000),
        simulated="fees, swaps",
    )
    return replace(base, **changes)


def buyback(number: int, **changes: Any) -> BuybackRow:
    """What buybacks of one token have come to; the first is the protocol's own."""
    base = BuybackRow(
        address="" if number == 0 else address(number),
        token="PUM" if number == 0 else TOKENS[number % len(TOKENS)],
        queued=usd(12.5 * number),
        least=usd(25),
        spent=usd(210.0 * number),
        bought=usd(1_204.5 * number**3),
        count=number,
        last_ms=NOW - 86_400_000 * number if number else None,
        state=("waiting", "buying", "waiting", "TOO_FEW: 1,204 is less than 1,300", "unknown")[number % 5],
    )
    return replace(base, **changes)


def wallet(number: int, **changes: Any) -> WalletRow:
    """One of a live run, with room for more."""
    base = WalletRow(
        address=address(number),
        usdc=usd(4_000 + 110_000 * number),
        owned=usd(4_118.2),
        gas=usd(0.4213),
        least_gas=usd(0.05),
        desks=7,
        positions=14,
        most=40,
        fullest="ETH",
        fullest_count=12,
        sending=3,
        state="",
    )
    return replace(base, **changes)


def keepers() -> tuple[KeeperRow, ...]:
    """One that runs on, some that are well, one that hangs and one that fails."""
    return (
        KeeperRow("feed", KeeperHealth.OK, 0, None, ""),
        KeeperRow("positions", KeeperHealth.OK, 1_204, NOW - 300, "12 positions"),
        KeeperRow("keeper-1", KeeperHealth.FAILING, 812, NOW - 14_000, "OSError, try 3"),
        KeeperRow("sampler", KeeperHealth.LATE, 12, NOW - 400_000, "13 of 13 feeds tradable"),
        KeeperRow("desks", KeeperHealth.OK, 3, NOW - 61_000, "9 desks"),
        KeeperRow("callbacks", KeeperHealth.OK, 77, NOW - 100, ""),
    )


def points(count: int, every_ms: int = 5_000) -> tuple[MarketPoint, ...]:
    """The past of a market, up to now: two waves of the price, and no price for a while in the middle."""
    found = []
    for number in range(count):
        phase = number / count * 4 * math.pi
        index = 3_020.11 + 12 * math.sin(phase) + number * 0.02
        known = not count * 0.5 < number < count * 0.6
        found.append(
            MarketPoint(
                at_ms=NOW - every_ms * (count - 1 - number),
                index=usd(index) if known else None,
                conf=usd(1.5) if known else None,
                mark=usd(index + 2 * math.cos(phase)),
                long_oi=usd(900_000 + 40_000 * math.sin(phase / 2)),
                short_oi=usd(500_000 + number * 200),
                carry_per_hour=0.00004 * math.cos(phase),
            )
        )
    return tuple(found)


def events(count: int) -> list[Event]:
    """A history over all desks, one line every three seconds, oldest first."""
    kinds = ("decision", "order", "open", "fees", "halt", "liquidation", "market")
    return [
        Event(
            number=number,
            at_ms=NOW - 3_000 * (count - number),
            address="" if kinds[number % 7] == "market" else address(number % 5),
            kind=kinds[number % 7],
            text=f"line {number} of the story",
            token="" if kinds[number % 7] == "market" else TOKENS[number % 5],
            source=("venice", "manager", "guard", "venue", "ops")[number % 5],
        )
        for number in range(1, count + 1)
    ]


def idle(number: int, **changes: Any) -> DeskRow:
    """A desk that waits for fees."""
    base = DeskRow(
        address=address(number),
        token=TOKENS[number % len(TOKENS)],
        phase=DeskPhase.IDLE,
        version=number,
        pending=usd(88.2),
        min_deploy=usd(100),
        note="88.20 of 100 min notional",
    )
    return replace(base, **changes)


def market(number: int, **changes: Any) -> MarketRow:
    """A live market; only the first two have a venue market."""
    price = (3020.11, 64410.5, 142.31, 0.41231, 31.2, 17.33)[number % 6]
    tradable = number < 2
    base = MarketRow(
        symbol=SYMBOLS[number % len(SYMBOLS)] + ("" if number < len(SYMBOLS) else str(number)),
        health=FeedHealth.LIVE,
        age_ms=200,
        index=usd(price),
        conf=usd(price * 0.0003),
        change=0.0025 - number * 0.0004,
        tradable=tradable,
    )
    if tradable:
        base = replace(
            base,
            mark=usd(price * 1.0001),
            basis=0.0001,
            carry_per_hour=0.00004,
            long_oi=usd(900_000),
            short_oi=usd(500_000),
            open_fee=0.0008,
            depth=usd(5_000_000),
        )
    return replace(base, **changes)


def decision(number: int, **changes: Any) -> DecisionRow:
    """One decision."""
    outcomes = (Outcome.OPEN, Outcome.DEFER, Outcome.NONE, Outcome.GROW)
    texts = (
        "long ETH 10x   momentum +0.25%, vol 0.8%",
        "spread too wide before funding",
        "|momentum| 0.09% under 0.15%",
        "long ETH 20x   venice timed out after 10 s",
    )
    base = DecisionRow(
        address=address(number),
        token=TOKENS[number % len(TOKENS)],
        at_ms=NOW - 2_000 - 15_000 * number,
        source=("venice", "signal")[number % 2],
        outcome=outcomes[number % 4],
        text=texts[number % 4],
        seq=1000 - number,
    )
    return replace(base, **changes)


def liquidation(number: int, **changes: Any) -> LiquidationRow:
    """One position of the queue."""
    share = 1.04 - number * 0.012
    state = QueueState.READY if share >= 1 else QueueState.NEAR if share >= 0.8 else QueueState.WATCH
    base = LiquidationRow(
        position_id=17_000 + number * 37,
        market=SYMBOLS[number % 2],
        owner=f"trader {number}",
        simulated=True,
        side=Side.LONG if number % 2 else Side.SHORT,
        notional=usd(12_400 - number * 170),
        leverage=float(10 + number % 40),
        loss_share=share,
        move=max(0.0, (1 - share) * 0.03),
        fee=usd(62 - number),
        state=state,
        entry=usd((3020.11, 64410.5)[number % 2] * (1.02 if number % 2 else 0.98)),
    )
    return replace(base, **changes)


def key(number: int) -> str:
    """A request's key, as long as real ones."""
    return f"0x{(number + 1) * 2654435761 % 2**32:08x}{number:056x}"


def request(number: int, state: RequestState = RequestState.PENDING, **changes: Any) -> RequestRow:
    """A deposit that waits, unless something else is said."""
    waits = state in (RequestState.PENDING, RequestState.FROZEN)
    base = RequestRow(
        key=key(number),
        kind="Deposit",
        account="ops",
        simulated=False,
        market="ETH-USD",
        side=None,
        amount="1.5000 WETH + 5,000.00 USDC",
        size=None,
        trigger=None,
        state=state,
        at_ms=NOW - 12_000 + (100 if waits else -1_000) * number,
        keeper="" if waits else f"keeper-{number % 3}",
        reason="",
        attempts=0,
        fee=usd(0.0012),
        may_cancel=False,
    )
    return replace(base, **changes)


def requests() -> tuple[RequestRow, ...]:
    """Every state and every kind of thing that can be requested."""
    long: dict[str, Any] = {"side": Side.LONG}
    short: dict[str, Any] = {"side": Side.SHORT}
    frozen, executed, cancelled = RequestState.FROZEN, RequestState.EXECUTED, RequestState.CANCELLED
    sim: dict[str, Any] = {"simulated": True, "account": "trader 7"}
    few = "InsufficientOutputAmount: 1.4022 WETH is less than 1.4100"
    late = "OrderNotFulfillableAtAcceptablePrice: 3,024.10 is above 3,021.00"
    return (
        request(0, kind="StopLossDecrease", **long, amount="0.00 USDC", size=usd(12_400), trigger=usd(2_950),
                at_ms=NOW - 7_300_000, may_cancel=True, account="PEPE·3f2a"),
        request(1, frozen, kind="LimitIncrease", market="BTC-USD", **short, amount="800.00 USDC", size=usd(16_000),
                trigger=usd(65_000), at_ms=NOW - 260_000, reason=late, attempts=2, may_cancel=True),
        request(2),
        request(3, kind="MarketIncrease", market="ETH", **long, amount="500.00 USDC", size=usd(5_000), **sim,
                reason="OracleTimestampsAreSmallerThanRequired: no newer price yet", attempts=1),
        request(4, executed, kind="MarketDecrease", **short, amount="0.00 USDC", size=usd(2_500)),
        request(5, cancelled, kind="MarketSwap", market="ETH-USD,BTC-USD", amount="1.5000 WETH", reason=few),
        request(6, executed, **sim),
        request(7, executed, kind="Withdrawal", amount="1,250.0000 market tokens", **sim),
        request(8, cancelled, kind="LimitSwap", amount="2,000.00 USDC", keeper="ops", reason="UserInitiatedCancel"),
        *(request(number, executed, **sim, kind=("MarketIncrease", "Deposit")[number % 2]) for number in range(9, 40)),
    )  # fmt: skip


def pool(number: int, **changes: Any) -> PoolRow:
    """A priced pool."""
    token, price = (("WETH", 3020.11), ("WBTC", 64410.5), ("WSOL", 142.31))[number % 3]
    amount = 1_204.5 / (number + 1) ** 2
    value = amount * price * 2
    base = PoolRow(
        symbol=f"{token.removeprefix('W')}-USD",
        enabled=True,
        priced=True,
        index=token.removeprefix("W"),
        long=token,
        short="USDC",
        long_amount=usd(amount),
        short_amount=usd(amount * price),
        value=usd(value),
        token_price=usd(1.0342),
        supply=usd(value / 1.0342),
        impact_long=usd(amount / 5_000),
        impact_short=usd(412.75),
        impact_position=usd(amount / 9_000),
        fees_long=usd(0.0312),
        fees_short=usd(88.4),
        long_oi=usd(900_000),
        short_oi=usd(512_345.67),
        traders_pnl=usd(-1_204.5 + number * 9_000),
        reserved=0.31 + number * 0.26,
        positions=48 - number * 3,
    )
    return replace(base, **changes)


def pools() -> tuple[PoolRow, ...]:
    """Two priced pools and one without a price."""
    unknown: dict[str, Any] = {"value": None, "token_price": None, "traders_pnl": None, "reserved": None}
    return (pool(0), pool(1), pool(2, priced=False, enabled=False, **unknown))


def status(**changes: Any) -> Status:
    """A quiet paper engine."""
    base = Status(
        mode="PAPER",
        venue="exchange",
        armed=True,
        observing=False,
        block=48_211,
        now_ms=NOW,
        feed=FeedHealth.LIVE,
        feed_age_ms=200,
        feed_text="",
        agent="venice",
        keepers=KeeperHealth.OK,
        keepers_text="",
        desks_open=9,
        desks_halted=1,
        desks_waiting=2,
        alarms=(),
        simulated="prices, fees, 48 traders",
        time_factor=1,
        liquidations=4,
    )
    return replace(base, **changes)


def snapshot(**changes: Any) -> Snapshot:
    """A picture with a little of everything."""
    desks = [desk(number) for number in range(12)]
    desks[2] = idle(2)
    desks[3] = replace(desks[3], pnl=None, liq_move=None, mark=None, exit=None)
    desks[4] = replace(desks[4], halted_by="ops", halted_at_ms=NOW - 300_000)
    desks[7] = replace(desks[7], phase=DeskPhase.UNKNOWN, note="close sent, no answer")
    desks[9] = idle(9, phase=DeskPhase.DECIDING, note="asking venice")
    markets = [market(number) for number in range(24)]
    markets[2] = replace(markets[2], health=FeedHealth.STALE, age_ms=14_000)
    markets[5] = replace(markets[5], health=FeedHealth.WIDE)
    base = Snapshot(
        seq=501,
        at_ms=NOW,
        status=status(),
        desks=tuple(desks),
        markets=tuple(markets),
        decisions=tuple(decision(number) for number in range(12)),
        liquidations=tuple(liquidation(number) for number in range(60)),
        queue=QueueCounts(ready=3, near=14, watched=9_204),
        keepers=(KeeperRow("requests", KeeperHealth.OK, 812, 4, ""),),
        funds=(("trade fund", usd(1_000_000)),),
        requests=requests(),
        request_counts=RequestCounts(3, 1, 120, 4, NOW - 12_000),
        pools=pools(),
        agent=agent(),
        flow=flow(),
    )
    return replace(base, **changes)


@dataclass
class ScriptedPort:
    """The whole contract of a port, without an engine."""

    picture: Snapshot = field(default_factory=snapshot)
    role: str = "operator"
    answer: Receipt | Exception | None = None
    """None accepts everything."""
    delay: float = 0.0
    history: list[Event] = field(default_factory=list)
    dropped: int = 0
    """Events that had left the ring when all were asked for."""
    past: tuple[MarketPoint, ...] | Exception = ()
    """What is held of every market, or why nothing can be said."""
    looked_back: list[tuple[str, int]] = field(default_factory=list)
    """What of the past was asked for."""
    commands: list[Command] = field(default_factory=list)
    pulls: int = 0

    def info(self) -> Info:
        return Info(local_info().version, self.role, "ops", past=self.picture.status.mode == "REPLAY")

    def latest(self) -> Snapshot:
        self.pulls += 1
        return self.picture

    def events(self, since: int) -> EventPage:
        return EventPage(
            tuple(event for event in self.history if event.number > since), self.dropped if since == 0 else 0
        )

    def want(self, names: Collection[str]) -> None:
        """Everything is at hand."""

    def lag_ms(self) -> int | None:
        return None

    async def market_history(self, market: str, since_ms: int) -> tuple[MarketPoint, ...]:
        self.looked_back.append((market, since_ms))
        if isinstance(self.past, Exception):
            raise self.past
        return tuple(point for point in self.past if point.at_ms >= since_ms)

    async def submit(self, command: Command) -> Receipt:
        self.commands.append(command)
        await asyncio.sleep(self.delay)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer or Receipt(command.id, True, "", "done", self.picture.seq)

    def show(self, **changes: Any) -> None:
        """Publishes a new snapshot."""
        self.picture = replace(self.picture, seq=self.picture.seq + 1, **changes)

    def change_desk(self, number: int, **changes: Any) -> None:
        """Publishes a snapshot in which one desk differs."""
        desks = list(self.picture.desks)
        desks[number] = replace(desks[number], **changes)
        self.show(desks=tuple(desks))
