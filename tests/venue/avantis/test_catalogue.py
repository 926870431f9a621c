import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from tests.venue.avantis.server import CATALOGUE, HTML, AvantisServer, Drip, Lie, Status
from tests.venue.avantis.support import Refuses, fields
from tests.venue.avantis.world import NOW_MS, AvantisWorld, WorldPair
from venue.avantis.catalogue import Catalogue, Catalogues, read_catalogue
from venue.avantis.hosts import Api, Hosts
from venue.avantis.pair import Ceilings, Interest, Pair
from venue.avantis.units import TEN, USDC
from venue.avantis.wire import AvantisCode
from venue.perp import MarketTerms


def read(*pairs: WorldPair, ceilings: Ceilings | None = None, **world: JsonValue) -> Catalogue:
    made = AvantisWorld(pairs=list(pairs)) if pairs else AvantisWorld()
    for name, value in world.items():
        setattr(made, name, value)
    return read_catalogue(fields(made.catalogue(), "catalogue"), ceilings or Ceilings(), NOW_MS)


def eth(**told: object) -> Pair:
    return read(WorldPair(7, "ETH", **told)).pair("ETH")  # type: ignore[arg-type]


def test_a_pair_whole() -> None:
    pair = eth()
    assert pair.index == 7
    assert (pair.symbol, pair.quote, pair.group) == ("ETH", "USD", 0)
    assert (pair.min_leverage, pair.max_leverage) == (TEN, 40 * TEN)
    assert pair.min_notional == 100 * USDC
    assert pair.fees.open_taker == pair.fees.close_taker == 450_000_000
    assert pair.fees.open_maker == pair.fees.close_maker == pair.fees.spread == 100_000_000
    assert pair.headroom == 749_999_500_000  # 1,000,000 less 250,000.5
    assert pair.max_wallet == 600_000 * USDC
    assert pair.feed_id == "a8" * 32
    assert pair.lazer_id == 907
    assert pair.max_open_deviation == TEN
    assert pair.is_open
    assert pair.opens


def test_in_the_words_of_desks() -> None:
    assert eth().terms() == MarketTerms("ETH", 40 * 10**18, 100 * USDC, 600_000 * USDC, 600_000 * USDC, True)


def test_pairs_are_found_by_symbol_wherever_they_stand() -> None:
    catalogue = read(WorldPair(0, "BTC"), WorldPair(19, "ETH"))
    assert catalogue.pair("ETH").index == 19
    assert catalogue.pair("BTC").index == 0


def test_the_index_is_the_pairs_own_and_not_its_key() -> None:
    assert read(WorldPair(7, "ETH", extra={"index": 12})).pair("ETH").index == 12


def test_upside_twins_are_left_out() -> None:
    catalogue = read()
    assert set(catalogue.pairs) == {"ETH/USD", "BTC/USD"}
    with Refuses(AvantisCode.NOT_LISTED, "ETH_UPSIDE/USD", "Upside"):
        catalogue.pair("ETH_UPSIDE")
    named = read(WorldPair(41, "ETH_UPSIDE", upside=False))
    assert not named.pairs
    flagged = read(WorldPair(41, "ETH", upside=True), WorldPair(7, "ETH"))
    assert flagged.pair("ETH").index == 7
    assert not flagged.left_out


@pytest.mark.parametrize("symbol", ["SOL", "", "eth", "ETH/USD"])
def test_what_is_not_there_is_not_listed(symbol: str) -> None:
    with Refuses(AvantisCode.NOT_LISTED, "no such pair"):
        read().pair(symbol)


def test_an_old_listing_does_not_hide_the_new_one() -> None:
    assert read(WorldPair(1, "ETH", listed=False), WorldPair(7, "ETH")).pair("ETH").index == 7
    with Refuses(AvantisCode.NOT_LISTED, "not listed any more"):
        read(WorldPair(1, "ETH", listed=False)).pair("ETH")


def test_nobody_knows_which_of_two_is_meant() -> None:
    with Refuses(AvantisCode.NOT_LISTED, "several pairs have this symbol"):
        read(WorldPair(1, "ETH"), WorldPair(7, "ETH"), WorldPair(8, "ETH")).pair("ETH")
    doubled = read(WorldPair(1, "ETH"), WorldPair(2, "BTC", extra={"index": 1}))
    with Refuses(AvantisCode.NOT_LISTED, "index 1 is given to several"):
        doubled.pair("BTC")


@pytest.mark.parametrize(
    "extra",
    [
        {"isPairListed": "yes"},
        {"leverages": None},
        {"leverages": {"minLeverage": 1}},
        {"leverages": {"minLeverage": 1, "maxLeverage": -5}},
        {"leverages": {"minLeverage": 1, "maxLeverage": "many"}},
        {"pairMinLevPosUSDC": None},
        {"groupIndex": 9},
        {"pairOI": None},
        {"pairMaxOI": []},
        {"maxWalletOI": None},
        {"additionalPairParams2": None},
        {"spreadP": 100.5},
        {"feed": {"feedId": "0x12", "maxOpenDeviationP": 1, "attributes": {"isOpen": True}}},
        {"feed": {"feedId": "0x" + "ab" * 32, "maxOpenDeviationP": 1, "attributes": {}}},
        {"storagePairParams": None},
        {"storagePairParams": {"isPnlTypeAllowed": 2}},
        {"index": -1},
        {"index": 1.5},
    ],
    ids=str,
)
def test_a_broken_pair_is_left_out_and_the_others_stay(extra: dict[str, JsonValue]) -> None:
    catalogue = read(WorldPair(7, "ETH", extra=extra), WorldPair(3, "BTC"))
    assert catalogue.pair("BTC").index == 3
    with Refuses(AvantisCode.NOT_LISTED, "pair ETH/USD: ", "expected"):
        catalogue.pair("ETH")


@pytest.mark.parametrize(
    ("told", "opens"),
    [
        ({}, True),
        ({"close_only": True}, False),
        ({"is_open": False}, False),
        ({"min_leverage": 41}, False),
        ({"min_leverage": 80, "max_leverage": 100}, False),
        ({"pair_oi": 999_950}, False),
        ({"pair_oi": 2_000_000}, False),
        ({"max_wallet_oi": 99}, False),
        ({"max_wallet_oi": 100}, True),
    ],
    ids=str,
)
def test_when_a_position_may_be_opened(told: dict[str, object], opens: bool) -> None:
    pair = eth(**told)
    assert pair.opens is opens
    assert pair.terms().opens is opens
    assert pair.headroom >= 0


def test_interest_is_shown_and_never_needed() -> None:
    assert eth().interest == Interest(150_000_250_000, 100_000_250_000, 5_000_000, -1_900_000)
    assert eth(extra={"fundingRate": "much"}).interest is None


def test_hours_as_they_used_to_be_written() -> None:
    feed: JsonValue = {"feedId": "ab" * 32, "maxOpenDeviationP": 1, "attributes": {"is_open": False}}
    assert not eth(extra={"feed": feed}).is_open


def test_the_group_may_have_less_room_than_the_pair() -> None:
    assert read(group_oi=1_999_000).pair("ETH").headroom == 1_000 * USDC


@given(st.floats(1, 10_000), st.floats(0, 10_000), st.floats(0, 10**12), st.floats(0, 10**12), st.integers(1, 100))
def test_a_lying_catalogue_raises_nothing_above_our_own_limits(
    lever: float, least: float, room: float, wallet: float, cap: int
) -> None:
    ceilings = Ceilings(max_leverage=cap * TEN, min_notional=50 * USDC, max_notional=1_000 * USDC)
    liar = WorldPair(7, "ETH", max_leverage=lever, min_notional=least, pair_max_oi=room, max_wallet_oi=wallet)
    pair = read(liar, ceilings=ceilings, group_max_oi=10**13).pair("ETH")
    assert pair.max_leverage <= ceilings.max_leverage
    assert pair.min_notional >= ceilings.min_notional
    assert pair.max_notional <= ceilings.max_notional


@pytest.mark.parametrize("version", [2, 4, "4", 0])
def test_a_version_nobody_knows(version: JsonValue) -> None:
    with Refuses(AvantisCode.UNKNOWN_VERSION, f"catalogue.dataVersion is {version}: expected 3"):
        read(data_version=version)


@pytest.mark.parametrize("version", [None, True, "three", 3.5, []])
def test_a_version_that_is_none(version: JsonValue) -> None:
    with Refuses(AvantisCode.WRONG_SHAPE, "catalogue.dataVersion"):
        read(data_version=version)


@pytest.mark.parametrize("missing", ["pairInfos", "groupInfo", "maxTradesPerPair"])
def test_what_no_pair_can_do_without(missing: str) -> None:
    told = AvantisWorld().catalogue()
    del told[missing]
    with Refuses(AvantisCode.WRONG_SHAPE, f"catalogue.{missing} is missing"):
        read_catalogue(fields(told, "catalogue"), Ceilings(), NOW_MS)


async def test_one_answer_serves_for_five_seconds(server: AvantisServer, api: Api) -> None:
    catalogues = Catalogues(api, lambda: server.world.now_ms)
    first = await catalogues.newest()
    server.world.now_ms += 5_000
    assert await catalogues.newest() is first
    server.world.now_ms += 1
    assert await catalogues.newest() is not first
    assert len(server.asked) == 2


async def test_the_last_one_serves_while_it_is_fresh(server: AvantisServer, api: Api) -> None:
    catalogues = Catalogues(api, lambda: server.world.now_ms)
    first = await catalogues.newest()
    server.plan(CATALOGUE, HTML, Status(503), forever=True)
    server.world.now_ms += 60_000
    assert await catalogues.newest() is first
    assert catalogues.trouble is not None
    assert catalogues.trouble.code is AvantisCode.NOT_JSON
    server.world.now_ms += 1
    with Refuses(AvantisCode.SERVER_FAILED):
        await catalogues.newest()
    server.heal()
    assert (await catalogues.newest()).taken_ms == server.world.now_ms
    assert catalogues.trouble is None


async def test_a_version_nobody_knows_ends_the_last_one_at_once(server: AvantisServer, api: Api) -> None:
    catalogues = Catalogues(api, lambda: server.world.now_ms)
    await catalogues.newest()
    server.world.now_ms += 6_000
    server.world.data_version = 4
    with Refuses(AvantisCode.UNKNOWN_VERSION):
        await catalogues.newest()
    server.plan(CATALOGUE, Status(503))
    with Refuses(AvantisCode.SERVER_FAILED):
        await catalogues.newest()


async def test_what_a_cache_has_kept_is_as_old_as_it_says(server: AvantisServer, api: Api) -> None:
    catalogues = Catalogues(api, lambda: server.world.now_ms)
    server.plan(CATALOGUE, Lie(lambda told: told, {"Age": "60"}), Lie(lambda told: told, {"Age": "300"}))
    assert (await catalogues.newest()).taken_ms == NOW_MS - 60_000
    server.world.now_ms += 1
    with Refuses(AvantisCode.STALE, "catalogue is 300 s old: expected at most 60"):
        await catalogues.newest()


@pytest.mark.parametrize(("later_ms", "fresh"), [(0, True), (60_000, True), (60_001, False), (-61_000, False)])
def test_how_long_it_is_fresh(later_ms: int, fresh: bool) -> None:
    catalogue = read()
    assert catalogue.is_fresh(NOW_MS + later_ms) is fresh
    if not fresh:
        with Refuses(AvantisCode.STALE):
            catalogue.check(NOW_MS + later_ms)


async def test_a_clock_that_was_set_back_makes_nothing_new(server: AvantisServer, api: Api) -> None:
    catalogues = Catalogues(api, lambda: server.world.now_ms)
    await catalogues.newest()
    server.world.now_ms -= 3_600_000
    server.plan(CATALOGUE, Status(503))
    with Refuses(AvantisCode.SERVER_FAILED):
        await catalogues.newest()


async def test_a_catalogue_as_large_as_the_real_one(server: AvantisServer, api: Api) -> None:
    pad: dict[str, JsonValue] = {"schedule": "x" * 2_000}
    server.world.pairs += [WorldPair(100 + at, f"C{at}", extra=pad) for at in range(120)]
    catalogue = await Catalogues(api, lambda: NOW_MS).newest()
    assert len(catalogue.pairs) == 122


async def test_one_that_never_ends(server: AvantisServer) -> None:
    api = Api(Hosts((server.family(),), within_s=0.2))
    server.plan(CATALOGUE, Drip())
    with Refuses(AvantisCode.TOO_SLOW):
        await Catalogues(api, lambda: NOW_MS).newest()
    await api.aclose()
