import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.venue.avantis_writes.golden import ASKED, HONEST, PRICE, PRICES, TRADER, calldata
from tests.venue.avantis_writes.support import survives
from venue.avantis.addresses import AVANTIS
from venue.avantis.asked import MOST_FEE, Approve, Asked, Close, Increase, Margin, Open, expected
from venue.avantis.builder import request
from venue.avantis.contracts import CANCEL_OPEN_LIMIT_ORDER, CLOSE_TRADE_MARKET, OPEN_TRADE, UPDATE_MARGIN
from venue.avantis.rules import rules
from venue.avantis.units import TEN, USDC
from venue.chain.call import Call
from venue.chain.erc20 import APPROVE
from venue.chain.guard import Guard, GuardCode, Refused

VECTORS = json.loads((Path(__file__).parent / "fixtures" / "calldata.json").read_text("utf-8"))


def test_calldata_is_that_of_the_vectors() -> None:
    opened = expected(Open(TRADER, 0, True, 100 * USDC, 10 * TEN, PRICE, TEN))
    closed = expected(Close(TRADER, 0, 0, 100 * USDC, PRICE, TEN))
    assert "0x" + opened.call.data.hex() == VECTORS["open"]
    assert "0x" + closed.call.data.hex() == VECTORS["close"]


@pytest.mark.parametrize("name", HONEST)
def test_calldata_is_what_an_encoder_without_our_descriptions_makes(name: str) -> None:
    asked = ASKED[name]
    ours = expected(replace(asked, prices=PRICES) if isinstance(asked, Margin) else asked)
    assert ours.call.data == calldata(asked)
    assert ours.sender == TRADER
    assert ours.call.value == (1 if isinstance(asked, Margin) else 0)
    assert ours.call.to == (AVANTIS.usdc if isinstance(asked, Approve) else AVANTIS.trading)


def test_only_the_price_and_the_fee_are_the_builders_to_choose() -> None:
    for name in ("open", "close", "increase"):
        ours = expected(ASKED[name])
        (word,) = ours.free
        at = 4 + 32 * word.index
        assert int.from_bytes(ours.call.data[at : at + 32], "big") == PRICE
        assert (word.least, word.most) == (PRICE - PRICE // 100, PRICE + PRICE // 100)
        assert ours.most_value == MOST_FEE
    for name in ("deposit", "withdraw", "approve"):
        assert expected(ASKED[name]).free == ()
        assert expected(ASKED[name]).most_value is None


def test_no_fee_goes_beyond_the_cap_and_less_may_be_allowed() -> None:
    assert expected(ASKED["open"], most_fee=10**18).most_value == MOST_FEE
    assert expected(ASKED["open"], most_fee=7).most_value == 7


@given(st.integers(1, 10**20), st.integers(0, 5 * TEN))
def test_the_price_may_not_stray_further_than_the_slippage(price: int, slippage: int) -> None:
    (word,) = expected(Open(TRADER, 0, True, USDC, TEN, price, slippage)).free
    assert 0 < word.least <= price <= word.most
    assert (word.most - price) * 100 * TEN <= price * slippage
    assert (price - word.least) * 100 * TEN <= price * slippage


_OPEN = Open(TRADER, 0, True, 100 * USDC, 10 * TEN, PRICE, TEN)


@pytest.mark.parametrize(
    "asked",
    [
        replace(_OPEN, collateral=0),
        replace(_OPEN, collateral=-1),
        replace(_OPEN, collateral=10**13),
        replace(_OPEN, leverage=0),
        replace(_OPEN, leverage=75 * TEN + 1),
        replace(_OPEN, price=0),
        replace(_OPEN, slippage=-1),
        replace(_OPEN, slippage=5 * TEN + 1),
        replace(_OPEN, pair_index=-1),
        Close(TRADER, 0, -1, USDC, PRICE, TEN),
        Increase(TRADER, 0, 0, USDC, 0, PRICE, TEN),
        Margin(TRADER, 0, 0, True, 0),
        Approve(TRADER, -1),
        Approve(TRADER, 2**256 - 1),
    ],
)
def test_what_nobody_should_ask_is_refused_before_anybody_is_asked(asked: Asked) -> None:
    with pytest.raises(Refused) as refused:
        expected(asked)
    assert refused.value.code is GuardCode.OUT_OF_BOUNDS


def test_requests_are_in_human_units_and_name_every_amount() -> None:
    assert {name: request(ASKED[name]) for name in HONEST} == {
        "open": (
            "v2/trade/open",
            {
                "trader": TRADER,
                "pairIndex": 0,
                "side": "long",
                "orderType": "market",
                "collateralUsdc": "100",
                "leverage": "10",
                "openPrice": "1912.5",
                "slippagePercent": "1",
            },
        ),
        "close": (
            "v2/trade/close",
            {
                "trader": TRADER,
                "pairIndex": 0,
                "tradeIndex": 2,
                "collateralToCloseUsdc": "100",
                "expectedPrice": "1912.5",
            },
        ),
        "increase": (
            "v2/position/increase",
            {
                "trader": TRADER,
                "pairIndex": 0,
                "tradeIndex": 2,
                "additionalCollateralUsdc": "40",
                "leverage": "5",
                "openPrice": "1912.5",
                "slippagePercent": "1",
            },
        ),
        "deposit": ("v2/margin/update", _margin("deposit")),
        "withdraw": ("v2/margin/update", _margin("withdraw")),
        "approve": ("v2/token/approve", {"trader": TRADER, "spender": AVANTIS.storage, "amountUsdc": "140"}),
    }


def _margin(action: str) -> dict[str, Any]:
    named = {"trader": TRADER, "pairIndex": 0, "tradeIndex": 2}
    return {**named, "action": action, "collateralUsdc": "25", "priceSourcing": 1}


OTHER = "0x" + "ba" * 20
TRADE = (TRADER, 0, 0, 0, 100 * USDC, PRICE, True, 10 * TEN, 0, 0, 0)


def _trade(**changes: object) -> tuple[object, ...]:
    names = ["trader", "pair", "index", "initial", "collateral", "price", "buy", "leverage", "tp", "sl", "timestamp"]
    return tuple(changes.get(name, value) for name, value in zip(names, TRADE, strict=True))


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (OPEN_TRADE.encode(TRADE, 0, TEN), None),
        (OPEN_TRADE.encode(_trade(trader=OTHER), 0, TEN), GuardCode.FORBIDDEN_ARGUMENT),
        (OPEN_TRADE.encode(_trade(index=1), 0, TEN), GuardCode.FORBIDDEN_ARGUMENT),
        (OPEN_TRADE.encode(_trade(initial=1), 0, TEN), GuardCode.FORBIDDEN_ARGUMENT),
        (OPEN_TRADE.encode(_trade(collateral=0), 0, TEN), GuardCode.FORBIDDEN_ARGUMENT),
        (OPEN_TRADE.encode(_trade(collateral=10**13), 0, TEN), GuardCode.FORBIDDEN_ARGUMENT),
        (OPEN_TRADE.encode(_trade(price=0), 0, TEN), GuardCode.FORBIDDEN_ARGUMENT),
        (OPEN_TRADE.encode(_trade(leverage=0), 0, TEN), GuardCode.FORBIDDEN_ARGUMENT),
        (OPEN_TRADE.encode(_trade(leverage=76 * TEN), 0, TEN), GuardCode.FORBIDDEN_ARGUMENT),
        (OPEN_TRADE.encode(_trade(tp=1), 0, TEN), GuardCode.FORBIDDEN_ARGUMENT),
        (OPEN_TRADE.encode(_trade(sl=1), 0, TEN), GuardCode.FORBIDDEN_ARGUMENT),
        (OPEN_TRADE.encode(_trade(timestamp=1), 0, TEN), GuardCode.FORBIDDEN_ARGUMENT),
        (OPEN_TRADE.encode(TRADE, 2, TEN), GuardCode.FORBIDDEN_ARGUMENT),
        (OPEN_TRADE.encode(TRADE, 0, 6 * TEN), GuardCode.FORBIDDEN_ARGUMENT),
        (CLOSE_TRADE_MARKET.encode(0, 1, USDC, PRICE), None),
        (CLOSE_TRADE_MARKET.encode(0, 1, 0, PRICE), GuardCode.FORBIDDEN_ARGUMENT),
        (CLOSE_TRADE_MARKET.encode(0, 1, USDC, 0), GuardCode.FORBIDDEN_ARGUMENT),
        (UPDATE_MARGIN.encode(0, 1, 0, USDC, PRICES, 1), None),
        (UPDATE_MARGIN.encode(0, 1, 2, USDC, PRICES, 1), GuardCode.FORBIDDEN_ARGUMENT),
        (UPDATE_MARGIN.encode(0, 1, 0, USDC, (), 1), GuardCode.FORBIDDEN_ARGUMENT),
        (CANCEL_OPEN_LIMIT_ORDER.encode(0, 1), None),
        (APPROVE.encode(AVANTIS.storage, USDC), GuardCode.NOT_ALLOWED),
        (bytes.fromhex("9a10cc32") + bytes(96), GuardCode.NOT_ALLOWED),
        (bytes.fromhex("d6a510d9") + bytes(64), GuardCode.NOT_ALLOWED),
        (b"", GuardCode.NOT_ALLOWED),
    ],
)
async def test_the_router_is_called_in_these_ways_only(data: bytes, code: GuardCode | None) -> None:
    assert await _code(Call(AVANTIS.trading, data)) == code


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (APPROVE.encode(AVANTIS.storage, USDC), None),
        (APPROVE.encode(AVANTIS.storage, 0), None),
        (APPROVE.encode(AVANTIS.storage, 2**256 - 1), GuardCode.FORBIDDEN_ARGUMENT),
        (APPROVE.encode(AVANTIS.trading, USDC), GuardCode.FORBIDDEN_ARGUMENT),
        (bytes.fromhex("a9059cbb") + APPROVE.encode(AVANTIS.storage, USDC)[4:], GuardCode.NOT_ALLOWED),
    ],
)
async def test_usdc_is_approved_for_storage_and_nothing_else(data: bytes, code: GuardCode | None) -> None:
    assert await _code(Call(AVANTIS.usdc, data)) == code
    assert await _code(Call(AVANTIS.storage, data)) == GuardCode.NOT_ALLOWED


async def test_coins_go_along_up_to_the_cap() -> None:
    data = OPEN_TRADE.encode(TRADE, 0, TEN)
    assert await _code(Call(AVANTIS.trading, data, MOST_FEE)) is None
    assert await _code(Call(AVANTIS.trading, data, MOST_FEE + 1)) is GuardCode.VALUE_TOO_HIGH
    assert await _code(Call(AVANTIS.usdc, APPROVE.encode(AVANTIS.storage, 1), 1)) is GuardCode.VALUE_TOO_HIGH


async def _code(call: Call) -> GuardCode | None:
    try:
        await Guard(rules(TRADER), survives).passes(call)
    except Refused as refusal:
        return refusal.code
    return None
