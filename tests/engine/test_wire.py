"""What crosses the control socket arrives as it was, and nothing else gets in."""

from dataclasses import fields, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import wire
from engine.clearing.answers import Answer
from engine.commands import Command, HaltAll, Receipt
from engine.plain import plain
from engine.port import Info
from engine.requests.commands import CreateDeposit, CreditPaper
from engine.snapshot import Event, EventPage, Snapshot
from tests.tui import scripted

COMMANDS: tuple[type, ...] = get_args(Command)
ANSWERS: tuple[type, ...] = get_args(Answer)
CHARACTERS = st.characters(exclude_categories=["Cs"])
PARTS = {
    int: st.integers(-(10**120), 10**120),
    str: st.text(CHARACTERS, max_size=40),
    Fraction: st.builds(Fraction, st.integers(-(10**60), 10**60), st.integers(1, 10**60)),
    Decimal: st.decimals(-(10**30), 10**30, places=18),
}
PATHS = st.lists(PARTS[str], max_size=wire.OF_COMMANDS.items).map(tuple)
HALT = HaltAll(id="1", who="ops", seen_seq=3, expires_at_ms=2**70)


@pytest.fixture(autouse=True, scope="module")
def _parts() -> Any:
    """Values within the limits; the types' own strategies come back afterwards."""
    known: dict[Any, Any] = {kind: st.from_type(kind) for kind in PARTS}
    for kind, strategy in PARTS.items():
        st.register_type_strategy(kind, strategy)
    yield
    for kind, strategy in known.items():
        st.register_type_strategy(kind, strategy)


def through(message: object) -> Any:
    return wire.loads(wire.dumps(message))


@pytest.mark.parametrize("kind", COMMANDS, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_commands(kind: type[Any], data: st.DataObject) -> None:
    paths = {field.name: PATHS for field in fields(kind) if field.type == tuple[str, ...]}
    command = data.draw(st.builds(kind, **paths))
    found = wire.read_command(through(wire.tagged(command)))
    assert (type(found), found) == (kind, command)


@pytest.mark.parametrize("kind", ANSWERS, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_receipts(kind: type[Any], data: st.DataObject) -> None:
    receipt = Receipt("c", True, "", "done", 10**40, data.draw(st.from_type(kind)))
    for sent in (receipt, replace(receipt, answer=None)):
        assert wire.read(Receipt, through(wire.receipt_out(sent))) == sent


def test_snapshots() -> None:
    for snapshot in (scripted.ScriptedPort().latest(), replace(scripted.ScriptedPort().latest(), seq=2**80)):
        found = wire.read(Snapshot, through(plain(snapshot)))
        assert found == snapshot
        assert repr(found) == repr(snapshot), "enums and floats keep their types"


@given(st.from_type(EventPage))
def test_event_pages(page: EventPage) -> None:
    assert wire.read(EventPage, through(plain(page))) == page


def test_info() -> None:
    info = Info("1.0", "operator", "ops")
    assert wire.read(Info, through(plain(info))) == info


def test_no_integer_crosses_as_a_number() -> None:
    assert wire.tagged(HALT)["HaltAll"]["expires_at_ms"] == str(2**70)
    assert plain(Event(2**60, 1, "", "", ""))["number"] == str(2**60)


def changed(command: Command, **changes: Any) -> dict[str, Any]:
    ((kind, values),) = wire.tagged(command).items()
    return {kind: {name: value for name, value in {**values, **changes}.items() if value is not ...}}


CREDIT = CreditPaper(id="1", who="", seen_seq=0, expires_at_ms=0, account="a", token="USDC", amount=Decimal(1))
DEPOSIT = CreateDeposit(id="1", who="", seen_seq=0, expires_at_ms=0, account="a", market="ETH-USD")
ORDER = {
    "CreateOrder": {
        "id": "1", "who": "", "seen_seq": "0", "expires_at_ms": "0", "account": "a", "type": "MarketSwap"
    }
}  # fmt: skip


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (None, "command: expected an object with one key, its kind"),
        ({}, "expected an object with one key"),
        ({"HaltAll": {}, "HaltDesk": {}}, "expected an object with one key"),
        ({"Envelope": {}}, "unknown kind 'Envelope'"),
        ({"\x1b[31m" * 99: {}}, "unknown kind '\\x1b[31m"),
        ({"HaltAll": []}, "HaltAll: expected an object"),
        ({"HaltAll": {}}, "HaltAll: id is missing"),
        (changed(HALT, force="yes"), "HaltAll: unknown field 'force'"),
        (changed(HALT, seen_seq=...), "HaltAll: seen_seq is missing"),
        (changed(HALT, seen_seq=3), "HaltAll.seen_seq: expected an integer as text"),
        (changed(HALT, seen_seq=True), "expected an integer as text"),
        (changed(HALT, seen_seq="3.0"), "expected an integer as text"),
        (changed(HALT, seen_seq=" 3"), "expected an integer as text"),
        (changed(HALT, seen_seq="3\n"), "expected an integer as text"),
        (changed(HALT, seen_seq="\u0663"), "expected an integer as text"),
        (changed(HALT, seen_seq="9" * 129), "at most 128 characters"),
        (changed(HALT, id="x" * 201), "HaltAll.id: expected at most 200 characters"),
        (changed(HALT, id="\ud800"), "HaltAll.id: expected text, found half a character"),
        (changed(HALT, id=7), "HaltAll.id: expected str"),
        (changed(CREDIT, amount="1e999999999"), "CreditPaper.amount: expected a decimal as text"),
        (changed(CREDIT, amount="NaN"), "expected a decimal as text"),
        (changed(CREDIT, amount=1.5), "expected a decimal as text"),
        (changed(DEPOSIT, long_path="ETH-USD"), "CreateDeposit.long_path: expected a list of at most 256"),
        (changed(DEPOSIT, long_path=["x"] * 257), "expected a list of at most 256"),
        (changed(DEPOSIT, long_path=[["x"]]), "CreateDeposit.long_path[0]: expected str"),
        ({"CreateOrder": {**ORDER["CreateOrder"], "type": "MARKET_SWAP"}}, "expected one of MarketSwap, "),
        ({"CreateOrder": {**ORDER["CreateOrder"], "is_long": "yes"}}, "is_long: expected bool"),
        ({"ClosePosition": {"part": "1/0"}}, "id is missing"),
    ],
)
def test_what_is_refused(message: object, said: str) -> None:
    with pytest.raises(wire.Unreadable) as caught:
        wire.read_command(message)
    assert said in str(caught.value)
    assert len(str(caught.value)) < 300
    assert str(caught.value).isprintable()


def test_no_rational_has_a_denominator_of_zero() -> None:
    close = {"id": "1", "who": "", "seen_seq": "0", "expires_at_ms": "0", "user": "a", "position_id": "1"}
    assert wire.read_command({"ClosePosition": {**close, "part": "2/4"}}).part == Fraction(1, 2)  # type: ignore[union-attr]
    for part in ("1/0", "1/00", "1/-2", "/2", "0.5"):
        with pytest.raises(wire.Unreadable, match="n/d as text"):
            wire.read_command({"ClosePosition": {**close, "part": part}})


@pytest.mark.parametrize("text", ["", "{", "[" * 60_000, '{"a":1,"a":2}', "9" * 60_000])
def test_what_is_no_json_message(text: str) -> None:
    with pytest.raises(wire.Unreadable, match="not a JSON message"):
        wire.loads(text)
