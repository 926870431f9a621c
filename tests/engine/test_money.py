"""Money that is in no position: the fee split with its reserve, and buybacks."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.buyback import BuybackEngine
from engine.demo.swap import PaperSwap
from engine.desks import commands
from engine.desks.accounts import DIEM, PROTOCOL, buying, creator, deployed, pending, realised, reserve
from engine.sections import Buybacks
from engine.settlement import Settlement
from tests.engine.driven import USDC, Driven
from tests.engine.house import TOKEN, ManualClock, done, enrolled, settled
from venue.exchange.ledger import EXTERNAL
from venue.perp import Ended
from venue.swap import PROTOCOL_TOKEN, SwapDeclined, SwapOrder, SwapOutcome, Swapped, SwapUnsettled

PPM = 1_000_000


@given(amount=st.integers(1, 10**15), kept_back=st.integers(0, PPM))
def test_fees_are_split_to_the_last_micro_dollar_with_the_reserve(amount: int, kept_back: int) -> None:
    it = Driven(TOKEN)
    it.do(commands.BookFees(TOKEN, "f1", amount, kept_back))
    ledger = it.house.ledger
    perp = amount * 5_700 // 10_000
    assert ledger[reserve(TOKEN)] == perp * kept_back // PPM
    assert ledger[pending(TOKEN)] == perp - ledger[reserve(TOKEN)]
    assert ledger[DIEM] == amount * 2_850 // 10_000
    assert ledger[creator(TOKEN)] == amount * 950 // 10_000
    assert 0 <= ledger[PROTOCOL] - amount * 500 // 10_000 <= 3
    assert it.house.held() == amount == -ledger[EXTERNAL]


@pytest.mark.parametrize("share", [-1, PPM + 1])
def test_a_reserve_is_a_share(share: int) -> None:
    assert Driven(TOKEN).refused(commands.BookFees(TOKEN, "f1", 100, share)) == "BAD_AMOUNT"


def test_the_reserve_is_released_by_a_liquidation_and_by_nothing_else() -> None:
    it = Driven(TOKEN)
    it.do(commands.BookFees(TOKEN, "f1", 100 * USDC, 200_000))
    kept_back = 11_400_000
    for ends in ("close", "liquidation"):
        it.do(it.intend(10 * USDC))
        it.fill()
        assert it.house.ledger[reserve(TOKEN)] == kept_back
        ref = it.desk().ref
        assert ref is not None
        before = it.house.ledger[pending(TOKEN)]
        if ends == "close":
            it.do(commands.IntendClose(TOKEN, "c", None, "ops", None))
            it.fill(payout=USDC)
            assert it.house.ledger[reserve(TOKEN)] == kept_back
        else:
            it.do(commands.RecordEnd(TOKEN, Ended(ref, 2 * USDC)))
            assert it.house.ledger[reserve(TOKEN)] == 0
            assert it.house.ledger[pending(TOKEN)] == before + kept_back
    assert it.house.ledger[realised(TOKEN)] == 3 * USDC
    assert it.house.ledger[deployed(TOKEN)] == 0


class Killed(BaseException):
    """The process dies here."""


@dataclass
class Swaps:
    """A `SwapVenue` that does what the test says, and remembers what it was sent."""

    name = "scripted"
    answer: str = "fill"
    price: int | None = 10**12
    sent: list[SwapOrder] = field(default_factory=list)

    async def quote(self, token: str, amount: int) -> int | None:
        return None if self.price is None else amount * self.price

    async def most(self, token: str) -> int | None:
        return None

    async def swap_usdc_for_token(self, order: SwapOrder) -> SwapOutcome:
        if self.answer == "crash":
            raise Killed
        self.sent.append(order)
        return self._said(order.order_id)

    async def outcome(self, order_id: str) -> SwapOutcome:
        return self._said(order_id)

    def _said(self, order_id: str) -> SwapOutcome:
        if self.answer == "lost":
            return SwapUnsettled(order_id)
        order = next((order for order in self.sent if order.order_id == order_id), None)
        if order is None or self.answer == "decline":
            return SwapDeclined(order_id, "NO", "not now")
        return Swapped(order_id, order.least, order.burn)


def engine(settlement: Settlement, swaps: Swaps) -> BuybackEngine:
    return BuybackEngine(settlement, swaps, Buybacks())


async def accounts(settlement: Settlement, *names: str) -> tuple[int, ...]:
    return await settlement.read(lambda world: tuple(world.house.ledger[name] for name in names))


async def test_both_legs_are_bought_back_once_and_only_the_protocols_is_burned(tmp_path: Path) -> None:
    async with settled(tmp_path) as settlement:
        await enrolled(settlement, 100 * USDC)
        swaps = Swaps()
        for _ in range(2):
            await engine(settlement, swaps).run_buyback_cycle()
            await engine(settlement, swaps).run_creator_buyback_cycle()
        assert [(order.token, order.amount, order.burn) for order in swaps.sent] == [
            (PROTOCOL_TOKEN, 5 * USDC, True),
            (TOKEN, 9_500_000, False),
        ]
        assert [order.least for order in swaps.sent] == [order.amount * 10**12 * 98 // 100 for order in swaps.sent]
        assert await accounts(settlement, PROTOCOL, creator(TOKEN), buying(""), buying(TOKEN)) == (0, 0, 0, 0)
        assert await settlement.read(lambda world: (world.paper.balance, world.house.held())) == (85_500_000,) * 2


@pytest.mark.parametrize("price", [None, 0])
async def test_without_a_quote_nothing_is_bought(tmp_path: Path, price: int | None) -> None:
    async with settled(tmp_path) as settlement:
        await enrolled(settlement, 100 * USDC)
        seq = settlement.seq
        await engine(settlement, Swaps(price=price)).run_buyback_cycle()
        assert settlement.seq == seq


async def test_no_more_than_the_most_is_spent_at_once_and_less_than_the_least_never(tmp_path: Path) -> None:
    async with settled(tmp_path) as settlement:
        await enrolled(settlement, 8_000 * USDC)
        swaps = Swaps()
        for _ in range(3):
            await engine(settlement, swaps).run_buyback_cycle()
        assert [order.amount for order in swaps.sent] == [250 * USDC, 150 * USDC]
        await done(settlement, commands.BookFees(TOKEN, "f2", 9_999_900))
        await engine(settlement, swaps).run_buyback_cycle()
        assert len(swaps.sent) == 2


async def test_a_declined_buyback_goes_back_where_it_came_from(tmp_path: Path) -> None:
    async with settled(tmp_path) as settlement:
        await enrolled(settlement, 100 * USDC)
        await engine(settlement, Swaps("decline")).run_creator_buyback_cycle()
        assert await accounts(settlement, creator(TOKEN), realised(TOKEN), buying(TOKEN)) == (9_500_000, 0, 0)


@pytest.mark.parametrize("after", ["quoted", "written"])
async def test_what_bars_new_risk_meanwhile_bars_the_buyback(tmp_path: Path, after: str) -> None:
    """Its floor is of the price that was quoted: the machine may have slept since."""
    async with settled(tmp_path) as settlement:
        await enrolled(settlement, 100 * USDC)
        swaps, asked, house = Swaps(), 0, settlement._world.house

        def hold() -> str:
            nonlocal asked
            asked += 1
            buyback = house.buybacks.get(PROTOCOL_TOKEN)
            written = buyback is not None and buyback.order is not None
            return "stood still" if written or (after == "quoted" and asked > 1) else ""

        await BuybackEngine(settlement, swaps, Buybacks(), hold).run_buyback_cycle()
        assert (swaps.sent, asked) == ([], 2 if after == "quoted" else 3)
        assert await accounts(settlement, PROTOCOL, buying("")) == (5 * USDC, 0)
        await engine(settlement, swaps).run_buyback_cycle()
        assert [order.amount for order in swaps.sent] == [5 * USDC]


@pytest.mark.parametrize(("took_effect", "left"), [(True, 0), (False, 5 * USDC)])
async def test_an_unsettled_buyback_is_asked_after_and_never_sent_again(
    tmp_path: Path, took_effect: bool, left: int
) -> None:
    swaps = Swaps("lost")
    async with settled(tmp_path) as settlement:
        await enrolled(settlement, 100 * USDC)
        for _ in range(3):
            await engine(settlement, swaps).run_buyback_cycle()
        assert await accounts(settlement, PROTOCOL, buying("")) == (0, 5 * USDC)
        assert await settlement.read(lambda world: world.house.unanswered()) == 5 * USDC
    swaps.answer = "fill" if took_effect else "decline"
    async with settled(tmp_path) as settlement:
        await engine(settlement, swaps).run_buyback_cycle()
        assert await accounts(settlement, PROTOCOL, buying("")) == (left, 0)
    assert len(swaps.sent) == 1


async def test_between_the_cycles_what_was_left_open_is_asked_after(tmp_path: Path) -> None:
    swaps = Swaps("lost")
    async with settled(tmp_path) as settlement:
        await enrolled(settlement, 100 * USDC)
        await engine(settlement, swaps).run_buyback_cycle()
        buybacks = engine(settlement, swaps)
        assert await buybacks.ask_after() == "1 unanswered, 0 settled"
        swaps.answer = "fill"
        assert await buybacks.ask_after() == "1 unanswered, 1 settled"
        assert await buybacks.ask_after() == "0 unanswered, 0 settled"
        assert await accounts(settlement, PROTOCOL, buying("")) == (0, 0)
    assert len(swaps.sent) == 1


async def test_one_that_is_on_its_way_is_asked_after_by_nobody(tmp_path: Path) -> None:
    class Slow(Swaps):
        asked = 0

        async def swap_usdc_for_token(self, order: SwapOrder) -> SwapOutcome:
            assert await buybacks.ask_after() == "1 unanswered, 0 settled"
            return await super().swap_usdc_for_token(order)

        async def outcome(self, order_id: str) -> SwapOutcome:
            self.asked += 1
            return await super().outcome(order_id)

    swaps = Slow()
    async with settled(tmp_path) as settlement:
        await enrolled(settlement, 100 * USDC)
        buybacks = engine(settlement, swaps)
        assert await buybacks.run_buyback_cycle() == "1 of 1 bought back"
    assert swaps.asked == 0


async def test_a_crash_between_intent_and_answer_loses_and_doubles_nothing(tmp_path: Path) -> None:
    swaps = Swaps("crash")
    async with settled(tmp_path) as settlement:
        await enrolled(settlement, 100 * USDC)
        with pytest.raises(Killed):
            await engine(settlement, swaps).run_buyback_cycle()
        assert await accounts(settlement, PROTOCOL, buying("")) == (0, 5 * USDC)
    async with settled(tmp_path) as settlement:
        buybacks = BuybackEngine(settlement, PaperSwap(1, ManualClock().now_ms), Buybacks())
        await buybacks.run_buyback_cycle()
        assert await accounts(settlement, PROTOCOL, buying("")) == (5 * USDC, 0)
        assert await buybacks.run_buyback_cycle() == "1 of 1 bought back"
        assert await accounts(settlement, PROTOCOL, buying("")) == (0, 0)
        assert await settlement.read(lambda world: world.house.buybacks[""].spent) == 5 * USDC


def test_a_swap_that_bought_too_little_is_on_record() -> None:
    it = Driven(TOKEN, pending=100 * USDC)
    it.do(commands.IntendBuyback(TOKEN, "b", USDC, 1_000))
    assert it.refused(commands.RecordSwap(TOKEN, Swapped("c", 1_000, False))) == "UNKNOWN_ORDER"
    assert it.refused(commands.IntendBuyback(TOKEN, "d", USDC, 1)) == "ORDER_PENDING"
    it.do(commands.RecordSwap(TOKEN, Swapped("b", 999, False)))
    assert it.house.buybacks[TOKEN].refused == "the last bought fewer than it had to"
    it.do(commands.IntendBuyback(TOKEN, "d", USDC, 1_000))
    it.do(commands.RecordSwap(TOKEN, Swapped("d", 1_000, False)))
    assert it.house.buybacks[TOKEN].refused == ""
