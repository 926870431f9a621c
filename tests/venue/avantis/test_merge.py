"""Missing is not flat: what is believed when sources lie, lag or say nothing."""

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.venue.avantis.server import BUILDER_POSITIONS, EMPTY_POSITIONS, USER_DATA, AvantisServer, Lie
from tests.venue.avantis.support import held
from tests.venue.avantis.world import TRADER, WorldChain
from venue.avantis.hosts import Api
from venue.avantis.merge import Doubtful, Gone, Merged, Orphan, Still, Verdict, merge
from venue.avantis.positions import (
    Answer,
    From,
    Held,
    Report,
    Silent,
    fetch_builder,
    fetch_core,
    read_slots,
)

OURS = held()
ON_CHAIN = replace(OURS, liquidation_price=None, rollover=None, funding=None, is_pnl=None)
BUILT = replace(ON_CHAIN, liquidation_price=OURS.liquidation_price)
SLOT = frozenset({OURS.slot})
ELSEWHERE = frozenset({(9, 9)})


def core(*positions: Held) -> Report:
    return Report(From.CORE, positions)


def builder(*positions: Held) -> Report:
    return Report(From.BUILDER, positions)


def chain(*positions: Held, covers: frozenset[tuple[int, int]] = SLOT) -> Report:
    return Report(From.CHAIN, positions, covers)


def quiet(source: From) -> Silent:
    return Silent(source, "down")


def verdict(*answers: Answer) -> Verdict:
    merged = merge([OURS.identity], answers)
    assert not merged.orphans
    return merged.verdicts[OURS.identity]


def test_all_agree() -> None:
    assert verdict(core(OURS), builder(BUILT), chain(ON_CHAIN)) == Still(OURS, (From.CORE, From.BUILDER, From.CHAIN))


@pytest.mark.parametrize("answer", [core(OURS), builder(BUILT), chain(ON_CHAIN)])
def test_one_who_sees_it_is_enough_while_the_others_are_silent(answer: Report) -> None:
    silent = [quiet(source) for source in From if source is not answer.source]
    assert verdict(answer, *silent) == Still(answer.held[0], (answer.source,))


@pytest.mark.parametrize(
    "answers",
    [
        [core()],
        [builder()],
        [chain()],
        [core(), builder()],
        [core(), builder(), quiet(From.CHAIN)],
        [core(), quiet(From.BUILDER), quiet(From.CHAIN)],
        [chain(), quiet(From.CORE), quiet(From.BUILDER)],
        [core(), builder(), chain(covers=ELSEWHERE)],
        [quiet(From.CORE), quiet(From.BUILDER), quiet(From.CHAIN)],
        [],
    ],
    ids=str,
)
def test_missing_is_not_flat(answers: list[Answer]) -> None:
    made = verdict(*answers)
    assert isinstance(made, Doubtful)
    assert made.in_slot is None
    assert "expected the chain and another source to agree" in made.why


def test_the_silent_are_named() -> None:
    made = verdict(core(), Silent(From.CHAIN, "no node answers"))
    assert isinstance(made, Doubtful)
    assert "missing at core; chain gave no answer (no node answers)" in made.why


@pytest.mark.parametrize(
    ("answers", "sources"),
    [
        ([core(), chain()], (From.CORE, From.CHAIN)),
        ([builder(), chain()], (From.BUILDER, From.CHAIN)),
        ([core(), quiet(From.BUILDER), chain()], (From.CORE, From.CHAIN)),
        ([core(), builder(), chain()], (From.CORE, From.BUILDER, From.CHAIN)),
    ],
)
def test_the_chain_and_another_make_it_gone(answers: list[Answer], sources: tuple[From, ...]) -> None:
    assert verdict(*answers) == Gone(sources)


@pytest.mark.parametrize(
    "answers",
    [[core(OURS), chain()], [core(OURS), builder(), chain()], [core(), builder(BUILT)], [core(OURS), builder()]],
    ids=str,
)
def test_an_index_that_lags_makes_nothing_certain(answers: list[Answer]) -> None:
    made = verdict(*answers)
    assert isinstance(made, Doubtful)
    assert "holds it" in made.why


def test_what_the_chain_sees_stands_whatever_others_say() -> None:
    made = verdict(core(), builder(), chain(ON_CHAIN))
    assert made == Still(ON_CHAIN, (From.CHAIN,), ("core: not there", "tx-builder: not there"))
    other = replace(OURS, opened_at_s=OURS.opened_at_s - 60)
    later = verdict(core(other), chain(ON_CHAIN))
    assert later == Still(ON_CHAIN, (From.CHAIN,), (f"core: opened at {other.opened_at_s}",))


@pytest.mark.parametrize(
    ("name", "value"),
    [("collateral", 200_000_000), ("leverage", 10**11 * 10), ("open_price", 2000 * 10**18), ("is_long", False)],
)
def test_the_chain_wins_and_liars_complete_nothing(name: str, value: int) -> None:
    lying = replace(OURS, **{name: value})  # type: ignore[arg-type]
    made = verdict(core(lying), chain(ON_CHAIN))
    assert isinstance(made, Still)
    assert made.held == ON_CHAIN
    assert made.differs == (f"core: {name} is {value}, not {getattr(ON_CHAIN, name)}",)
    honest = verdict(core(lying), builder(BUILT), chain(ON_CHAIN))
    assert isinstance(honest, Still)
    assert honest.held == BUILT


def test_without_the_chain_a_difference_is_a_doubt() -> None:
    made = verdict(core(replace(OURS, collateral=5)), builder(BUILT), quiet(From.CHAIN))
    assert isinstance(made, Doubtful)
    assert "tx-builder: collateral is 20000000, not 5" in made.why


def test_a_slot_that_holds_something_else_is_a_doubt() -> None:
    """A change of margin sets the time anew: it may be the same position, and only our own journal knows."""
    later = replace(ON_CHAIN, opened_at_s=OURS.opened_at_s + 600)
    for answers in ([core(later), chain(later)], [core(), chain(later)], [core(OURS), builder(later), chain(later)]):
        made = verdict(*answers)
        assert isinstance(made, Doubtful)
        assert made.in_slot == later
        assert str(OURS.opened_at_s) in made.why


def test_a_slot_that_was_given_to_another_of_ours_is_empty_of_the_first() -> None:
    later = replace(ON_CHAIN, opened_at_s=OURS.opened_at_s + 600)
    merged = merge([OURS.identity, later.identity], [core(later), chain(later)])
    assert merged.verdicts[OURS.identity] == Gone((From.CORE, From.CHAIN))
    assert merged.verdicts[later.identity] == Still(later, (From.CORE, From.CHAIN))
    assert not merged.orphans


@pytest.mark.parametrize(
    ("answers", "sources"),
    [
        ([core(OURS)], (From.CORE,)),
        ([core(OURS), chain(ON_CHAIN)], (From.CORE, From.CHAIN)),
        ([core(), chain(ON_CHAIN)], (From.CHAIN,)),
        ([core(OURS), chain(covers=ELSEWHERE)], (From.CORE,)),
        ([core(OURS), quiet(From.CHAIN)], (From.CORE,)),
    ],
    ids=str,
)
def test_what_nobody_opened_is_an_orphan(answers: list[Answer], sources: tuple[From, ...]) -> None:
    (orphan,) = merge([], answers).orphans
    assert orphan.sources == sources
    assert orphan.held.identity == OURS.identity


def test_what_the_chain_does_not_hold_is_no_orphan() -> None:
    assert merge([], [core(OURS), chain()]) == Merged({}, ())


def test_an_orphan_as_the_chain_has_it() -> None:
    lying = replace(OURS, collateral=10 * OURS.collateral)
    assert merge([], [core(lying), chain(ON_CHAIN)]).orphans == (Orphan(ON_CHAIN, (From.CORE, From.CHAIN)),)


def test_one_answer_of_each() -> None:
    with pytest.raises(AssertionError, match="one source"):
        merge([], [core(), core()])


VIEWS = st.sampled_from(["silent", "empty", "ours", "later", "lying"])


@given(VIEWS, VIEWS, VIEWS)
def test_gone_needs_two_and_the_chain_whoever_says_what(one: str, two: str, three: str) -> None:
    told = dict(zip(From, (one, two, three), strict=True))
    views = {
        "empty": (),
        "ours": (OURS,),
        "later": (replace(OURS, opened_at_s=OURS.opened_at_s + 1),),
        "lying": (replace(OURS, collateral=1),),
    }
    answers = [quiet(source) if view == "silent" else Report(source, views[view]) for source, view in told.items()]
    made = merge([OURS.identity], answers).verdicts[OURS.identity]
    if isinstance(made, Gone):
        assert told[From.CHAIN] == "empty"
        assert "empty" in (told[From.CORE], told[From.BUILDER])
        assert not {"ours", "lying", "later"} & set(told.values())
    if told[From.CHAIN] in ("ours", "lying"):
        assert isinstance(made, Still)
        assert made.held.collateral == views[told[From.CHAIN]][0].collateral


def test_the_order_of_answers_does_not_matter() -> None:
    for hidden in product([True, False], repeat=3):
        answers: list[Answer] = [core(OURS), builder(BUILT), chain(ON_CHAIN)]
        shown = [quiet(each.source) if hide else each for each, hide in zip(answers, hidden, strict=True)]
        one = merge([OURS.identity], shown).verdicts[OURS.identity]
        other = merge([OURS.identity], shown[::-1]).verdicts[OURS.identity]
        assert type(one) is type(other)
        if isinstance(one, Still) and isinstance(other, Still):
            assert one.held == other.held


async def test_servers_that_hide_everything_close_nothing(server: AvantisServer, api: Api) -> None:
    server.world.hold(OURS)
    node = WorldChain(server.world)
    server.plan(USER_DATA, EMPTY_POSITIONS, forever=True)
    server.plan(BUILDER_POSITIONS, Lie(lambda _: {"ok": True, "data": {"trades": [], "orders": []}}), forever=True)

    async def look() -> Verdict:
        answers = [
            await fetch_core(api, TRADER),
            await fetch_builder(api, TRADER),
            await read_slots(node, TRADER, [OURS.slot]),
        ]
        return merge([OURS.identity], answers).verdicts[OURS.identity]

    assert isinstance(await look(), Still)
    node.down = True
    assert isinstance(await look(), Doubtful)
    node.down = False
    server.world.positions.clear()
    assert isinstance(await look(), Gone)
