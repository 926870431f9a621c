"""An alarm that is acknowledged asks for nobody while it stands, and is news when it comes back."""

import pytest

from engine.acks import Acks
from engine.commands import alarm_key

NOW = 1_795_269_802_000


def known(*alarms: str) -> Acks:
    acks = Acks()
    acks.split(alarms)
    for alarm in alarms:
        acks.take(alarm_key(alarm), "ops", NOW)
    return acks


def test_an_acknowledged_alarm_is_told_apart_with_who_knows() -> None:
    acks = known("feed lost")
    assert acks.split(("feed lost", "keeper late")) == (("keeper late",), ("feed lost (ops 14:03)",))
    assert (acks.known_by(alarm_key("feed lost")), acks.known_by(alarm_key("keeper late"))) == ("ops 14:03", "")


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("no answer for 3 min: PEPE", "no answer for 14 min: PEPE"),
        ("no new block for 34 s: the chain", "no new block for 1,034 s: the chain"),
    ],
)
def test_one_that_only_lasts_longer_is_the_same(was: str, now: str) -> None:
    assert known(was).split((now,)) == ((), (f"{now} (ops 14:03)",))


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("PEPE2 quarantined: odd", "PEPE3 quarantined: odd"),
        ("outcome unknown: 42·aaaa", "outcome unknown: 69·aaaa"),
        ("outcome unknown: PEPE·aaaa", "outcome unknown: PEPE·bbbb"),
        ("a position of nobody's: pair 3, 2", "a position of nobody's: pair 5, 0"),
        ("ETH 0 in doubt: x", "ETH 1 in doubt: x"),
        ("wallet 0.01 USDC off the books", "wallet 900,000.00 USDC off the books"),
        ("uncovered bad debt 0.01 USD", "uncovered bad debt 1,000,000.00 USD"),
        ("no answer for 3 min: 42", "no answer for 3 min: 43"),
    ],
)
def test_another_one_is_not_hidden(was: str, now: str) -> None:
    assert known(was).split((was, now)) == ((now,), (f"{was} (ops 14:03)",))


def test_what_comes_back_is_news() -> None:
    acks = known("feed lost")
    acks.split(())
    assert acks.split(("feed lost",)) == (("feed lost",), ())


def test_only_what_stands_has_words() -> None:
    acks = Acks()
    acks.split(("feed lost",))
    assert acks.text(alarm_key("feed lost")) == "feed lost"
    assert acks.text(alarm_key("feed wide")) is None
