"""The verbs that reach a running engine over its control socket, once: look at requests and pools, ask, credit."""

import asyncio
import json
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
import platformdirs

from engine.commands import Receipt
from engine.exchange_rows import Account, HeldPosition, PoolRow, RequestRow, RequestState, Wad
from engine.plain import plain
from engine.remote import RemotePort
from engine.requests import commands
from engine.requests.commands import RequestCommand
from engine.text import clean
from engine.where import is_served
from tui.options import options_of
from tui.tables import table

T = TypeVar("T")
WAD = 10**18
WAITING = (RequestState.PENDING, RequestState.FROZEN)


class Refused(Exception):
    """The engine has answered no: `CODE: why`."""


def default_state() -> Path:
    """The state directory of `perpdesk run`."""
    return platformdirs.user_data_path("perpdesk") / "paper"


def reached(state: Path | None) -> Path:
    """Whose engine is asked: the one that is named, else that of `run`, or of `run --live` when only that one runs."""
    if state is not None:
        return state
    live = platformdirs.user_data_path("perpdesk") / "live"
    return live if not is_served(default_state()) and is_served(live) else default_state()


state = click.option(
    "--state", type=click.Path(path_type=Path, file_okay=False), help="State directory of the engine; that of `run`."
)
as_json = click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")


def ask(state: Path | None, question: Callable[[RemotePort], Any]) -> Any:  # noqa: ANN401 - what was asked for
    async def once() -> Any:  # noqa: ANN401
        async with await RemotePort.connect(reached(state)) as port:
            return await question(port)

    return asyncio.run(once())


@click.command()
@click.option("--waiting", is_flag=True, help="Only those that wait for a keeper.")
@as_json
@state
def requests(waiting: bool, as_json: bool, state: Path | None) -> None:
    """List deposits, withdrawals and orders of a running engine; those that wait come first."""
    rows: tuple[RequestRow, ...] = ask(state, RemotePort.latest).requests
    rows = tuple(sorted(rows, key=lambda row: row.state not in WAITING))
    if waiting:
        rows = tuple(row for row in rows if row.state in WAITING)
    show(rows, as_json, _request_cells)


@click.command()
@as_json
@state
def pools(as_json: bool, state: Path | None) -> None:
    """List the pool markets of a running engine."""
    show(ask(state, RemotePort.latest).pools, as_json, _pool_cells)


@click.command()
@as_json
@state
def account(as_json: bool, state: Path | None) -> None:
    """List your own free tokens and open positions on the exchange of a running engine."""
    mine: Account = ask(state, RemotePort.latest).mine
    if as_json:
        click.echo(json.dumps(plain(mine)))
        return
    click.echo(table([{"token": each.token, "free": amount(each.amount)} for each in mine.holdings]))
    if mine.positions:
        click.echo()
        click.echo(table([_position_cells(each) for each in mine.positions]))


def _position_cells(row: HeldPosition) -> dict[str, object]:
    return {
        "position": row.number or "",
        "market": row.market,
        "side": row.side,
        "size": amount(row.size),
        "collateral": f"{amount(row.collateral)} {row.collateral_token}",
        "pnl": amount(row.pnl),
    }


def show(rows: tuple[T, ...], as_json: bool, cells: Callable[[T], dict[str, object]]) -> None:
    click.echo(json.dumps([plain(row) for row in rows]) if as_json else table([cells(row) for row in rows]))


def _request_cells(row: RequestRow) -> dict[str, object]:
    return {
        "key": row.key,
        "kind": row.kind,
        "account": row.account,
        "market": row.market,
        "side": row.side or "",
        "amount": row.amount,
        "size": amount(row.size, ""),
        "trigger": amount(row.trigger, ""),
        "state": row.state,
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(row.at_ms / 1000)),
        "keeper": row.keeper,
        "reason": row.reason,
    }


def _pool_cells(row: PoolRow) -> dict[str, object]:
    return {
        "pool": row.symbol,
        "enabled": "yes" if row.enabled else "no",
        "long": f"{amount(row.long_amount)} {row.long}",
        "short": f"{amount(row.short_amount)} {row.short}",
        "value": amount(row.value),
        "token price": amount(row.token_price),
        "supply": amount(row.supply),
        "long oi": amount(row.long_oi),
        "short oi": amount(row.short_oi),
        "traders pnl": amount(row.traders_pnl),
        "reserved": "?" if row.reserved is None else f"{row.reserved:.1%}",
        "positions": row.positions,
    }


def amount(value: Wad | None, unknown: str = "?") -> str:
    """Four decimals, truncated: a table is for reading, the JSON is for computing."""
    if value is None:
        return unknown
    whole, rest = divmod(abs(value) * 10**4 // WAD, 10**4)
    return f"{'-' if value < 0 else ''}{whole:,}.{rest:04d}"


def cents(value: Wad | None) -> str:
    """Two decimals, truncated, without separators: to be typed."""
    return "?" if value is None else f"{value * 100 // WAD / 100:.2f}"


@click.group()
def request() -> None:
    """Ask a running engine for something, once.

    Exit status 0 when it was done, 79 when the engine refused, 76 when no answer came in time: then nobody
    knows. Repeating deposit, withdraw or order with the same --id never creates a second one, not even after a
    restart; for the others that holds as long as the engine runs, so look first.
    """


def _submit(
    kind: type[RequestCommand],
    as_json: bool,
    state: Path | None,
    id_: str,
    expires: int,
    **terms: Any,  # noqa: ANN401 - the fields of `kind`
) -> None:
    async def send(port: RemotePort) -> Receipt:
        who = (await port.info()).operator
        if "account" in terms:
            terms["account"] = terms["account"] or who
        until = time.time_ns() // 10**6 + expires * 1000
        return await port.submit(kind(id=id_ or uuid.uuid4().hex, who=who, seen_seq=0, expires_at_ms=until, **terms))

    answered(ask(state, send), as_json)


def answered(receipt: Receipt, as_json: bool) -> None:
    """Says what became of a command. Raises Refused."""
    if as_json:
        click.echo(json.dumps(plain(receipt)))
    if not receipt.ok:
        raise Refused(f"{receipt.code}: {clean(receipt.text)}")
    click.echo(f"perpdesk: {clean(receipt.text)}", err=True)


def _verb(name: str, kind: type[RequestCommand], *arguments: str) -> click.Command:
    def run(**values: Any) -> None:  # noqa: ANN401 - the options
        _submit(kind, **values)

    params: list[click.Parameter] = options_of(kind, arguments)
    command = click.command(name, params=params, help=kind.__doc__)(run)
    for option in (
        state,
        as_json,
        click.option(
            "--expires",
            type=click.IntRange(1, 86_400),
            default=30,
            show_default=True,
            metavar="SECONDS",
            help="After this long it is not meant any more.",
        ),
        click.option(
            "--id",
            "id_",
            default="",
            help="Good for one command, so that a repetition does nothing; a new one by default.",
        ),
    ):
        option(command)
    return command


for _name, _kind, _arguments in (
    ("deposit", commands.CreateDeposit, ()),
    ("withdraw", commands.CreateWithdrawal, ()),
    ("order", commands.CreateOrder, ()),
    ("update", commands.UpdateOrder, ("key",)),
    ("cancel", commands.CancelRequest, ("key",)),
    ("retry", commands.RetryRequest, ("key",)),
    ("claim", commands.ClaimTokens, ("what",)),
):
    request.add_command(_verb(_name, _kind, *_arguments))
credit = _verb("credit", commands.CreditPaper, "account", "token", "amount")
VERBS: tuple[click.Command, ...] = (requests, pools, account, request, credit)
