"""An alarm that is acknowledged asks for nobody while it stands, and is news when it comes back."""

from engine.acks import Acks

NOW = 1_795_269_802_000


def test_an_acknowledged_alarm_is_told_apart_with_who_knows() -> None:
    acks = Acks()
    assert acks.split(("feed lost", "keeper late")) == (("feed lost", "keeper late"), ())
    acks.take("feed lost", "ops", NOW)
    assert acks.split(("feed lost", "keeper late")) == (("keeper late",), ("feed lost (ops 14:03)",))


def test_a_count_that_grows_is_the_same_alarm() -> None:
    acks = Acks()
    acks.split(("no answer for 3 min: PEPE",))
    acks.take("no answer for 3 min: PEPE", "ops", NOW)
    assert acks.split(("no answer for 14 min: PEPE",)) == ((), ("no answer for 14 min: PEPE (ops 14:03)",))


def test_another_thing_is_another_alarm() -> None:
    acks = Acks()
    acks.split(("PEPE2 quarantined: odd",))
    acks.take("PEPE2 quarantined: odd", "ops", NOW)
    assert acks.split(("PEPE3 quarantined: odd",)) == (("PEPE3 quarantined: odd",), ())


def test_what_comes_back_is_news() -> None:
    acks = Acks()
    acks.split(("feed lost",))
    acks.take("feed lost", "ops", NOW)
    acks.split(())
    assert acks.split(("feed lost",)) == (("feed lost",), ())


def test_only_what_stands_can_be_acknowledged() -> None:
    acks = Acks()
    acks.split(("feed lost",))
    assert acks.stands("feed lost")
    assert not acks.stands("feed wide")
