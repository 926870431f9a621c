"""All that can be created: for each kind its fields, how each is checked, and the command it becomes."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from engine.requests.commands import CreateDeposit, CreateOrder, CreateWithdrawal
from tui.forms.draft import Draft, Wrong, number
from tui.orders import EnvelopeFields
from venue.exchange.requests.request import OrderType

Created = CreateDeposit | CreateWithdrawal | CreateOrder


@dataclass(frozen=True)
class Field:
    """One line of a form."""

    name: str
    check: Callable[[str, Draft], None]
    """Raises `Wrong` for an entry that cannot be meant."""
    hint: Callable[[Draft], str] = lambda draft: ""
    """The unit, or what an empty field means."""
    choices: Callable[[Draft], tuple[str, ...]] | None = None
    """None where the entry is typed."""
    shown: Callable[[Draft], bool] = lambda draft: True
    letters: bool = False
    """Whether letters are typed into it."""


@dataclass(frozen=True)
class Kind:
    """One thing that can be created."""

    name: str
    what: str
    fields: tuple[Field, ...]
    build: Callable[[EnvelopeFields, str, Draft], Created]

    def shown(self, draft: Draft) -> list[Field]:
        """The fields that the entries so far leave open."""
        return [field for field in self.fields if field.shown(draft)]

    def check(self, draft: Draft) -> None:
        """Raises `Wrong` for the first field that cannot be meant."""
        for field in self.shown(draft):
            if field.choices is not None and draft.text(field.name) not in field.choices(draft):
                raise Wrong(field.name, draft.text(field.name), f"one of {', '.join(field.choices(draft)) or 'none'}")
            field.check(field.name, draft)


def _any(field: str, draft: Draft) -> None:
    """A choice is checked against its choices only."""


def _needed(field: str, draft: Draft) -> None:
    if number(field, draft.text(field)) <= 0:
        raise Wrong(field, draft.text(field), "more than nought")


def _amount(field: str, draft: Draft) -> None:
    draft.amount(field)


def _price(field: str, draft: Draft) -> None:
    price = draft.price(field)
    if price is not None and price <= 0:
        raise Wrong(field, draft.text(field), "more than nought, or nothing")


def _deposited(field: str, draft: Draft) -> None:
    if draft.amount(field) <= 0 and draft.amount("long amount") <= 0:
        raise Wrong(field, draft.text(field), "an amount here or in long amount")


def _path(field: str, draft: Draft) -> None:
    if not draft.path(field):
        raise Wrong(field, draft.text(field), f"pools like {','.join(draft.pools()[:2])}")


def _position(field: str, draft: Draft) -> None:
    text = draft.text(field).removeprefix("#").replace(",", "")
    if not (text.isascii() and text.isdecimal() and int(text) > 0):
        raise Wrong(field, draft.text(field), "a position's number like 18204")


def _unit(text: str) -> Callable[[Draft], str]:
    return lambda draft: text


def _in_pool(draft: Draft) -> bool:
    return draft.pool() is not None


_POOL = Field("market", _any, _unit("pool"), Draft.pools)
_MARKET = Field("market", _any, lambda draft: "pool" if _in_pool(draft) else "curve", Draft.markets)
_SIDE = Field("side", _any, choices=lambda draft: ("long", "short"))
_TOKEN = Field("collateral in", _any, choices=Draft.collateral_tokens, shown=_in_pool)
_SIZE = Field("size", _needed, _unit("USD"))
_TRIGGER = Field("trigger", _needed, _unit("USD per token"))
_ACCEPTABLE = Field("acceptable", _price, _unit("USD per token; empty: any"))
_COLLATERAL = Field(
    "collateral", _needed, lambda draft: draft.of(draft.text("collateral in") if _in_pool(draft) else "USD")
)
_TAKEN_OUT = Field(
    "take out", _amount, lambda draft: f"{draft.text('collateral in') if _in_pool(draft) else 'USD'}; empty: none"
)
_POSITION = Field("position", _position, _unit("its number"), shown=lambda draft: not _in_pool(draft))


def _deposit(envelope: EnvelopeFields, account: str, draft: Draft) -> Created:
    return CreateDeposit(
        **envelope,
        account=account,
        market=draft.text("market"),
        long_amount=draft.amount("long amount"),
        short_amount=draft.amount("short amount"),
        min_market_tokens=draft.amount("at least"),
    )


def _withdrawal(envelope: EnvelopeFields, account: str, draft: Draft) -> Created:
    return CreateWithdrawal(
        **envelope,
        account=account,
        market=draft.text("market"),
        amount=draft.amount("amount"),
        min_long=draft.amount("min long"),
        min_short=draft.amount("min short"),
    )


def _order(type: OrderType, envelope: EnvelopeFields, account: str, draft: Draft) -> Created:  # noqa: A002
    pool = _in_pool(draft)
    position = draft.text("position").removeprefix("#").replace(",", "")
    return CreateOrder(
        **envelope,
        account=account,
        type=type,
        market=draft.text("market"),
        is_long=draft.text("side") == "long",
        collateral_token=draft.text("collateral in") if pool else "",
        collateral=draft.amount("collateral" if type.is_increase else "take out"),
        size=draft.amount("size"),
        trigger_price=None if type.is_market else draft.price("trigger"),
        acceptable_price=draft.price("acceptable"),
        position_id=int(position) if type.is_decrease and not pool else 0,
    )


def _swap(type: OrderType, envelope: EnvelopeFields, account: str, draft: Draft) -> Created:  # noqa: A002
    return CreateOrder(
        **envelope,
        account=account,
        type=type,
        collateral_token=draft.text("token in"),
        collateral=draft.amount("amount"),
        path=draft.path("path"),
        min_output=draft.amount("min output"),
    )


def _increase(name: str, what: str, type: OrderType) -> Kind:  # noqa: A002
    trigger = () if type.is_market else (_TRIGGER,)
    fields = (_MARKET, _SIDE, _TOKEN, _COLLATERAL, _SIZE, *trigger, _ACCEPTABLE)
    return Kind(name, what, fields, partial(_order, type))


def _decrease(name: str, what: str, type: OrderType) -> Kind:  # noqa: A002
    trigger = () if type.is_market else (_TRIGGER,)
    fields = (_MARKET, _SIDE, _POSITION, _TOKEN, _SIZE, _TAKEN_OUT, *trigger, _ACCEPTABLE)
    return Kind(name, what, fields, partial(_order, type))


def _swapped(name: str, what: str, type: OrderType) -> Kind:  # noqa: A002
    output = _amount if type.is_market else _needed
    least = _unit("of what comes out; empty: any" if type.is_market else "of what comes out, at least")
    fields = (
        Field("token in", _any, choices=Draft.tokens),
        Field("amount", _needed, lambda draft: draft.of(draft.text("token in"))),
        Field("path", _path, _unit("pools, parted by commas"), letters=True),
        Field("min output", output, least),
    )
    return Kind(name, what, fields, partial(_swap, type))


KINDS = (
    Kind(
        "deposit",
        "tokens into a pool, for its market tokens",
        (
            _POOL,
            Field("long amount", _amount, lambda draft: draft.of(draft.token("long"))),
            Field("short amount", _deposited, lambda draft: draft.of(draft.token("short"))),
            Field("at least", _amount, _unit("market tokens; empty: any")),
        ),
        _deposit,
    ),
    Kind(
        "withdrawal",
        "market tokens back into the pool's tokens",
        (
            _POOL,
            Field("amount", _needed, lambda draft: draft.of(f"MT:{draft.text('market')}")),
            Field("min long", _amount, lambda draft: f"{draft.token('long')}; empty: any"),
            Field("min short", _amount, lambda draft: f"{draft.token('short')}; empty: any"),
        ),
        _withdrawal,
    ),
    _increase("market increase", "open or grow a position now", OrderType.MARKET_INCREASE),
    _increase("limit increase", "open or grow at a better price", OrderType.LIMIT_INCREASE),
    _increase("stop increase", "open or grow once the price breaks out", OrderType.STOP_INCREASE),
    _decrease("market decrease", "reduce or close a position now", OrderType.MARKET_DECREASE),
    _decrease("limit decrease", "reduce or close at a better price", OrderType.LIMIT_DECREASE),
    _decrease("stop-loss decrease", "reduce or close at a worse price", OrderType.STOP_LOSS_DECREASE),
    _swapped("swap", "one token into another, through pools", OrderType.MARKET_SWAP),
    _swapped("limit swap", "the same, once enough comes out", OrderType.LIMIT_SWAP),
)


def plain(value: Decimal) -> str:
    """A number as it was meant: no exponent, thousands parted."""
    return f"{value:,f}"
