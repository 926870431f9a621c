"""`perpdesk simulate`: reads a scenario, runs it, writes what came of it."""

import json
import sys
from pathlib import Path
from typing import Any

from engine.replay import world_of
from venue.exchange.scenario.simulation import Json, ScenarioError, Simulation, run

MAX_BYTES = 64 * 1024 * 1024
LONGEST_INTEGER = 80


def simulate(file: str, from_state: Path | None, market: str | None) -> Json:
    """Results and state of the scenario in `file` (`-` is stdin). Raises ScenarioError or StoreError."""
    scenario = _read(file)
    if from_state is None:
        return run(scenario)
    exchange = world_of(from_state).exchange
    symbol = market or next(iter(exchange.markets), "")
    if symbol not in exchange.markets:
        listed = ", ".join(exchange.markets) or "none"
        raise ScenarioError("UNKNOWN_MARKET", f"--market: {symbol!r} is not listed; expected one of {listed}")
    return run(scenario, Simulation(exchange, symbol))


def _read(file: str) -> object:
    name = "stdin" if file == "-" else file
    try:
        if file == "-":
            data = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with Path(file).open("rb") as stream:
                data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise ScenarioError("UNREADABLE", f"{name}: {error.strerror}") from error
    if len(data) > MAX_BYTES:
        raise ScenarioError("UNREADABLE", f"{name}: more than {MAX_BYTES:,} bytes")
    try:
        parsed: object = json.loads(data, parse_int=_integer, parse_constant=_refuse, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise ScenarioError("UNREADABLE", f"{name}: not a scenario: {error}") from error
    return parsed


def _integer(text: str) -> int | str:
    """Integers too long to be meant stay text, which the operation that carries one refuses."""
    return int(text) if len(text) <= LONGEST_INTEGER else text


def _refuse(text: str) -> object:
    raise ValueError(f"{text} is not JSON")


def _unique(pairs: list[tuple[str, Any]]) -> Json:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key appears twice in one object")
    return found


def tables(outcome: Json) -> str:
    """The same for a person: results, market and funds, positions."""
    state = outcome["state"]
    if "pools" in state:
        return _pool_tables(outcome)
    results = [{"op": number, **_flat(result)} for number, result in enumerate(outcome["results"], 1)]
    funds = {**state["funds"]}
    wallets = funds.pop("userWallets")
    blocks = [
        ("Results", results),
        ("Market", [{"": key, "value": value} for key, value in state["market"].items()]),
        ("Funds", [{"": key, "value": value} for key, value in (funds | _prefixed(wallets)).items()]),
        ("Positions", [_flat(position) for position in state["positions"]]),
    ]
    return "\n\n".join(f"{title}\n{_table(rows)}" for title, rows in blocks)


def _pool_tables(outcome: Json) -> str:
    """Results by what happened; then pools, positions, what still waits, and who holds what."""
    state = outcome["state"]
    results = [{"op": number, **_happened(result)} for number, result in enumerate(outcome["results"], 1)]
    pools = [{"": symbol, **_spread(pool)} for symbol, pool in state["pools"].items()]
    columns = [{"": name, **{pool[""]: pool[name] for pool in pools}} for name in (pools[0] if pools else {}) if name]
    held = [{"": owner, **tokens} for owner, tokens in (state["wallets"] | state["vaults"]).items()]
    blocks = [
        ("Results", results),
        ("Pools", columns),
        ("Positions", state["positions"]),
        ("Requests", [row | {"key": row["key"][:12]} for row in state["requests"]]),
        ("Wallets and vaults", held),
    ]
    return "\n\n".join(f"{title}\n{_table(rows)}" for title, rows in blocks)


def _happened(result: Json) -> Json:
    """One line of a result: what happened, to which request, or why not."""
    if not result["ok"]:
        return {"happened": result["error"], "detail": result["detail"]}
    facts = [name for name in result if name not in ("ok", "request")]
    reasons = [f"{fact['reason']} {fact['detail']}" for name in facts if "reason" in (fact := result[name])]
    return {"happened": ", ".join(facts), "request": result.get("request", ""), "detail": "; ".join(reasons)}


def _spread(pool: Json) -> Json:
    """A pool's figures, one per token where there are two."""
    spread: Json = {}
    for name, figure in pool.items():
        spread |= (
            {f"{name} {token}": each for token, each in figure.items()} if isinstance(figure, dict) else {name: figure}
        )
    return spread


def _prefixed(wallets: Json) -> Json:
    return {f"wallet {user}": amount for user, amount in wallets.items()}


def _flat(row: Json) -> Json:
    health: Json = row.get("health", {})
    return {key: value for key, value in row.items() if key != "health"} | health


def _table(rows: list[Json]) -> str:
    if not rows:
        return "  none"
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = [[name, *(_cell(row.get(name, "")) for row in rows)] for name in names]
    padded = [_aligned(column) for column in columns]
    return "\n".join("  " + "  ".join(line).rstrip() for line in zip(*padded, strict=True))


def _cell(value: object) -> str:
    """Numbers with eight of their eighteen decimals: a table is for reading, the JSON is for computing."""
    text = "".join(char if char.isprintable() else "?" for char in str(value))
    whole, dot, fraction = text.partition(".")
    return f"{whole}.{fraction[:8]}" if dot and len(fraction) in (18, 30) else text


def _aligned(column: list[str]) -> list[str]:
    """Numbers to the right, their title with them; words to the left."""
    width = max(map(len, column))
    numeric = all(cell.lstrip("-").replace(".", "", 1).isdigit() for cell in column[1:] if cell)
    return [cell.rjust(width) if numeric else cell.ljust(width) for cell in column]
