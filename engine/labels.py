"""What an engine calls itself: its agent, its mode, whose accounts are whose, and what no setting of it could do."""

from decimal import Decimal
from functools import cache

from engine.agent.venice import Venice
from engine.agent.venice_state import VeniceOptions
from engine.clock import Clock
from engine.config import ConfigError, Settings
from engine.demo.names import is_simulated
from engine.demo.stage import Demo
from engine.desk_rows import AgentRow
from engine.paper_wallet import DESK_PREFIX
from engine.places import Places
from engine.view import Label
from engine.who import local_operator
from venue.exchange.paper import MIN_NOTIONAL

MICRO_USDC = 10**6


def venice_of(settings: Settings, clock: Clock) -> Venice | None:
    """The first tier, where it is switched on and there is a key or a wallet to get one. Raises ConfigError."""
    if not settings.venice_agent_enabled or not (settings.venice_api_key or settings.venice_auto_mint_key):
        return None
    venice = settings.venice
    try:
        options = VeniceOptions(
            url=venice.url,
            api_key=settings.venice_api_key,
            mint_key=settings.venice_auto_mint_key,
            model=venice.model,
            timeout_s=float(venice.timeout_s),
            in_flight=venice.in_flight,
            consumption_diem=venice.consumption_diem,
            consumption_usd=venice.consumption_usd,
        )
    except ValueError as error:
        raise ConfigError(f"venice: {error}") from error
    return Venice(options, clock)


def agent_row(settings: Settings, venice: Venice | None) -> AgentRow:
    """How the agent is doing."""
    degen = venice is None and not settings.signal.enabled
    if venice is None:
        off = "switched off" if not settings.venice_agent_enabled else "no key: set VENICE_API_KEY"
        return AgentRow(tier="degen" if degen else "signal", phase=off, degen=degen)
    state = venice.state()
    return AgentRow(
        tier="venice",
        phase=state.text,
        model=state.model,
        key_source=state.key_source,
        balance_diem="" if state.balance_diem is None else str(state.balance_diem),
        balance_usd="" if state.balance_usd is None else str(state.balance_usd),
        requests_left=state.requests_left,
        asked=state.asked,
        answered=state.answered,
        failed=state.failed,
        latency_ms=state.last_latency_ms,
    )


def label_of(settings: Settings, demo: Demo | None, places: Places, venice: Venice | None) -> Label:
    """What the status line says that does not change while the engine runs."""
    degen = venice is None and not settings.signal.enabled
    return Label(
        mode=places.mode,
        venue=places.name,
        agent="DEGEN" if degen else "venice" if venice else "signal",
        simulated=places.simulated,
        time_factor=demo.factor if demo else 1,
        block_seconds=settings.exchange.block_seconds,
        markets=settings.exchange.markets,
        operator=local_operator(),
        standing_alarms=(*(("DEGEN: the entry filter is switched off",) if degen else ()), *_never(settings)),
    )


def _never(settings: Settings) -> tuple[str, ...]:
    """Settings under which no desk could ever open, said aloud."""
    risk = settings.risk
    most = min(risk.max_position_usdc, risk.max_market_usdc, risk.max_wallet_usdc, risk.max_daily_usdc)
    worth = most * min(risk.leverage, Decimal(settings.avantis_max_leverage))
    if worth < MIN_NOTIONAL // MICRO_USDC:
        return (f"no desk can open: {most} USDC at {risk.leverage:g}x is below the minimum notional",)
    if risk.min_deploy_usdc > most:
        return (f"no desk can open: risk.min_deploy_usdc {risk.min_deploy_usdc} is above the caps",)
    return ()


def is_looked_at(account: str) -> bool:
    """Whether somebody here wants to see an account's positions: the desks', and the operator's own."""
    return account.startswith(DESK_PREFIX) or account == _operator()


@cache
def _operator() -> str:
    return local_operator()


def owner_of(account: str) -> tuple[str, bool]:
    """Whose an account of the exchange is, and whether they are simulated."""
    return account.removeprefix(DESK_PREFIX), is_simulated(account)
