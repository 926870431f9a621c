"""What a person at the screen should know now, in words that stay the same while it lasts."""

from dataclasses import replace

from engine.alerts.rules import on_screen
from engine.commands import alarm_key
from tests.tui.scripted import desk, snapshot

NEAR = 0.02


def told(**changes: object) -> list[str]:
    row = replace(desk(0, liq_move=0.5, halted_by=None), **changes)  # type: ignore[arg-type]
    return on_screen(snapshot(desks=(row,)), NEAR)


def test_a_halt_by_a_rule_is_an_alarm_and_one_by_hand_is_known() -> None:
    assert told(halted_by="circuit breaker") == ["PEPE·3f2a halted by circuit breaker"]
    assert told(halted_by="ops", halted_by_hand=True) == []
    assert told() == []


def test_near_its_liquidation_is_one_alarm_however_near() -> None:
    first, second = (told(liq_move=move)[0] for move in (0.019, 0.0001))
    assert first == "PEPE·3f2a short ETH is near its liquidation"
    assert alarm_key(first) == alarm_key(second)
    assert told(liq_move=0.021) == []
    assert told(liq_move=None) == []
