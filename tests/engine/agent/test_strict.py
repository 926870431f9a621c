import json
import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.agent.plan import NoPlan
from engine.agent.strict import MAX_DEPTH, MAX_TEXT, NotStrict, parse, plan_of
from tests.engine.agent.asking import CAPS, CASES, SIGHT, Case, agrees, unusable


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_answer_of_the_corpus(case: Case) -> None:
    try:
        agrees(case, plan_of(case.content, SIGHT, "venice"))
    except NoPlan as refusal:
        unusable(case, refusal)


def test_the_corpus_is_large_and_distinct() -> None:
    assert len(CASES) >= 230
    assert len({case.content for case in CASES}) == len({case.name for case in CASES}) == len(CASES)
    assert {case.outcome for case in CASES} == {"open", "none", "bad"}


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3)))
def test_whatever_is_json_is_read_as_it_is(value: object) -> None:
    text = json.dumps(value)
    try:
        assert parse(text) == value
    except NotStrict:
        assert len(text) > MAX_TEXT or text.count("[") > MAX_DEPTH


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_numbers_are_finite_and_exact(value: float) -> None:
    if math.isfinite(value):
        read = parse(json.dumps(value))
        assert isinstance(read, Decimal)
        assert float(read) == value
    else:
        with pytest.raises(NotStrict):
            parse(json.dumps(value))


@given(st.text(max_size=60))
def test_nothing_but_a_refusal_escapes(text: str) -> None:
    with pytest.raises(NoPlan):
        plan_of(text, SIGHT, "venice")


@given(
    st.integers() | st.floats() | st.booleans() | st.text(max_size=5) | st.none(),
    st.sampled_from([*CAPS, "eth", "XRP"]),
    st.booleans(),
)
def test_leverage_never_exceeds_the_cap(leverage: object, market: str, allow: bool) -> None:
    answer = {"request_id": SIGHT.request_id, "allow": allow, "market": market, "side": "short", "reason": "x"}
    try:
        plan = plan_of(json.dumps(answer | {"leverage": leverage}), SIGHT, "venice")
    except NoPlan:
        return
    assert not plan.allow or 1 <= plan.leverage <= CAPS[market]
    assert not plan.allow or (allow and isinstance(leverage, int | float) and leverage >= 1)


def test_the_depth_allowed_is_the_depth_read() -> None:
    parse("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    with pytest.raises(NotStrict, match="deeper"):
        parse("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1))


def test_the_refusal_repeats_nothing_that_the_model_said() -> None:
    answer = json.dumps({"request_id": "d1-0001", "canary": 1, "allow": "canary", "market": "canary", "side": "canary"})
    with pytest.raises(NoPlan) as caught:
        plan_of(answer, SIGHT, "venice")
    assert "canary" not in str(caught.value)
