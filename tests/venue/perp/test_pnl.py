"""Profit is a number when it is known, and nothing to compute with when it is not."""

import pytest

from venue.perp import Profit, UnknownPnl


@pytest.mark.parametrize(
    "use",
    [
        lambda pnl: pnl + 1,
        lambda pnl: 1 - pnl,
        lambda pnl: sum([pnl]),
        lambda pnl: max(0, pnl),
        lambda pnl: pnl < 0,
        lambda pnl: int(pnl),
        lambda pnl: float(pnl),
        lambda pnl: f"{pnl:.2f}",
    ],
)
def test_unknown_profit_is_no_number(use: object) -> None:
    assert callable(use)
    with pytest.raises(TypeError):
        use(UnknownPnl("no price"))


def test_net_adds_up() -> None:
    assert Profit(price=5, carry=-2, closing_fee=1).net == 2
