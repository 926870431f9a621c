"""Pictures of a past: what no journal holds is unknown in them."""

from engine.config import Settings
from engine.desks.state import Desk
from engine.exchange_rows import Side
from engine.keeper_rows import KeeperHealth
from engine.past import Past
from engine.rewind import Rewind
from engine.snapshot import FeedHealth
from engine.world import World
from venue.chain.state import Chain
from venue.exchange.ledger import EXTERNAL, moves
from venue.perp import PositionRef


def test_nothing_is_made_up(past: Rewind) -> None:
    seen = past.latest()
    assert seen.status.mode == "REPLAY"
    assert (seen.status.feed, seen.status.keepers, seen.status.agent) == (
        FeedHealth.UNKNOWN,
        KeeperHealth.UNKNOWN,
        "?",
    )
    assert {row.index for row in seen.markets} == {None}
    assert {row.health for row in seen.markets} == {FeedHealth.UNKNOWN}
    assert not any("feed" in alarm or "keeper" in alarm for alarm in seen.status.alarms)
    assert seen.keepers == ()
    curves = {row.symbol: row for row in seen.markets if row.mark is not None}
    assert sorted(curves) == ["BTC", "ETH"]
    assert curves["ETH"].mark == past._reel.world.exchange.markets["ETH"].mark


def test_a_live_run_is_shown_as_far_as_its_journal_knows() -> None:
    world = World()
    wallet, token = "0x" + "ab" * 20, "0x" + "01" * 20
    world.wallets.chains[wallet] = Chain(address=wallet, pins=world.wallets.pins)
    desk = world.house.desks[token] = Desk(token, "PEPE", wallet=wallet)
    desk.ref = PositionRef("ETH", True, 0, 4, wallet)
    world.house.ledger.apply(moves((EXTERNAL, f"pending:{token}", 7_000_000)))
    seen = Past(Settings(), world).picture(world, 9, 1_780_000_000_000)
    (row,) = seen.desks
    assert (row.market, row.side, row.position_id, row.pending) == ("ETH", Side.LONG, 4, 7 * 10**18)
    assert (row.mark, row.entry, row.pnl, row.collateral) == (None, None, None, None)
    assert (seen.status.mode, seen.status.venue, seen.status.block) == ("REPLAY", "avantis", None)
    assert (seen.flow.wallet, seen.flow.gas, seen.flow.simulated) == (None, None, "")
    (mine,) = seen.flow.wallets
    assert (mine.address, mine.usdc, mine.gas, mine.owned, mine.fullest) == (wallet, None, None, 7 * 10**18, "ETH")
