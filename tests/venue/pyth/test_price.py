from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.venue.pyth.support import NOW_MS, NOW_S, item
from venue.pyth import (
    FEEDS,
    Feed,
    FeedState,
    Price,
    PriceBook,
    PricePolicy,
    Refusal,
    RefusalCode,
    WireItem,
    check,
)
from venue.pyth.price import Jump, confirm

POLICY = PricePolicy()
ETH = FEEDS["ETH"]
LEVEL = 195_656_091_864


def accepted(result: Price | Refusal) -> Price:
    assert isinstance(result, Price), result
    return result


def code(result: Price | Refusal) -> RefusalCode:
    assert isinstance(result, Refusal), result
    return result.code


def first() -> Price:
    return accepted(check(ETH, None, item(), NOW_MS, POLICY))


def test_feeds_are_pinned() -> None:
    assert set(FEEDS) == {
        "ETH",
        "BTC",
        "SOL",
        "BNB",
        "XRP",
        "DOGE",
        "LINK",
        "AVAX",
        "ARB",
        "SUI",
        "HYPE",
        "AERO",
        "USDC",
    }
    assert len({feed.id for feed in FEEDS.values()}) == 13
    assert {feed.expo for feed in FEEDS.values()} == {-8}
    with pytest.raises(ValueError, match="exponent"):
        Feed("BAD", "ab" * 32, -19)
    for wrong in ("0x" + "ab" * 32, "AB" * 32, ""):
        with pytest.raises(ValueError, match="feed id"):
            Feed("BAD", wrong)
    with pytest.raises(ValueError, match="share"):
        PriceBook({"ETH": ETH, "ETH2": Feed("ETH2", ETH.id)})


@pytest.mark.parametrize(
    ("update", "expected"),
    [
        (item("BTC"), RefusalCode.UNKNOWN_FEED),
        (item(expo=-5), RefusalCode.EXPONENT_CHANGED),
        (item(price=0), RefusalCode.NOT_POSITIVE),
        (item(price=-1), RefusalCode.NOT_POSITIVE),
        (item(conf=0), RefusalCode.CONFIDENCE_ZERO),
        (item(conf=-5), RefusalCode.CONFIDENCE_ZERO),
        (item(publish_time=NOW_S - 1), RefusalCode.OUT_OF_ORDER),
        (item(publish_time=NOW_S - 31), RefusalCode.STALE_ON_ARRIVAL),
        (item(publish_time=NOW_S + 3), RefusalCode.FROM_THE_FUTURE),
        (item(publish_time=4_102_444_800), RefusalCode.FROM_THE_FUTURE),
        (item(price=LEVEL * 106 // 100), RefusalCode.JUMP),
        (item(price=LEVEL * 94 // 100), RefusalCode.JUMP),
        (item(price=10**18), RefusalCode.JUMP),
    ],
    ids=lambda value: str(value) if isinstance(value, RefusalCode) else "",
)
def test_refusals(update: WireItem, expected: RefusalCode) -> None:
    assert code(check(ETH, first(), update, NOW_MS, POLICY)) is expected


@pytest.mark.parametrize(
    "update",
    [
        item(),
        item(publish_time=NOW_S + 2),
        item(price=LEVEL * 10_499 // 10_000),
        item(price=LEVEL * 9_501 // 10_000),
        item(price=LEVEL * 108 // 100, conf=LEVEL // 100),
        item(conf=LEVEL // 10),
    ],
)
def test_passes(update: WireItem) -> None:
    assert accepted(check(ETH, first(), update, NOW_MS, POLICY)).mantissa == int(update.price.price)


@pytest.mark.parametrize(
    ("received_ms", "expected"),
    [
        (NOW_MS - 2_000, None),
        (NOW_MS - 2_001, RefusalCode.FROM_THE_FUTURE),
        (NOW_MS + 30_000, None),
        (NOW_MS + 30_001, RefusalCode.STALE_ON_ARRIVAL),
    ],
)
def test_ages_on_arrival_to_the_millisecond(received_ms: int, expected: RefusalCode | None) -> None:
    result = check(ETH, None, item(), received_ms, POLICY)
    assert (result.code if isinstance(result, Refusal) else None) is expected


@pytest.mark.parametrize(("conf", "state"), [(LEVEL // 200, FeedState.LIVE), (LEVEL // 200 + 1, FeedState.WIDE)])
def test_width_to_the_last_unit(conf: int, state: FeedState) -> None:
    book = PriceBook()
    book.apply(item(conf=conf), NOW_MS)
    assert book.view("ETH", NOW_MS).state is state


@given(st.integers(1, 10**19 - 1), st.integers(1, 10**19 - 1), st.integers(-18, 12))
def test_wad_is_exact(mantissa: int, conf: int, expo: int) -> None:
    price = Price("ETH", mantissa, conf, expo, NOW_S, NOW_MS)
    assert price.wad * 10 ** max(-expo, 0) == mantissa * 10**18 * 10 ** max(expo, 0)
    assert price.conf_wad * 10 ** max(-expo, 0) == conf * 10**18 * 10 ** max(expo, 0)


def test_confirmation_needs_time_a_new_publish_time_and_agreement() -> None:
    def at(level: int, seconds: int, ms: int) -> Price:
        return Price("ETH", level, 1, -8, NOW_S + seconds, NOW_MS + ms)

    start = confirm(None, at(1000, 0, 0), POLICY)
    assert start == Jump(at(1000, 0, 0), 1)
    assert confirm(start, at(1000, 1, 399), POLICY) is start
    assert confirm(start, at(1000, 0, 900), POLICY) is start
    assert confirm(start, at(1040, 1, 400), POLICY).agreed == 2
    assert confirm(start, at(1060, 1, 400), POLICY) == Jump(at(1060, 1, 400), 1)
    assert confirm(start, at(1000, 1, -5000), POLICY).agreed == 1


def test_a_wick_never_shows_and_a_gap_is_believed() -> None:
    book = PriceBook()
    book.apply(item(), NOW_MS)
    crash = LEVEL * 80 // 100
    assert code(book.apply(item(price=crash), NOW_MS + 100)) is RefusalCode.JUMP
    assert book.view("ETH", NOW_MS + 100).state is FeedState.QUARANTINED
    accepted(book.apply(item(publish_time=NOW_S + 1), NOW_MS + 1000))
    assert book.view("ETH", NOW_MS + 1000).state is FeedState.LIVE
    assert code(book.apply(item(price=crash, publish_time=NOW_S + 2), NOW_MS + 2000)) is RefusalCode.JUMP
    assert code(book.apply(item(price=crash, publish_time=NOW_S + 2), NOW_MS + 2900)) is RefusalCode.JUMP
    accepted(book.apply(item(price=crash, publish_time=NOW_S + 3), NOW_MS + 3000))
    tradable = book.tradable("ETH", NOW_MS + 3000)
    assert tradable is not None
    assert tradable.mantissa == crash
    assert book.refused[RefusalCode.JUMP] == 3


def test_a_wide_tick_cannot_carry_a_narrow_one_to_another_level() -> None:
    book = PriceBook()
    book.apply(item(), NOW_MS)
    accepted(book.apply(item(price=2 * LEVEL, conf=LEVEL // 5), NOW_MS + 100))
    assert book.view("ETH", NOW_MS + 100).state is FeedState.WIDE
    assert book.tradable("ETH", NOW_MS + 100) is None
    assert code(book.apply(item(price=2 * LEVEL), NOW_MS + 200)) is RefusalCode.JUMP
    assert book.tradable("ETH", NOW_MS + 200) is None
    accepted(book.apply(item(), NOW_MS + 300))
    assert book.tradable("ETH", NOW_MS + 300) is not None


@pytest.mark.parametrize(
    ("age_ms", "state", "shown", "may_trade"),
    [
        (0, FeedState.LIVE, True, True),
        (3_000, FeedState.LIVE, True, True),
        (3_001, FeedState.SLOW, True, True),
        (10_000, FeedState.SLOW, True, True),
        (10_001, FeedState.STALE, True, False),
        (30_001, FeedState.LOST, False, False),
        (-2_000, FeedState.LIVE, True, True),
        (-2_001, FeedState.QUARANTINED, True, False),
    ],
)
def test_ages(age_ms: int, state: FeedState, shown: bool, may_trade: bool) -> None:
    book = PriceBook()
    book.apply(item(), NOW_MS)
    view = book.view("ETH", NOW_MS + age_ms)
    assert (view.state, view.price is not None, view.age_ms) == (state, shown, max(age_ms, 0))
    assert (book.tradable("ETH", NOW_MS + age_ms) is not None) is may_trade


def test_a_fresh_arrival_of_an_old_price_is_old() -> None:
    book = PriceBook()
    book.apply(item(), NOW_MS)
    accepted(book.apply(item(), NOW_MS + 12_000))
    assert book.view("ETH", NOW_MS + 12_000).state is FeedState.STALE


def test_never_seen_and_unknown() -> None:
    book = PriceBook({"ETH": ETH})
    assert book.view("ETH", NOW_MS).state is FeedState.NONE
    assert book.tradable("ETH", NOW_MS) is None
    assert code(book.apply(item("BTC"), NOW_MS)) is RefusalCode.UNKNOWN_FEED
    with pytest.raises(KeyError):
        book.view("BTC", NOW_MS)


@pytest.mark.parametrize("bad", [item(expo=-5), item(price=0), item(price=-7)])
def test_quarantine_ends_after_a_clean_run(bad: WireItem) -> None:
    book = PriceBook()
    book.apply(bad, NOW_MS)
    assert book.view("ETH", NOW_MS).state is FeedState.QUARANTINED
    for _ in range(POLICY.quarantine_updates - 1):
        accepted(book.apply(item(), NOW_MS))
    assert book.tradable("ETH", NOW_MS) is None
    book.apply(bad, NOW_MS)
    for _ in range(POLICY.quarantine_updates):
        assert book.tradable("ETH", NOW_MS) is None
        accepted(book.apply(item(), NOW_MS))
    assert book.tradable("ETH", NOW_MS) is not None


updates = st.builds(
    item,
    symbol=st.sampled_from(["ETH", "BTC"]),
    price=st.one_of(st.just(LEVEL), st.integers(-(10**19) + 1, 10**19 - 1), st.integers(LEVEL // 2, LEVEL * 2)),
    conf=st.one_of(st.just(10**6), st.integers(-1, 10**19 - 1)),
    expo=st.sampled_from([-8, -8, -8, -5]),
    publish_time=st.one_of(st.integers(NOW_S - 40, NOW_S + 5), st.just(2**62)),
)


@given(st.lists(updates, max_size=40))
def test_whatever_arrives_only_sound_prices_are_tradable(arrivals: list[WireItem]) -> None:
    book = PriceBook()
    last: Price | None = None
    for position, update in enumerate(arrivals):
        now_ms = NOW_MS + position * 50
        before = book.view("ETH", now_ms).price
        result = book.apply(update, now_ms)
        if isinstance(result, Refusal):
            assert book.view("ETH", now_ms).price == before
        price = book.tradable("ETH", now_ms)
        if price is None:
            continue
        assert price.mantissa > 0
        assert 0 < price.conf * 200 <= price.mantissa
        assert -2_000 <= now_ms - price.publish_time * 1000 <= 10_000
        if last is not None:
            assert price.publish_time >= last.publish_time
        last = price
    assert book.accepted + book.refused.total() == len(arrivals)


@given(st.permutations(list(range(8))))
def test_reordering_never_turns_time_back(order: list[int]) -> None:
    book, newest = PriceBook(), 0
    for second in order:
        result = book.apply(item(publish_time=NOW_S + second), NOW_MS + 8_000)
        assert isinstance(result, Price) is (second >= newest)
        newest = max(newest, second)
    price = book.tradable("ETH", NOW_MS + 8_000)
    assert price is not None
    assert price.publish_time == NOW_S + 7
