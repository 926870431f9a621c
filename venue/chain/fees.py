"""What a transaction offers for its place in a block (EIP-1559), and how a stuck one is outbid."""

from dataclasses import dataclass

from venue.chain.call import Wei

LEAST_TIP: Wei = 1_000_000
MOST_MARK: Wei = 10_000
"""A hundredth of the least tip."""


@dataclass(frozen=True, slots=True)
class Fees:
    """Per gas: the most that is paid, and the share of it that goes to whoever builds the block."""

    max_fee: Wei
    max_priority: Wei


def suggested(base_fee: Wei, tip: Wei, cap: Wei, mark: Wei) -> Fees:
    """Room for the base fee to double, and `mark` on top of the tip; never above `cap`."""
    tip = min(max(tip, LEAST_TIP) + mark, cap)
    return Fees(min(2 * base_fee + tip, cap), tip)


def outbid(last: Fees, market: Fees, cap: Wei) -> Fees | None:
    """What replaces an attempt: both at least 10 % and 1 wei higher, as nodes demand. None: that is above `cap`."""
    raised = Fees(
        max(_raised(last.max_fee), market.max_fee),
        max(_raised(last.max_priority), market.max_priority),
    )
    return raised if raised.max_fee <= cap else None


def _raised(fee: Wei) -> Wei:
    return fee + fee // 10 + 1
