"""Pool parameters for random histories: from each group one choice, so that every mechanism is on in many of them."""

import random
from typing import Any

from tests.venue.exchange.pools.state import Row

E30 = 10**30
Choice = dict[str, Any]


def share(thousandths: int) -> int:
    return thousandths * E30 // 1000


def curve(positive: int, negative: int, up: int = 2, down: int = 2) -> Row:
    """Factors in 1e-30."""
    return {"positive": positive, "negative": negative, "positive_exponent": up, "negative_exponent": down}


def tiers(improved: int, worsened: int) -> Row:
    """Basis points."""
    return {"improved": improved * E30 // 10_000, "worsened": worsened * E30 // 10_000}


GROUPS: tuple[tuple[Choice, ...], ...] = (
    (
        {},
        {"swap_impact": curve(5 * 10**21, 10**22)},
        {"swap_impact": curve(10**24, 10**23)},
        {"swap_impact": curve(5 * 10**25, 2 * 10**21, 1, 2)},
        {"swap_impact": curve(0, 10**23)},
        {"swap_impact": curve(5 * 10**22, 10**23, 2, 2)},
        {"swap_impact": curve(0, 0)},
    ),
    (
        {},
        {"position_impact": curve(5 * 10**21, 10**22)},
        {"position_impact": curve(10**22, 10**23), "max_positive_impact": share(1), "max_negative_impact": share(2)},
        {"position_impact": curve(10**22, 10**24), "max_negative_impact": share(20)},
        {"position_impact": curve(5 * 10**25, 10**22, 1, 2)},
        {"position_impact": curve(0, 0)},
    ),
    (
        {},
        {"borrowing_per_second": 3 * 10**23},
        {"borrowing_per_second": 10**25, "receiver_share": share(500)},
        {"borrowing_per_second": 7 * 10**21 + 1},
    ),
    (
        {},
        {"impact_distribution_per_second": 10**15 * E30 // 7},
        {"impact_distribution_per_second": 10**13 * E30, "min_impact_pool": 10**14},
        {"impact_distribution_per_second": E30 // 3},
    ),
    ({}, {}, {"min_first_deposit": 10**19}, {"min_first_deposit": 10**22}),
    (
        {},
        {"deposit_fee": tiers(0, 0), "swap_fee": tiers(0, 0), "withdrawal_fee": 0},
        {"deposit_fee": tiers(5, 70), "swap_fee": tiers(3, 41), "position_fee": tiers(4, 33)},
        {"receiver_share": E30 // 3, "withdrawal_fee": E30 // 777, "liquidation_fee": share(11)},
    ),
    (
        {},
        {},
        {"reserve": share(200), "open_interest_reserve": share(150)},
        {"max_pnl_deposits": share(50), "max_pnl_withdrawals": share(40), "max_pnl_traders": share(20)},
        {"max_pnl_traders": share(1), "max_pnl_deposits": share(3), "max_pnl_withdrawals": share(900)},
    ),
    (
        {},
        {},
        {"max_open_interest": 900_000 * E30},
        {"max_pool_usd_for_deposit": 3_000_000 * E30},
        {"max_pool_amount": 10**12},
        {"min_position_usd": 500 * E30, "min_collateral_usd": 300 * E30, "min_collateral_factor": share(50)},
    ),
)


def drawn(rng: random.Random) -> Row:
    """One choice of each group; the later one wins where two name the same."""
    params: Row = {}
    for group in GROUPS:
        params.update(rng.choice(group))
    return params
