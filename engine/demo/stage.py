"""Sets the demo's stage: a Hermes simulator on loopback, and settings under which a newcomer need not wait.

The simulator is spoken to like the real Hermes: over its sockets, with a key, through the same client.
"""

import os
import secrets
from dataclasses import dataclass
from decimal import Decimal

import structlog
from pydantic import SecretStr

from engine.clock import Clock
from engine.config import Settings
from engine.demo.tokens import demo_tokens
from engine.desks.commands import StartSimulation
from engine.sections import Desks, Pyth
from engine.settlement import Settlement
from engine.taken import PortTaken
from engine.who import local_operator
from store.errors import WrongState
from venue.exchange.commands import Deposit
from venue.exchange.fixed import wad
from venue.exchange.requests.commands import Credit
from venue.exchange.tokens import TOKENS
from venue.pyth import FEEDS, PricePath, demo_script
from venue.pyth.simulator import HermesSimulator

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


POCKET = {"WETH": 100, "WBTC": 2, "USDC": 100_000}


@dataclass(frozen=True, slots=True)
class Demo:
    """What a demo invents comes from `seed`; cadences and the momentum window run `factor` times as fast."""

    seed: int
    factor: int = 60
    leverage: int = 20
    block_seconds: int = 1
    port: int = 0


@dataclass(frozen=True, slots=True)
class Stage:
    """A running simulator, and the settings that point at it."""

    simulator: HermesSimulator
    settings: Settings
    seed: int


async def set_stage(demo: Demo, settings: Settings, settlement: Settlement, clock: Clock) -> Stage:
    """Starts the simulator where an earlier run on the same state left its prices. Raises PortTaken."""
    if settlement.seq == 0:
        await settlement.submit(StartSimulation(demo.seed, clock.now_ms()))
        await _equip(settlement, local_operator())
    started = await settlement.read(lambda world: world.house.simulation)
    if started is None:
        raise WrongState("NOT_A_DEMO", "the state directory belongs to `perpdesk run`; name another --state")
    if started.seed != demo.seed:
        log.info("continuing an earlier demo", seed=started.seed, asked=demo.seed)
    key = SecretStr(secrets.token_urlsafe(16))
    path = PricePath(started.seed, started.origin_ms, speed=demo.factor, script=demo_script(started.seed))
    simulator = HermesSimulator(path, FEEDS, key, clock.now_ms, port=demo.port)
    try:
        await simulator.start()
    except OSError as error:
        raise PortTaken(
            f"port {demo.port} of the price simulator: {os.strerror(error.errno or 0).lower()}; name another --port"
        ) from error
    return Stage(simulator, _demo_settings(demo, settings, simulator.url, key, started.seed), started.seed)


async def _equip(settlement: Settlement, operator: str) -> None:
    """Paper money for whoever sits at the terminal, so that they can try requests."""
    for token, amount in POCKET.items():
        await settlement.submit(Credit(operator, token, amount * TOKENS[token].unit))
    await settlement.submit(Deposit(operator, wad(10_000)))


def _demo_settings(demo: Demo, settings: Settings, url: str, key: SecretStr, seed: int) -> Settings:
    pyth = Pyth(url=url, key=key, transport=settings.pyth.transport)
    return at_pace(demo, settings, seed).model_copy(update={"pyth": pyth})


def at_pace(demo: Demo, settings: Settings, seed: int) -> Settings:
    """The settings of a demo, but for where its prices come from."""
    lookback = settings.signal.momentum_lookback_ms // demo.factor
    return settings.model_copy(
        update={
            "exchange": settings.exchange.model_copy(
                update={"block_seconds": Decimal(demo.block_seconds), "request_keepers": 2}
            ),
            "signal": settings.signal.model_copy(update={"momentum_lookback_ms": max(1_000, lookback)}),
            "risk": settings.risk.model_copy(
                update={
                    "leverage": Decimal(demo.leverage),
                    "open_interval_s": settings.risk.open_interval_s // demo.factor,
                }
            ),
            "desks": Desks(tokens=demo_tokens(seed)),
        }
    )
