"""Signed intents by hand: an order without gas, and a person's word where nobody else can tell how one ended."""

import json
import time
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.chain.avantis_servers import Ordered
from tests.chain.fixtures import _needs_anvil
from tests.chain.relay_operator import Manner, RelayOperator
from tests.chain.stage import TRADER
from tests.cli.forge import forged
from tests.cli.live import LiveVenue, live_venue, locked
from tests.cli.perpdesk import perpdesk
from tests.cli.test_refusals import refused

NOBODY = "http://127.0.0.1:9"
OPEN = ("venue", "avantis", "open", "eth", "long", "100", "--leverage", "5", "--yes", "--json")
RESOLVE = ("venue", "avantis", "resolve")


@pytest.fixture(scope="module")
def live() -> Generator[LiveVenue, None, None]:
    """One that nobody else has left positions on."""
    _needs_anvil()
    with live_venue() as made:
        made.approve(5_000 * 10**6)
        yield made


@pytest.fixture
def env(live: LiveVenue, tmp_path: Path) -> dict[str, str]:
    return live.env(PERPDESK_AVANTIS__ROUTE="signed", **locked(tmp_path))


@pytest.fixture
def relay(live: LiveVenue) -> Generator[RelayOperator, None, None]:
    async def make() -> RelayOperator:
        return RelayOperator(live)

    made = live.do(make())
    yield made
    made.release()


def executed(live: LiveVenue) -> Ordered:
    """The newest order, once a keeper has executed it and that is deep."""
    for _ in range(100):
        orders = live.reader.orders()
        if (newest := orders[max(orders)]).status == "executed":
            time.sleep(2.5)
            return newest
        time.sleep(0.1)
    raise AssertionError("nobody executes it")


def test_an_order_by_hand_needs_no_gas(
    live: LiveVenue, relay: RelayOperator, tmp_path: Path, env: dict[str, str]
) -> None:
    state = ("--state", str(tmp_path / "s"))
    run = forged(tmp_path, *OPEN, "--id", "a", *state, **env)
    assert run.returncode == 0, run.stderr
    opened = json.loads(run.stdout)
    assert (opened["market"], opened["notional"], opened["hash"]) == ("ETH", "500", "")
    again = forged(tmp_path, *OPEN, "--id", "a", *state, **env)
    assert (json.loads(again.stdout), len(relay.posts)) == (opened, 1)
    by_transactions = env | {"PERPDESK_AVANTIS__ROUTE": "transactions"}
    again = forged(tmp_path, *OPEN, "--id", "a", *state, **by_transactions)
    assert (json.loads(again.stdout), len(relay.posts)) == (opened, 1), again.stderr
    run = forged(tmp_path, "venue", "avantis", "close", "ETH", "--yes", "--json", *state, **env)
    assert run.returncode == 0, run.stderr
    assert float(json.loads(run.stdout)["payout"]) > 90
    assert live.world.held(TRADER) == []
    assert [post["orderType"] for post in relay.posts] == [0, 1]


def test_a_dry_run_shows_the_intent_and_signs_nothing(
    relay: RelayOperator, tmp_path: Path, env: dict[str, str]
) -> None:
    del env["PERPDESK_WALLET__PASSWORD_FILE"]  # it is not asked for
    run = forged(tmp_path, *OPEN, "--dry-run", "--state", str(tmp_path / "s"), **env)
    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout)
    shown = told["call"]
    assert (shown["intent"], shown["positionSizeUSDC"], shown["buy"]) == ("OpenTradeReq", "100000000", "True")
    assert told["verdicts"] == [{"wall": "intent", "verdict": "ok", "text": "may be signed"}]
    assert (relay.posts, (tmp_path / "s").exists()) == ([], False)


def test_a_persons_word_is_held_against_the_chain(
    live: LiveVenue, relay: RelayOperator, tmp_path: Path, env: dict[str, str]
) -> None:
    state = ("--state", str(tmp_path / "s"))
    relay.manner = Manner.MUDDLES
    run = forged(tmp_path, *OPEN, "--id", "m", "--wait", "60", *state, **env)
    assert (run.returncode, run.stdout) == (76, ""), run.stderr
    assert "To resolve: find the order" in run.stderr
    order = executed(live)
    number, block = str(order.order_id), order.end["blockNumber"]
    assert isinstance(block, int)
    why = ("--why", "seen in the explorer")
    wrong = forged(tmp_path, *RESOLVE, "cli:m", "--executed", number, "--block", str(block - 1), *why, *state, **env)
    refused(wrong, 79, f"INTENT_CONTRADICTED: block {block - 1} executed no order {number}")
    unknown = forged(tmp_path, *RESOLVE, "cli:n", "--canceled", *why, *state, **env)
    refused(unknown, 79, "INTENT_UNKNOWN: nothing is signed for cli:n")
    run = forged(
        tmp_path, *RESOLVE, "cli:m", "--executed", number, "--block", str(block), *why, "--json", *state, **env
    )
    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout)
    assert (told["order"], told["end"], told["price"]) == ("cli:m", "executed", "2000")
    again = forged(tmp_path, *RESOLVE, "cli:m", "--canceled", *why, *state, **env)
    refused(again, 79, "INTENT_ALREADY_ENDED: cli:m ended: DONE")
    run = forged(tmp_path, *OPEN, "--id", "m", *state, **env)
    assert json.loads(run.stdout)["index"] == told["index"]
    assert len(relay.posts) == 1


def test_what_may_still_be_taken_is_not_resolved(relay: RelayOperator, tmp_path: Path, env: dict[str, str]) -> None:
    state = ("--state", str(tmp_path / "s"))
    relay.manner = Manner.GIVES_UP
    run = forged(tmp_path, *OPEN, "--id", "g", "--wait", "1", *state, **env)
    assert run.returncode == 76, run.stderr
    early = forged(tmp_path, *RESOLVE, "cli:g", "--cancelled", "--why", "a hunch", *state, **env)
    refused(early, 79, "INTENT_NOT_TAKEN: cli:g may be taken until")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("a", "--why", "x"), "expected either --canceled, or --executed with --block"),
        (("a", "--why", "x", "--executed", "1"), "expected either --canceled, or --executed with --block"),
        (("a", "--why", "x", "--canceled", "--executed", "1", "--block", "2"), "expected either"),
        (("a", "--why", " ", "--canceled"), "--why: empty"),
    ],
)
def test_a_word_that_is_none(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    refused(forged(tmp_path, *RESOLVE, *arguments), 64, said)


def test_the_doctor_looks_at_what_this_route_needs(live: LiveVenue, tmp_path: Path, env: dict[str, str]) -> None:
    hosts = json.dumps([NOBODY, live.url])
    more = {"PERPDESK_AVANTIS__HOSTS": hosts, "PERPDESK_RISK__MIN_WALLET_BALANCE_ETH": "1000"}
    live.do(live.node.set_balance(TRADER, 10**18))
    for route, status in (("signed", "fail"), ("transactions", "warn")):
        run = perpdesk(tmp_path, "doctor", "--json", **env | more | {"PERPDESK_AVANTIS__ROUTE": route})
        found = {row["name"]: row for row in json.loads(run.stdout)}
        gas = "warn" if route == "signed" else "fail"
        assert (found["host gateway"]["status"], found["balance eth"]["status"]) == (status, gas)
        assert (f"orders are relayed by {NOBODY} alone" in json.dumps(found)) is (route == "signed")
        assert ("not paid" in found["execution fee"]["text"]) is (route == "signed")
