"""Every kind of fact survives the journal exactly, at any size of number."""

import json
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import codec
from engine.codec import decode, encode
from engine.world import FACT_TYPES, Fact
from venue.exchange.facts import Deposited, MarketCarry
from venue.exchange.ledger import Move
from venue.exchange.params import MarketParams

INTEGERS = st.integers(-(10**80), 10**80)
st.register_type_strategy(int, INTEGERS)
st.register_type_strategy(Move, st.builds(Move, st.text(), st.text(), INTEGERS))
st.register_type_strategy(MarketCarry, st.builds(MarketCarry, st.text(), INTEGERS))
st.register_type_strategy(
    MarketParams, st.builds(MarketParams, initial_base=INTEGERS, max_open_move=st.none() | st.fractions())
)


@pytest.mark.parametrize("kind", FACT_TYPES, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_round_trip(kind: type[Fact], data: st.DataObject) -> None:
    fact = data.draw(st.from_type(kind))
    assert decode(*encode(fact)) == fact


@pytest.mark.parametrize("kind", FACT_TYPES, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_both_ways_of_reading_agree(kind: type[Fact], data: st.DataObject) -> None:
    name, payload = encode(data.draw(st.from_type(kind)))
    assert decode(name, payload) == codec._decode_slowly(name, kind, payload)


def test_half_a_surrogate_pair_is_read_too() -> None:
    fact = Deposited("\ud83d", (Move("a", "b\udc00", 1),))
    assert decode(*encode(fact)) == fact


@pytest.mark.parametrize("kind", FACT_TYPES, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_no_number_crosses_json_as_a_number(kind: type[Fact], data: st.DataObject) -> None:
    def refuse(text: str) -> object:
        raise AssertionError(text)

    json.loads(encode(data.draw(st.from_type(kind)))[1], parse_int=refuse, parse_float=refuse)


def test_fact_names_are_unique() -> None:
    assert len({kind.__name__ for kind in FACT_TYPES}) == len(FACT_TYPES) == len(get_args(Fact))
