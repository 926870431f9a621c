"""A replay in words, tables, plots and JSON."""

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime

from engine.agent.outcomes import Outcome
from engine.agent.replay import Decision, Result, Row, Terms
from tui import plot
from tui.tables import table
from venue.pyth import RefusalCode

_FALLBACK = (100, 24)
_OUT_OF_TIME = frozenset((RefusalCode.OUT_OF_ORDER, RefusalCode.STALE_ON_ARRIVAL))


def moment(at_ms: int) -> str:
    """A time (unix ms) in UTC, to the second."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def counts(result: Result) -> str:
    """How many prices passed the checks, and why the others did not."""
    reasons = ", ".join(f"{code} {number:,}" for code, number in sorted(result.refused.items()))
    return f"{result.accepted:,} prices accepted, {sum(result.refused.values()):,} refused" + (
        f" ({reasons})" if reasons else ""
    )


def remarks(result: Result, terms: Terms) -> Iterator[str]:
    """What somebody should know who reads the figures."""
    if result.first_ms is not None and result.last_ms is not None:
        yield f"{moment(result.first_ms)} to {moment(result.last_ms)}: {counts(result)}"
    if _OUT_OF_TIME & result.refused.keys():
        yield "prices that came late were refused: are the lines in the order of time?"
    if not terms.signal.enabled:
        yield "signal.enabled is false: the live agent would not ask the signal engine, it would always be long"
    if all(each.momentum is None for each in result.decisions):
        yield (
            "at no decision were there enough fresh samples: either the recording is shorter than the window, or its "
            f"prices are more than {terms.max_age_s} s apart (--max-age)"
        )


def plots(result: Result, *, colour: bool) -> str:
    """Every market that has prices, one below the other, as wide as the terminal."""
    width = shutil.get_terminal_size(_FALLBACK).columns
    drawn = []
    for market, line in result.traces.items():
        entries = [each for each in result.decisions if each.allow and each.market == market]
        longs = [(each.at_ms, each.price) for each in entries if each.is_long and each.price is not None]
        shorts = [(each.at_ms, each.price) for each in entries if not each.is_long and each.price is not None]
        if len(line) > 1:
            drawn.append(plot.prices(market, line, longs, shorts, width, colour=colour))
    return "\n\n".join([*drawn, ""]) if drawn else "too few samples to draw\n"


def tables(result: Result) -> str:
    """Decisions and parameters, for a person."""
    decisions = table([_decision_cells(each) for each in result.decisions])
    rows = table([_row_cells(row) for row in result.rows])
    return f"Decisions\n{decisions}\n\nParameters\n{rows}"


def _decision_cells(each: Decision) -> dict[str, object]:
    unknown = "?" if each.allow else ""
    found = each.outcome
    return {
        "time": moment(each.at_ms),
        "market": each.market,
        "answer": ("long" if each.is_long else "short") if each.allow else "wait",
        "momentum": _share(each.momentum),
        "volatility": _share(each.volatility),
        "after": _share(found.after) if found else unknown,
        "best": _share(found.best) if found else unknown,
        "worst": _share(found.worst) if found else unknown,
        "reason": each.reason,
    }


def _row_cells(row: Row) -> dict[str, object]:
    return {
        "configured": "yes" if row.configured else "",
        "lookback s": f"{row.signal.momentum_lookback_ms / 1000:g}",
        "momentum": _share(float(row.signal.entry_momentum_pct), 3),
        "volatility": _share(float(row.signal.max_volatility_pct), 3),
        "entries": row.entries,
        "longs": row.longs,
        "shorts": row.shorts,
        "judged": row.judged,
        "mean": _share(row.mean, 3),
        "gained": _share(row.gained, 0),
        "worst": _share(row.worst),
    }


def _share(value: float | None, digits: int = 2) -> str:
    return "?" if value is None else f"{value:.{digits}%}"


def document(result: Result, terms: Terms) -> str:
    """The same for a script: times in unix ms, shares as fractions, null for what is unknown."""
    return json.dumps(
        {
            "firstMs": result.first_ms,
            "lastMs": result.last_ms,
            "markets": terms.markets,
            "terms": {
                "sampleMs": terms.sample_ms,
                "everyMs": terms.every_ms,
                "horizonMs": terms.horizon_ms,
                "maxAgeS": terms.max_age_s,
                "cost": terms.cost,
            },
            "prices": {"accepted": result.accepted, "refused": dict(sorted(result.refused.items()))},
            "decisions": [_decision_object(each) for each in result.decisions],
            "parameters": [_row_object(row) for row in result.rows],
        },
        allow_nan=False,
    )


def _decision_object(each: Decision) -> dict[str, object]:
    return {
        "timeMs": each.at_ms,
        "market": each.market,
        "allow": each.allow,
        "side": "long" if each.is_long else "short",
        "momentum": each.momentum,
        "volatility": each.volatility,
        "price": each.price,
        "reason": each.reason,
        "outcome": _outcome_object(each.outcome),
    }


def _outcome_object(found: Outcome | None) -> dict[str, float] | None:
    return None if found is None else {"after": found.after, "best": found.best, "worst": found.worst}


def _row_object(row: Row) -> dict[str, object]:
    return {
        "configured": row.configured,
        "entryMomentumPct": float(row.signal.entry_momentum_pct),
        "maxVolatilityPct": float(row.signal.max_volatility_pct),
        "momentumLookbackMs": row.signal.momentum_lookback_ms,
        "entries": row.entries,
        "longs": row.longs,
        "shorts": row.shorts,
        "judged": row.judged,
        "mean": row.mean,
        "gained": row.gained,
        "worst": row.worst,
    }
