"""What desks ask, and what an honest builder answers, encoded without the code under test."""

import json
from collections.abc import Mapping
from typing import Any, Final

from eth_abi.abi import encode
from eth_utils.address import to_checksum_address

from venue.avantis.addresses import AVANTIS
from venue.avantis.asked import Approve, Asked, Close, Increase, Margin, Open
from venue.avantis.units import TEN, USDC

TRADER: Final = to_checksum_address("0x" + "11" * 20)
FEE: Final = 350_000_000_000_000
PRICE: Final = 19_125_000_000_000
PRICES: Final = (b"\x01price update" * 60,)
TRADE: Final = "(address,uint256,uint256,uint256,uint256,uint256,bool,uint256,uint256,uint256,uint256)"
ADDED: Final = "(address,uint256,uint256,uint256,uint256,uint256)"

ASKED: Final[Mapping[str, Asked]] = {
    "open": Open(TRADER, 0, True, 100 * USDC, 10 * TEN, PRICE, TEN),
    "close": Close(TRADER, 0, 2, 100 * USDC, PRICE, TEN),
    "increase": Increase(TRADER, 0, 2, 40 * USDC, 5 * TEN, PRICE, TEN),
    "deposit": Margin(TRADER, 0, 2, True, 25 * USDC),
    "withdraw": Margin(TRADER, 0, 2, False, 25 * USDC),
    "approve": Approve(TRADER, 140 * USDC),
    # of other desks, or of other days
    "open pair 1": Open(TRADER, 1, True, 100 * USDC, 10 * TEN, PRICE, TEN),
    "open yesterday": Open(TRADER, 0, True, 100 * USDC, 10 * TEN, PRICE * 105 // 100, TEN),
    "open 250": Open(TRADER, 0, True, 250 * USDC, 10 * TEN, PRICE, TEN),
    "open short": Open(TRADER, 0, False, 100 * USDC, 10 * TEN, PRICE, TEN),
    "close 3": Close(TRADER, 0, 3, 100 * USDC, PRICE, TEN),
    "close half": Close(TRADER, 0, 2, 50 * USDC, PRICE, TEN),
    "increase 3": Increase(TRADER, 0, 3, 40 * USDC, 5 * TEN, PRICE, TEN),
    "approve 250": Approve(TRADER, 250 * USDC),
}
HONEST: Final = ("open", "close", "increase", "deposit", "withdraw", "approve")


def calldata(asked: Asked) -> bytes:
    """What the contracts take."""
    match asked:
        case Open(trader, pair, is_long, collateral, leverage, price, slippage):
            trade = (trader, pair, 0, 0, collateral, price, is_long, leverage, 0, 0, 0)
            return bytes.fromhex("19cde9a1") + encode((TRADE, "uint8", "uint256"), (trade, 0, slippage))
        case Close(_, pair, index, collateral, price, _):
            return bytes.fromhex("e5a97c92") + encode(("uint256",) * 4, (pair, index, collateral, price))
        case Increase(trader, pair, index, collateral, leverage, price, slippage):
            added = (trader, pair, index, price, collateral, leverage)
            return bytes.fromhex("7dbd3b48") + encode((ADDED, "uint256"), (added, slippage))
        case Margin(_, pair, index, deposits, collateral, _, _):
            types = ("uint256", "uint256", "uint8", "uint256", "bytes[]", "uint8")
            return bytes.fromhex("b9fe2af3") + encode(types, (pair, index, int(not deposits), collateral, PRICES, 1))
        case Approve(_, amount):
            return bytes.fromhex("095ea7b3") + encode(("address", "uint256"), (AVANTIS.storage, amount))


def offer(name: str) -> dict[str, Any]:
    """The `data` of the honest answer to `ASKED[name]`."""
    asked = ASKED[name]
    value = {Margin: 1, Approve: 0}.get(type(asked), FEE)
    return {
        "to": AVANTIS.usdc if isinstance(asked, Approve) else AVANTIS.trading,
        "from": TRADER,
        "data": "0x" + calldata(asked).hex(),
        "value": hex(value),
        "chainId": 8453,
    }


def answer(name: str, **changes: Any) -> bytes:
    """The whole honest answer, with `changes` to its data."""
    said = {"description": "Open long, 10x", "meta": {"validation": {"maxLeverage": 75, "free": 33683421.1}}}
    return json.dumps({"ok": True, "data": offer(name) | said | changes}).encode()
