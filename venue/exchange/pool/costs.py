"""What a decrease leaves of output and collateral as its costs are paid one after the other (order.execute.e)."""

from venue.exchange.draft import Draft
from venue.exchange.fixed import up
from venue.exchange.pool.units import TokenPrice


class Purse:
    """Output, collateral and secondary output of one decrease; all of it lies in the `bank` account of the side.

    Costs are USD (1e-30), taken in whole tokens rounded up: output first, then collateral, then secondary output.
    """

    def __init__(self, draft: Draft, bank: str, price: TokenPrice, other: TokenPrice, collateral: int) -> None:
        self.draft, self.bank, self.price, self.other = draft, bank, price, other
        self.output = 0
        self.collateral = collateral
        self.secondary = 0
        self.failed = ""
        """The first cost that could not be paid in full; nothing is paid after it."""

    def earn(self, token: str, amount: int) -> None:
        """Adds to the output, or to the secondary output for a token that is not the collateral's."""
        if token == self.price.token:
            self.output += amount
        else:
            self.secondary += amount

    def take(self, amount: int) -> int:
        """Takes tokens of the collateral's kind, as many as there are."""
        first = min(amount, self.output)
        second = min(amount - first, self.collateral)
        self.output -= first
        self.collateral -= second
        return first + second

    def pay(self, step: str, usd: int, target: str) -> int:
        """Pays a cost to the target account: USD that is left unpaid, 0 when all is."""
        return self.pay_tokens(step, up(usd, self.price.min), usd, target)

    def pay_tokens(self, step: str, amount: int, usd: int, target: str) -> int:
        """As `pay`, for a cost known in tokens."""
        if self.failed:
            return usd
        taken = self.take(amount)
        self.draft.pay(self.price.token, self.bank, target, taken)
        left = max(0, usd - taken * self.price.min)
        if not left:
            return 0
        wanted = up(left, self.other.min)
        second = min(wanted, self.secondary)
        self.secondary -= second
        self.draft.pay(self.other.token, self.bank, target, second)
        if second < wanted:
            self.failed = step
        return max(0, left - second * self.other.min)
