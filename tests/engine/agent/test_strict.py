import json
from collections.abc import Callable

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from engine.agent.plan import NoPlan
from engine.agent.strict import plan_of
from tests.engine.agent.asking import CAPS, CASES, SIGHT, Case, agrees, unusable
from tests.scale import SEED, scaled


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


def test_nothing_but_a_refusal_escapes(tried: Callable[[int], None]) -> None:
    met: set[str] = set()

    @seed(SEED)
    @settings(max_examples=scaled(200, 2_000, 50_000), deadline=None, database=None)
    @given(st.text(max_size=60))
    def attack(text: str) -> None:
        met.add(text)
        with pytest.raises(NoPlan):
            plan_of(text, SIGHT, "venice")

    attack()
    tried(len(met))


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


def test_the_refusal_repeats_nothing_that_the_model_said() -> None:
    answer = json.dumps({"request_id": "d1-0001", "canary": 1, "allow": "canary", "market": "canary", "side": "canary"})
    with pytest.raises(NoPlan) as caught:
        plan_of(answer, SIGHT, "venice")
    assert "canary" not in str(caught.value)
