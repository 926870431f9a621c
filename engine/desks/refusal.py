"""What every decision about a desk begins with."""

from engine.desks.commands import Code
from engine.desks.state import Desk, House
from venue.exchange.commands import Rejection


class Refused(Exception):
    """A command cannot be carried out; nothing has changed."""

    def __init__(self, code: Code, detail: str) -> None:
        super().__init__(code, detail)
        self.rejection = Rejection(code, detail)


def find(house: House, address: str) -> Desk:
    """Raises Refused(UNKNOWN_DESK)."""
    desk = house.desks.get(address)
    if desk is None:
        raise Refused(Code.UNKNOWN_DESK, f"no desk {address}")
    return desk


def without_order(house: House, address: str) -> Desk:
    """A desk that waits for no answer. Raises Refused."""
    desk = find(house, address)
    if desk.order is not None:
        raise Refused(Code.ORDER_PENDING, f"{desk.called} has an order without an answer")
    return desk
