"""`perpdesk signals`: what the signal engine would have decided on recorded prices."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO

import click
from pydantic import ValidationError

from engine.agent.recording import Recording, RecordingCode, RecordingError, simulated
from engine.agent.replay import COST, Result, Terms, grid, replay
from engine.assembly import AGENT_MARKETS, DESK_MANAGER, PRICE_SAMPLER
from engine.config import Settings, explain, load
from engine.sections import Signal
from engine.worker import Cadence
from tui import signals_text
from tui.options import Amount
from venue.pyth import BASE_PRICES, FEEDS, PricePolicy

MOST_ROWS = 400
_TIMES_MOMENTUM = (Decimal("0.5"), Decimal(1), Decimal(2), Decimal(4))
_TIMES_VOLATILITY = (Decimal("0.1"), Decimal(1))
_TIMES_LOOKBACK = (Decimal("0.3"), Decimal(1), Decimal(2))
_LONGEST_LOOKBACK_MS = 86_400_000


def _midpoint(cadence: Cadence) -> int:
    return round((cadence.shortest + cadence.longest) / 2)


def _seconds(name: str, default: int, help_: str) -> click.Option:
    kind = click.IntRange(1, 86_400)
    return click.Option([name], type=kind, default=default, show_default=True, metavar="SECONDS", help=help_)


@click.group()
def signals() -> None:
    """Replay recorded prices through the signal engine, and make some to try it on."""


_REPLAY_OPTIONS: list[click.Parameter] = [
    click.Argument(["file"], type=click.Path(allow_dash=True)),
    click.Option(
        ["--config"], type=click.Path(path_type=Path, dir_okay=False), help="Configuration file (TOML), for [signal]."
    ),
    click.Option(
        ["--market"],
        multiple=True,
        type=click.Choice(list(FEEDS)),
        metavar="SYMBOL",
        help="ETH, BTC ...; the agent's by default; repeat.",
    ),
    _seconds("--sample-s", _midpoint(PRICE_SAMPLER), "Between two samples."),
    _seconds("--every", _midpoint(DESK_MANAGER), "Between two decisions."),
    _seconds("--horizon", 3600, "After this long it is looked what an entry has brought."),
    _seconds("--max-age", PricePolicy().trade_age_s, "An older price is stale; more for recordings with few rows."),
    click.Option(
        ["--cost"], type=Amount(), default=str(COST), show_default=True, help="Round trip, as a fraction of notional."
    ),
    click.Option(["--momentum"], multiple=True, type=Amount(), help="entryMomentumPct to compare; repeat."),
    click.Option(["--volatility"], multiple=True, type=Amount(), help="maxVolatilityPct to compare; repeat."),
    click.Option(
        ["--lookback"],
        multiple=True,
        type=click.IntRange(1, 86_400),
        metavar="SECONDS",
        help="momentumLookbackMs to compare, here in seconds; repeat.",
    ),
    click.Option(["--plot/--no-plot"], default=None, help="Draw the prices; by default on a terminal only."),
    click.Option(["--no-color"], is_flag=True, help="ASCII without colours, as with NO_COLOR."),
    click.Option(["--json", "as_json"], is_flag=True, help="One JSON document on stdout."),
]


def _replay(
    *,
    file: str,
    config: Path | None,
    market: tuple[str, ...],
    sample_s: int,
    every: int,
    horizon: int,
    max_age: int,
    cost: Decimal,
    momentum: tuple[Decimal, ...],
    volatility: tuple[Decimal, ...],
    lookback: tuple[int, ...],
    plot: bool | None,
    no_color: bool,
    as_json: bool,
) -> None:
    """What the signal engine would have decided on the prices in FILE, and what came of it.

    FILE is CSV with the header time,market,price, or the JSON lines of a Hermes stream; - is stdin.
    docs/signals.md has the formats and the columns.
    """
    if as_json and plot:
        raise click.UsageError("--plot and --json exclude each other")
    if cost >= 1:
        raise click.UsageError(f"--cost: {cost} is not a fraction; expected less than 1, like {COST}")
    settings = load(config)
    terms = Terms(
        signal=settings.signal,
        markets=tuple(dict.fromkeys(market)) or _agent_markets(settings),
        alternatives=_alternatives(settings.signal, momentum, volatility, tuple(each * 1000 for each in lookback)),
        sample_ms=sample_s * 1000,
        every_ms=every * 1000,
        horizon_ms=horizon * 1000,
        cost=float(cost),
        max_age_s=max_age,
    )
    result, assumed = _run(file, terms)
    for words in (*signals_text.remarks(result, terms), assumed):
        click.echo(f"perpdesk: {words}", err=True)
    if as_json:
        click.echo(signals_text.document(result, terms))
        return
    if sys.stdout.isatty() if plot is None else plot:
        click.echo(signals_text.plots(result, colour=not no_color and _colour()))
    click.echo(signals_text.tables(result))


signals.add_command(click.command("replay", params=_REPLAY_OPTIONS)(_replay))


def _agent_markets(settings: Settings) -> tuple[str, ...]:
    """Those the live agent may choose from."""
    listed = settings.exchange.markets
    return tuple(symbol for symbol in listed if symbol in AGENT_MARKETS) or listed


def _alternatives(
    signal: Signal, momentums: Sequence[Decimal], volatilities: Sequence[Decimal], lookbacks_ms: Sequence[int]
) -> tuple[Signal, ...]:
    """The parameters asked for; where none were, some around the configured ones."""
    momentums = momentums or _around(signal.entry_momentum_pct, _TIMES_MOMENTUM, Decimal(1))
    volatilities = volatilities or _around(signal.max_volatility_pct, _TIMES_VOLATILITY, Decimal(1))
    configured_s = Decimal(signal.momentum_lookback_ms) / 1000
    around = _around(configured_s, _TIMES_LOOKBACK, Decimal(_LONGEST_LOOKBACK_MS) / 1000)
    lookbacks_ms = lookbacks_ms or [max(1, round(each)) * 1000 for each in around]
    if (rows := len(momentums) * len(volatilities) * len(lookbacks_ms)) > MOST_ROWS:
        raise click.UsageError(f"{rows} combinations of parameters; expected at most {MOST_ROWS}")
    try:
        return grid(signal, momentums, volatilities, lookbacks_ms)
    except ValidationError as error:
        raise click.UsageError(explain(error, Signal)) from error


def _around(value: Decimal, times: Sequence[Decimal], most: Decimal) -> list[Decimal]:
    return [min(value * factor, most) for factor in times]


def _run(file: str, terms: Terms) -> tuple[Result, str]:
    """The result, and what the recording left to be assumed."""
    name = "stdin" if file == "-" else file
    try:
        with _opened(file) as stream:
            recording = Recording(stream, name)
            result = replay(recording, terms)
    except OSError as error:
        raise RecordingError(RecordingCode.UNREADABLE, f"{name}: {error.strerror or error}") from error
    if result.first_ms is None:
        words = f"{name}: no price of {', '.join(terms.markets)} that passes the checks; {signals_text.counts(result)}"
        raise RecordingError(RecordingCode.NO_PRICES, words)
    return result, recording.assumed


@contextmanager
def _opened(file: str) -> Iterator[BinaryIO]:
    if file == "-":
        yield sys.stdin.buffer
        return
    with Path(file).open("rb") as stream:
        yield stream


def _colour() -> bool:
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    encoding = (sys.stdout.encoding or "").lower().replace("-", "")
    return sys.stdout.isatty() and not plain and encoding == "utf8"


@signals.command("simulate")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=1, show_default=True, help="What is invented.")
@click.option("--hours", type=click.IntRange(1, 720), default=24, show_default=True, help="How much of it.")
@click.option("--step", type=click.IntRange(1, 3600), default=5, show_default=True, help="Seconds between two prices.")
@click.option(
    "--market",
    multiple=True,
    type=click.Choice(list(BASE_PRICES)),
    default=AGENT_MARKETS,
    metavar="SYMBOL",
    show_default=True,
    help="May be repeated.",
)
def simulate_prices(seed: int, hours: int, step: int, market: tuple[str, ...]) -> None:
    """Write a recording of simulated prices to stdout, as CSV: something to replay."""
    click.echo(f"perpdesk: simulated prices from seed {seed}: nobody ever traded at them", err=True)
    for line in simulated(seed, hours, step, tuple(dict.fromkeys(market))):
        click.echo(line)
