import pytest
from pydantic import JsonValue

from tests.venue.avantis.server import (
    BUILDER_POSITIONS,
    EMPTY_POSITIONS,
    HTML,
    USER_DATA,
    AvantisServer,
    Fault,
    Raw,
    Status,
    refused,
)
from tests.venue.avantis.support import Refuses, fields, held
from tests.venue.avantis.world import NOBODY, TRADER, AvantisWorld, WorldChain, builder_row, core_row, stored
from venue.avantis.addresses import AVANTIS
from venue.avantis.contracts import OPEN_TRADES
from venue.avantis.hosts import Api
from venue.avantis.positions import (
    From,
    Held,
    Identity,
    Report,
    Silent,
    fetch_builder,
    fetch_core,
    read_builder,
    read_core,
    read_slots,
    scan_pairs,
)
from venue.avantis.wire import AvantisCode

ONE = held(7, 0)
TWO = held(3, 5, is_long=False, opened_at_s=1_789_000_777)


def bare(position: Held) -> Held:
    """What the chain tells of it."""
    return Held(
        position.pair_index,
        position.trade_index,
        position.is_long,
        position.collateral,
        position.leverage,
        position.open_price,
        position.opened_at_s,
    )


async def test_three_sources_tell_of_the_same_positions(server: AvantisServer, api: Api) -> None:
    server.world.hold(ONE, TWO)
    assert await fetch_core(api, TRADER) == Report(From.CORE, (ONE, TWO))
    built = await fetch_builder(api, TRADER)
    assert isinstance(built, Report)
    assert [bare(position) for position in built.held] == [bare(ONE), bare(TWO)]
    assert built.held[0].liquidation_price == ONE.liquidation_price
    assert built.held[0].rollover is None
    chain = await scan_pairs(WorldChain(server.world), TRADER, [7, 3], 40)
    assert isinstance(chain, Report)
    assert set(chain.held) == {bare(ONE), bare(TWO)}
    assert [asked.query for asked in server.asked] == [{"trader": TRADER}] * 2


def test_who_a_position_is() -> None:
    assert ONE.identity == Identity(7, 0, 1_789_000_000)
    assert ONE.identity.slot == ONE.slot == (7, 0)


async def test_the_gateway_may_wrap_it(server: AvantisServer, api: Api) -> None:
    server.world.hold(ONE)
    server.plan(USER_DATA, Status(200, {"data": server.world.core_positions(TRADER)}))
    assert await fetch_core(api, TRADER) == Report(From.CORE, (ONE,))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"trader": NOBODY}, "trader"),
        ({"trader": None}, "trader"),
        ({"pairIndex": "ETH"}, "pairIndex"),
        ({"pairIndex": -1}, "pairIndex"),
        ({"index": None}, "index"),
        ({"buy": 1}, "buy"),
        ({"collateral": "20.5"}, "collateral"),
        ({"collateral": 20.5}, "collateral"),
        ({"collateral": "0"}, "collateral"),
        ({"collateral": "-5"}, "collateral"),
        ({"collateral": str(2**256)}, "collateral"),
        ({"leverage": "0"}, "leverage"),
        ({"leverage": "10x"}, "leverage"),
        ({"openPrice": "0"}, "openPrice"),
        ({"openPrice": 2000.5}, "openPrice"),
        ({"openedAt": 0}, "openedAt"),
        ({"openedAt": 1_789_000_000_000}, "openedAt"),
        ({"rolloverFee": None}, "rolloverFee"),
        ({"rolloverFee": str(10**16)}, "rolloverFee"),
        ({"unrealisedFundingFee": "1.5"}, "unrealisedFundingFee"),
        ({"isPnl": "false"}, "isPnl"),
        ({"liquidationPrice": "-1"}, "liquidationPrice"),
    ],
    ids=str,
)
def test_a_row_of_the_index_that_cannot_be_read(change: dict[str, JsonValue], field: str) -> None:
    told: JsonValue = {"positions": [core_row(TWO), core_row(ONE) | change]}
    with Refuses(AvantisCode.WRONG_SHAPE, f"user-data.positions[1].{field} is"):
        read_core(fields(told, "user-data"), TRADER)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"trader": NOBODY}, "trader"),
        ({"initialPosToken": None}, "initialPosToken"),
        ({"initialPosToken": "0"}, "initialPosToken"),
        ({"buy": "true"}, "buy"),
        ({"timestamp": "0"}, "timestamp"),
        ({"openPrice": "1e10"}, "openPrice"),
        ({"leverage": 10.5}, "leverage"),
    ],
    ids=str,
)
def test_a_row_of_the_builder_that_cannot_be_read(change: dict[str, JsonValue], field: str) -> None:
    row = builder_row(ONE)
    trade = row["trade"]
    assert isinstance(trade, dict)
    told: JsonValue = {"trades": [row | {"trade": trade | change}]}
    with Refuses(AvantisCode.WRONG_SHAPE, f"positions.trades[0].trade.{field} is"):
        read_builder(fields(told, "positions"), TRADER)


@pytest.mark.parametrize(
    "told", [{}, {"positions": None}, {"positions": {}}, {"positions": [None]}, {"positions": "[]"}]
)
def test_no_list_is_not_an_empty_list(told: JsonValue) -> None:
    with Refuses(AvantisCode.WRONG_SHAPE, "positions"):
        read_core(fields(told), TRADER)


def test_two_positions_in_one_slot() -> None:
    with Refuses(AvantisCode.WRONG_SHAPE, "two positions in one slot"):
        read_core(fields({"positions": [core_row(ONE), core_row(held(7, 0, opened_at_s=5))]}), TRADER)


@pytest.mark.parametrize(
    "fault", [HTML, Status(429), Status(451), Status(500), Raw(b"[]"), Status(200, {"positions": "none"})]
)
async def test_a_server_without_an_answer_is_silent_and_not_empty(
    server: AvantisServer, api: Api, fault: Fault
) -> None:
    server.plan(USER_DATA, fault)
    server.plan(BUILDER_POSITIONS, fault)
    for answer in (await fetch_core(api, TRADER), await fetch_builder(api, TRADER)):
        assert isinstance(answer, Silent)
        assert answer.why


async def test_a_refusal_of_the_builder_is_silence(server: AvantisServer, api: Api) -> None:
    server.plan(BUILDER_POSITIONS, refused("RPC_ERROR", 200, "no node"))
    assert await fetch_builder(api, TRADER) == Silent(From.BUILDER, "positions: RPC_ERROR: no node")


async def test_nothing_at_all_is_an_answer_too(server: AvantisServer, api: Api) -> None:
    server.plan(USER_DATA, EMPTY_POSITIONS)
    assert await fetch_core(api, TRADER) == Report(From.CORE, ())


async def test_slots_are_read_from_storage() -> None:
    world = AvantisWorld()
    world.hold(ONE)
    chain = WorldChain(world)
    answer = await read_slots(chain, TRADER, [(7, 0), (7, 1), (7, 0)])
    assert answer == Report(From.CHAIN, (bare(ONE),), frozenset({(7, 0), (7, 1)}))
    assert [call.to for call in chain.calls] == [AVANTIS.storage] * 2
    assert OPEN_TRADES.decode(chain.calls[1].data) == (TRADER.lower(), 7, 1)
    assert isinstance(answer, Report)
    assert answer.tells((7, 1))
    assert not answer.tells((7, 2))


async def test_a_pair_is_scanned_until_all_are_found() -> None:
    world = AvantisWorld()
    world.hold(held(7, 2), held(7, 4))
    chain = WorldChain(world)
    answer = await scan_pairs(chain, TRADER, [7], 40)
    assert isinstance(answer, Report)
    assert [position.slot for position in answer.held] == [(7, 2), (7, 4)]
    assert len(chain.calls) == 1 + 5
    assert answer.tells((7, 39))
    assert not answer.tells((3, 0))


async def test_an_empty_pair_is_one_call() -> None:
    chain = WorldChain(AvantisWorld())
    assert await scan_pairs(chain, TRADER, [7], 40) == Report(From.CHAIN, (), frozenset((7, at) for at in range(40)))
    assert len(chain.calls) == 1


async def test_a_count_that_does_not_come_true_is_no_answer() -> None:
    world = AvantisWorld()
    world.hold(held(7, 2))
    answer = await scan_pairs(WorldChain(world), TRADER, [7], 2)
    assert isinstance(answer, Silent)
    assert "openTradesCount of pair 7 is 1: expected the 0 positions found" in answer.why


@pytest.mark.parametrize(
    ("returned", "why"),
    [
        (b"", "cannot be decoded"),
        (b"\x00" * 31, "cannot be decoded"),
        (b"\x00" * (32 * 12), "do not belong"),
        (stored(NOBODY, ONE), "in that slot"),
        (stored(TRADER, held(7, 1)), "in that slot"),
        (stored(TRADER, held(8, 0)), "in that slot"),
        (stored(TRADER, held(collateral=0)), "a position that stands"),
        (stored(TRADER, held(open_price=0)), "a position that stands"),
        (stored(TRADER, held(opened_at_s=0)), "a position that stands"),
        (stored(TRADER, held(opened_at_s=10**12)), "a position that stands"),
    ],
)
async def test_what_storage_cannot_hold_is_no_answer(returned: bytes, why: str) -> None:
    answer = await read_slots(WorldChain(AvantisWorld(), returned=returned), TRADER, [(7, 0)])
    assert isinstance(answer, Silent)
    assert why in answer.why


async def test_a_node_that_is_down_is_silent() -> None:
    chain = WorldChain(AvantisWorld(), down=True)
    assert await read_slots(chain, TRADER, [(7, 0)]) == Silent(From.CHAIN, "no node answers")
    assert await scan_pairs(chain, TRADER, [7], 40) == Silent(From.CHAIN, "no node answers")
