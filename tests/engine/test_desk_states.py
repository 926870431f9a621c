"""Every phase of a desk, and every command in every phase."""

from collections.abc import Callable

import pytest

from engine.desks import commands
from engine.desks.facts import Rule
from engine.snapshot import DeskPhase
from tests.engine.driven import SIGHT, USDC, Driven, ref_of
from tests.engine.house import TOKEN
from venue.exchange.commands import Rejection
from venue.exchange.fixed import WAD
from venue.perp import WHOLE, Declined, Ended, Filled, OrderOutcome, Unsettled, Waiting

Build = Callable[[Driven], commands.Command]
Answer = Callable[[Driven], OrderOutcome]


def at(phase: DeskPhase) -> Driven:
    """A desk in a phase, with 100 USDC to begin with."""
    it = Driven(TOKEN, pending=100 * USDC)
    if phase is DeskPhase.DECIDING:
        it.do(commands.AskDecision(TOKEN, SIGHT))
    if phase in (DeskPhase.IDLE, DeskPhase.DECIDING):
        return it
    it.do(it.intend(10 * USDC))
    if phase is DeskPhase.UNKNOWN:
        it.do(commands.RecordOutcome(TOKEN, Unsettled(standing(it))))
    if phase in (DeskPhase.OPENING, DeskPhase.UNKNOWN):
        return it
    it.fill()
    match phase:
        case DeskPhase.INCREASING:
            it.do(it.intend(10 * USDC))
        case DeskPhase.REDUCING:
            it.do(commands.IntendReduce(TOKEN, "x", WHOLE // 2, None, "ops", it.seq))
        case DeskPhase.CLOSING | DeskPhase.CLOSED:
            it.do(commands.IntendClose(TOKEN, "x", None, "ops", it.seq))
        case DeskPhase.QUARANTINED:
            it.do(commands.Quarantine(TOKEN, "odd", "ops"))
    if phase is DeskPhase.CLOSED:
        it.fill(payout=9 * USDC)
    return it


def standing(it: Driven) -> str:
    order = it.desk().order
    return order.order_id if order else "none"


def filled(it: Driven) -> OrderOutcome:
    order = it.desk().order
    payout = 0 if order is None or order.kind.adds_risk else 5 * USDC
    return Filled(standing(it), ref_of(TOKEN), 2000 * WAD, USDC, 1, payout)


def answered(outcome: Answer) -> Build:
    return lambda it: commands.RecordOutcome(TOKEN, outcome(it))


COMMANDS: dict[str, Build] = {
    "ask": lambda it: commands.AskDecision(TOKEN, SIGHT),
    "decided": lambda it: commands.RecordDecision(TOKEN, "signal", True, "ETH", True, WAD, "up"),
    "defer": lambda it: commands.Defer(TOKEN, "LOW_GAS", "low"),
    "open": lambda it: it.intend(USDC),
    "open-elsewhere": lambda it: commands.IntendOpen(TOKEN, "n", "BTC", True, WAD, USDC, 1),
    "reduce": lambda it: commands.IntendReduce(TOKEN, "n", WHOLE // 4, None, "guard"),
    "close": lambda it: commands.IntendClose(TOKEN, "n", None, "guard", None),
    "close-by-hand": lambda it: commands.IntendClose(TOKEN, "n", None, "ops", it.seq),
    "close-unseen": lambda it: commands.IntendClose(TOKEN, "n", None, "ops", 0),
    "filled": answered(filled),
    "declined": answered(lambda it: Declined(standing(it), "NO", "")),
    "unsettled": answered(lambda it: Unsettled(standing(it))),
    "waiting": answered(lambda it: Waiting(standing(it))),
    "liquidated": lambda it: commands.RecordEnd(TOKEN, Ended(ref_of(TOKEN), USDC)),
    "warned": lambda it: commands.RecordGuard(TOKEN, Rule.LIQUIDATION_NEAR, 1, 2, "near"),
    "calmed": lambda it: commands.RecordGuard(TOKEN, Rule.LIQUIDATION_NEAR, 1, 2, "near", active=False),
    "halt": lambda it: commands.Halt(TOKEN, "ops", "c"),
    "resume": lambda it: commands.Resume(TOKEN, "ops", "c"),
    "quarantine": lambda it: commands.Quarantine(TOKEN, "odd", "ops"),
    "release": lambda it: commands.Release(TOKEN, "ops", "c"),
    "fees": lambda it: commands.BookFees(TOKEN, "f9", 100),
    "buyback": lambda it: commands.IntendBuyback(TOKEN, "b", 1, 1),
}
CODES = {
    "pos": "HAS_POSITION",
    "ord": "ORDER_PENDING",
    "qua": "QUARANTINED",
    "nop": "NO_POSITION",
    "uno": "UNKNOWN_ORDER",
    "chg": "CHANGED",
    "nq": "NOT_QUARANTINED",
    "nas": "NOT_ASKED",
}
"""A cell of the table is the phase afterwards (`=`: the same), `-` for no fact, or a code in short."""
TABLE = """
                idle     deciding opening  open     increasing reducing closing  closed   unknown  quarantined
ask             deciding =        pos      pos      pos      pos      pos      deciding pos      qua
decided         nas      idle     pos      pos      pos      pos      pos      nas      pos      qua
defer           =        idle     =        =        =        =        =        =        =        =
open            opening  opening  ord      increasing ord    ord      ord      opening  ord      qua
open-elsewhere  opening  opening  ord      pos      ord      ord      ord      opening  ord      qua
reduce          nop      nop      ord      reducing ord      ord      ord      nop      ord      qua
close           nop      nop      ord      closing  ord      ord      ord      nop      ord      qua
close-by-hand   nop      nop      ord      closing  ord      ord      ord      nop      ord      =
close-unseen    nop      nop      ord      chg      ord      ord      ord      nop      ord      chg
filled          uno      uno      open     uno      open     open     closed   uno      open     uno
declined        uno      uno      idle     uno      open     open     open     uno      idle     uno
unsettled       uno      uno      unknown  uno      unknown  unknown  unknown  uno      -        uno
waiting         uno      uno      -        uno      -        -        -        uno      -        uno
liquidated      nop      nop      nop      closed   closed   closed   closed   nop      nop      =
warned          nop      nop      nop      =        =        =        =        nop      nop      =
calmed          -        -        -        -        -        -        -        -        -        -
halt            =        idle     =        =        =        =        =        =        =        =
resume          -        -        -        -        -        -        -        -        -        -
quarantine      quarantined quarantined quarantined quarantined quarantined quarantined quarantined quarantined \
quarantined -
release         nq       nq       nq       nq       nq       nq       nq       nq       nq       open
fees            =        =        =        =        =        =        =        =        =        =
buyback         =        =        =        =        =        =        =        =        =        =
"""


def cells() -> list[tuple[str, DeskPhase, str]]:
    head, *rows = TABLE.strip().replace("\\\n", "").splitlines()
    phases = [DeskPhase(name) for name in head.split()]
    return [
        (name, phase, cell)
        for name, *row in (line.split() for line in rows)
        for phase, cell in zip(phases, row, strict=True)
    ]


def test_the_table_has_every_phase_and_every_phase_is_reached() -> None:
    assert {phase for _, phase, _ in cells()} == set(DeskPhase)
    assert {name for name, _, _ in cells()} == COMMANDS.keys()
    for phase in DeskPhase:
        assert at(phase).phase() is phase


@pytest.mark.parametrize(("name", "phase", "cell"), cells(), ids=lambda value: str(value))
def test_every_command_in_every_phase(name: str, phase: DeskPhase, cell: str) -> None:
    it = at(phase)
    answer = it.ask(COMMANDS[name](it))
    if cell in CODES:
        assert isinstance(answer, Rejection)
        assert (answer.code, it.phase()) == (CODES[cell], phase)
    else:
        assert not isinstance(answer, Rejection), answer
        assert bool(answer) is (cell != "-")
        assert it.phase() is (phase if cell in "=-" else DeskPhase(cell))
    assert it.replayed() == it.house


@pytest.mark.parametrize("phase", DeskPhase)
def test_a_halt_in_any_phase_stops_what_adds_risk_and_nothing_that_takes_it_away(phase: DeskPhase) -> None:
    it = at(phase)
    it.do(commands.Halt(TOKEN, "ops", "c"))
    halted = it.phase()
    for name in ("ask", "open"):
        assert isinstance(it.ask(COMMANDS[name](it)), Rejection)
    assert it.phase() is halted
    if phase in (DeskPhase.OPEN, DeskPhase.QUARANTINED):
        it.do(COMMANDS["close-by-hand"](it))


@pytest.mark.parametrize("payout", [-1, -(10**9)])
def test_no_end_takes_money_out_of_the_desk(payout: int) -> None:
    it = at(DeskPhase.OPEN)
    assert it.refused(commands.RecordEnd(TOKEN, Ended(ref_of(TOKEN), payout))) == "CONTRADICTION"
