"""Signed intents in the engine's journal: what is refused, what a person is told, and what nobody else may see."""

from pathlib import Path

from eth_account import Account
from eth_utils.address import to_checksum_address
from structlog.testing import capture_logs

from engine.chronicle import Chronicle
from engine.live.doors import IntentDoor
from engine.live.intents import IntentWatch
from engine.plain import plain
from engine.requests.hooks import Hooks
from engine.settlement import Recorded
from engine.wire import dumps
from tests.engine.house import ManualClock, settled
from tests.venue.avantis_writes.intent_house import TIMES
from tests.venue.avantis_writes.relay_stand import ACCOUNT, NOW, OPENED, WALLET
from tests.venue.avantis_writes.signed_stand import Still
from venue.avantis.direct import Done, Ending, NoEffect, RouteCode, UnderWay
from venue.avantis.intent_log import BeginSubmit, LogCode, Refusal
from venue.avantis.relay import OnAccepted, Outcome, RelayCode, Unsettled
from venue.avantis.routes import TwoRoutes
from venue.avantis.signed import SignedRoute
from venue.avantis.tracking import Track
from venue.avantis.typed_signer import IntentChecker, IntentSigner, SignedIntent


class Deaf:
    """A relay that takes everything and never says a word."""

    def __init__(self) -> None:
        self.taken: list[SignedIntent] = []

    async def submit(self, signed: SignedIntent, on_accepted: OnAccepted) -> Outcome:
        del on_accepted
        self.taken.append(signed)
        return Unsettled(RelayCode.LOST, Track())

    async def follow(self, track: Track, on_accepted: OnAccepted) -> Outcome:
        del on_accepted
        return Unsettled(RelayCode.NO_END, track)


def routed(door: IntentDoor, relay: Deaf, chain: Still, clock: ManualClock) -> SignedRoute:
    checker = IntentChecker(WALLET, clock.now_ms)
    return SignedRoute(door, relay, chain, checker, IntentSigner(ACCOUNT), clock.now_ms, lambda: 7, TIMES)


async def test_an_order_outlives_the_process_and_an_alarm_says_until_when(tmp_path: Path) -> None:
    clock, relay, chain = ManualClock(NOW), Deaf(), Still()
    async with settled(tmp_path, clock) as settlement:
        route = routed(IntentDoor(settlement), relay, chain, clock)
        assert await route.send("a", OPENED) is None
        assert not await route.knows("b")
    async with settled(tmp_path, clock) as settlement:
        route = routed(IntentDoor(settlement), relay, chain, clock)
        watch = IntentWatch(route, clock.now_ms)
        assert await route.knows("a")
        assert await route.send("a", OPENED) is None
        assert watch.alarms() == []
        assert await watch.look() == "1 open"
        assert watch.alarms() == ["order a may still be taken until 08:01:10 UTC"]
        clock.advance(3600)
        assert watch.alarms() == []
        chain.time_ms = clock.now_ms()
        assert await watch.look() == "1 open"
        ending = await route.ending("a")
        assert isinstance(ending, NoEffect)
        assert (ending.code, watch.alarms()) == ("EXPIRED", [])
    assert len(relay.taken) == 1


async def test_the_journal_s_refusals_come_through_the_door(tmp_path: Path) -> None:
    async with settled(tmp_path) as settlement:
        door = IntentDoor(settlement)
        assert await door.submit(BeginSubmit("a")) == Refusal(LogCode.UNKNOWN, "nothing is signed for a")
        assert await door.read(lambda intents: len(intents.open)) == 0


async def test_a_signature_leaves_the_process_in_no_event_hook_or_log(tmp_path: Path) -> None:
    clock, relay = ManualClock(NOW), Deaf()
    published: list[Recorded] = []
    async with settled(tmp_path, clock, published) as settlement:
        await routed(IntentDoor(settlement), relay, Still(), clock).send("a", OPENED)
    chronicle, hooks = Chronicle(), Hooks()
    with capture_logs() as logs:
        chronicle.record(published)
        hooks.published(published)
    (taken,) = relay.taken
    said = dumps(plain(chronicle.since(0))) + repr(logs) + repr(published) + repr(hooks.__dict__)
    assert "IntentSigned" in repr(published)
    assert taken.signature.hex() not in said
    assert taken.encoded.hex() not in said


class Scripted:
    """A route that knows some orders."""

    def __init__(self, *known: str) -> None:
        self.known = known
        self.sent: list[str] = []

    async def knows(self, order_id: str) -> bool:
        return order_id in self.known

    async def send(self, order_id: str, asked: object) -> NoEffect | None:
        del asked
        self.sent.append(order_id)
        return None

    async def ending(self, order_id: str) -> Ending:
        return UnderWay() if order_id in self.known else NoEffect(RouteCode.NEVER_SENT, "")


async def test_each_route_goes_on_with_what_it_has_sent() -> None:
    sends, other = Scripted("new"), Scripted("old")
    both = TwoRoutes(sends, other)
    for order_id in ("new", "old", "next"):
        await both.send(order_id, OPENED)
    assert (sends.sent, other.sent) == (["new", "next"], ["old"])
    assert await both.ending("old") == UnderWay()
    assert not isinstance(await both.ending("never"), UnderWay | Done)


async def test_another_wallet_s_intents_are_left_alone(tmp_path: Path) -> None:
    clock, relay, chain = ManualClock(NOW), Deaf(), Still()
    async with settled(tmp_path, clock) as settlement:
        door = IntentDoor(settlement)
        await routed(door, relay, chain, clock).send("a", OPENED)
        clock.advance(3600)
        chain.time_ms = clock.now_ms()
        stranger = Account.from_key("0x" + "5f" * 32)
        checker = IntentChecker(to_checksum_address(stranger.address), clock.now_ms)
        other = SignedRoute(door, relay, chain, checker, IntentSigner(stranger), clock.now_ms, lambda: 8, TIMES)
        assert await other.pass_once() == "nothing open"
        assert await other.waiting_until() == {}
        assert not isinstance(await other.ending("a"), NoEffect | Done)
