"""The doctor: a line for everything, a remedy for what is wrong, and never a crash."""

import asyncio
import json
from collections.abc import Callable, Generator, Sequence
from pathlib import Path

import pytest

from engine.clock import SystemClock
from engine.codec import encode
from engine.config import Settings
from engine.live.doctor import CHECKS, Check, examine
from engine.live.doctor_scene import Line, Scene, Status
from store.journal import Journal
from tests.chain.stage import TRADER
from tests.cli.live import HERMES, LiveVenue, locked, stranger_code
from tests.cli.perpdesk import perpdesk
from tests.venue.avantis.server import CATALOGUE, HTML, META, TRADES, Drip, Fault, Lie
from tests.venue.avantis.server import Status as Answer
from venue.avantis.addresses import AVANTIS
from venue.chain.facts import ContractPinned
from venue.chain.pins import IMPLEMENTATION

ENOUGH = 40_000 * 10**6
Set = Callable[..., Settings]


@pytest.fixture(autouse=True, scope="module")
def approved(live: LiveVenue) -> None:
    live.approve(ENOUGH)


@pytest.fixture(autouse=True)
def healed(live: LiveVenue) -> Generator[None, None, None]:
    yield
    live.server.heal()


@pytest.fixture
def settings(live: LiveVenue, monkeypatch: pytest.MonkeyPatch) -> Set:
    """As the program reads them."""

    def made(**more: str) -> Settings:
        for name, value in live.env(**more).items():
            monkeypatch.setenv(name, value)
        return Settings()

    return made


@pytest.fixture
def keystore(tmp_path: Path) -> Path:
    locked(tmp_path)
    return tmp_path / "wallet.json"


def lines(settings: Settings, keystore: Path, **more: object) -> dict[str, Line]:
    """By name; the worst where several have one."""
    order = [Status.SKIP, Status.OK, Status.WARN, Status.FAIL]
    found = asyncio.run(examine(settings, keystore, SystemClock(), **more))  # type: ignore[arg-type]
    return {line.name: line for line in sorted(found, key=lambda line: order.index(line.status))}


def wrong(found: dict[str, Line], status: Status = Status.FAIL) -> set[str]:
    return {name for name, line in found.items() if line.status is status}


def test_all_is_well(live: LiveVenue, tmp_path: Path) -> None:
    env = live.env(VENICE_API_KEY="canary", **locked(tmp_path))
    run = perpdesk(tmp_path, "doctor", "--json", **env)
    found = {row["name"]: row for row in json.loads(run.stdout)}
    assert run.returncode == 0, run.stderr + run.stdout
    assert {name for name, row in found.items() if row["status"] == "warn"} == {"quorum", "candles"}
    assert TRADER in found["wallet"]["text"]
    assert "code 0x" in found["code trading"]["text"]
    assert "leverage at most 10: risk.leverage 10, AVANTIS_MAX_LEVERAGE 75, venue 40" in found["caps ETH"]["text"]
    assert "the history says what was given back" in found["cancellations"]["text"]
    assert found["endpoint"]["text"].startswith(live.node.http_url.removeprefix("http://").partition(":")[0])
    assert "canary" not in run.stdout + run.stderr


def test_paper_needs_none_of_it(live: LiveVenue, tmp_path: Path) -> None:
    run = perpdesk(tmp_path, "doctor", PERPDESK_PYTH__URL=f"{live.url}/hermes")
    assert run.returncode == 0, run.stderr
    assert run.stdout.count("skip ") == len(CHECKS) - 2
    assert "not set up: venue is paper and BASE_RPC_URL is empty" in run.stdout


def test_without_a_node_or_a_key(live: LiveVenue, tmp_path: Path) -> None:
    env = live.env()
    del env["BASE_RPC_URL"]
    run = perpdesk(tmp_path, "doctor", **env)
    assert run.returncode == 81
    assert "BASE_RPC_URL is not set" in run.stdout
    assert "-> perpdesk wallet new, or perpdesk wallet import" in run.stdout
    assert "lines fail: clock, endpoints, blocks, code, pins, wallet" in run.stderr


@pytest.mark.parametrize(
    ("route", "fault", "failing", "said"),
    [
        (META, Answer(451), "place", "not available here by law (451)"),
        (
            META,
            Lie(lambda _: {"ok": True, "data": {"chainId": 1}}),
            "addresses",
            "META_MISMATCH: meta.data.chainId",
        ),
        (META, HTML, "host tx-builder", "NOT_JSON"),
        (CATALOGUE, HTML, "caps", "NOT_JSON"),
        (TRADES, Answer(200, {"success": True, "data": 7}), "history", "WRONG_SHAPE"),
        (HERMES, Answer(401), "hermes", "no key: Hermes needs one (401)"),
        (HERMES, Answer(403, {"message": "no"}), "hermes", "key not entitled"),
    ],
)
def test_servers_that_refuse(
    live: LiveVenue, settings: Set, keystore: Path, route: str, fault: Fault, failing: str, said: str
) -> None:
    live.server.plan(route, fault, forever=True)
    found = lines(settings(), keystore)
    assert found[failing].status is Status.FAIL
    assert said in found[failing].text
    assert found[failing].remedy
    assert {"allowance", "balance eth", "code usdc"}.isdisjoint(wrong(found)), "the others go on"


def test_a_limit_of_the_venue_is_no_failure(live: LiveVenue, settings: Set, keystore: Path) -> None:
    live.server.plan(META, Answer(429), forever=True)
    found = lines(settings(), keystore)
    assert {"addresses", "execution fee", "host tx-builder"} <= wrong(found, Status.WARN)
    assert not wrong(found)


def test_caps_fees_and_closed_markets(live: LiveVenue, settings: Set, keystore: Path) -> None:
    live.world.pairs[0].is_open = False
    live.world.meta = {"defaults": {"executionFeeWei": str(2 * 10**15)}}
    try:
        found = lines(settings(PERPDESK_RISK__MAX_POSITION_USDC="1"), keystore)
    finally:
        live.world.pairs[0].is_open, live.world.meta = True, {}
    assert found["caps ETH"].text.startswith("closed now; ")
    assert wrong(found) == {"caps BTC", "execution fee"}
    assert "raise risk.max_position_usdc" in found["caps BTC"].remedy


def test_code_that_is_missing_or_another(live: LiveVenue, settings: Set, keystore: Path) -> None:
    before = {at: live.do(live.node.rpc("eth_getCode", at, "latest")) for at in (AVANTIS.usdc, AVANTIS.trading)}
    live.do(live.node.set_code(AVANTIS.usdc, stranger_code()))
    live.do(live.node.set_code(AVANTIS.trading, b""))
    try:
        found = lines(settings(), keystore)
    finally:
        for at, code in before.items():
            live.do(live.node.set_code(at, bytes.fromhex(code[2:])))
    assert {"code usdc", "code trading"} <= wrong(found)
    assert "nothing is deployed" in found["code trading"].text
    assert "balanceOf returns something else" in found["code usdc"].text


def test_a_proxy_is_shown_with_whom_it_stands_for(live: LiveVenue, settings: Set, keystore: Path) -> None:
    live.do(live.node.set_storage(AVANTIS.storage, IMPLEMENTATION, bytes.fromhex(TRADER[2:])))
    try:
        found = lines(settings(), keystore)
    finally:
        live.do(live.node.set_storage(AVANTIS.storage, IMPLEMENTATION, b""))
    assert f"stands for {TRADER}, slot 0x" in found["code storage"].text


@pytest.mark.parametrize(
    ("url", "status", "text"),
    [
        ("", Status.OK, "announced by BASE_WS_URL"),
        ("ws://127.0.0.1:9/canary", Status.WARN, "subscription lost: "),
        ("ws://example.org/canary", Status.FAIL, "must be wss"),
        ("https://example.org/canary", Status.FAIL, "starts with wss://"),
        ("wss://example.org/?key=canary", Status.FAIL, "must not carry"),
    ],
)
def test_where_blocks_are_announced(
    live: LiveVenue, settings: Set, keystore: Path, url: str, status: Status, text: str
) -> None:
    line = lines(settings(BASE_WS_URL=url or live.node.ws_url), keystore)["blocks"]
    assert line.status is status, line
    assert text in line.text
    assert "canary" not in repr(line)


def test_contracts_that_are_not_what_they_were(live: LiveVenue, settings: Set, keystore: Path, tmp_path: Path) -> None:
    first = lines(settings(), keystore, state=tmp_path)["pins"]
    assert (first.status, first.text[:9]) == (Status.OK, "0 of 9 co")
    pinned(tmp_path, ContractPinned(AVANTIS.storage, f"0x{'11' * 32}", "", ""))
    was = lines(settings(), keystore, state=tmp_path)["pins"]
    assert was.status is Status.FAIL
    assert f"storage {AVANTIS.storage} was changed: 0x1111" in was.text
    assert "accept-upgrade" in was.remedy
    named = lines(settings(PERPDESK_AVANTIS__PINS=json.dumps({str(AVANTIS.trading): TRADER})), keystore)["pins"]
    assert named.status is Status.FAIL
    assert f"{TRADER} before" in named.text
    assert "avantis.pins" in named.remedy


def pinned(state: Path, fact: ContractPinned) -> None:
    """A journal that believes it."""

    async def write() -> None:
        journal = await Journal.open(state)
        await journal.append([encode(fact)], 1)
        await journal.close()

    asyncio.run(write())


def test_signed_orders_are_relayed_by_the_first_family_only(live: LiveVenue, settings: Set, keystore: Path) -> None:
    hosts = f'["http://127.0.0.1:9", "{live.url}"]'
    assert not wrong(lines(settings(PERPDESK_AVANTIS__HOSTS=hosts), keystore)), "the next one builds"
    found = lines(settings(PERPDESK_AVANTIS__HOSTS=hosts, PERPDESK_AVANTIS__ROUTE="signed"), keystore)
    assert wrong(found) == {"host gateway"}
    assert "http://127.0.0.1:9: UNREACHABLE" in found["host gateway"].text


def test_nodes_that_are_elsewhere_or_silent(live: LiveVenue, settings: Set, keystore: Path) -> None:
    live.server.route("/node", lambda asked: (200, {"jsonrpc": "2.0", "id": _id(asked.body), "result": "0x1"}))
    urls = f"{live.url}/node,http://127.0.0.1:1/secret-key,{live.node.http_url}"
    found = lines(settings(BASE_RPC_URL=urls), keystore)
    assert "chain id 1: expected 8453" in found["endpoint"].text
    assert "1 of 3 can be asked: 2 must agree" in found["quorum"].text
    assert {"endpoint", "quorum", "code usdc", "allowance"} <= wrong(found)
    assert not any("secret-key" in line.text + line.remedy for line in found.values())


def test_wallets_that_cannot_trade(live: LiveVenue, settings: Set, tmp_path: Path) -> None:
    locked(tmp_path, "0x" + "11" * 32)
    keystore = tmp_path / "wallet.json"
    found = lines(settings(), keystore)
    assert {"balance eth", "allowance"} == wrong(found)
    assert "perpdesk wallet approve 40000" in found["allowance"].remedy
    keystore.chmod(0o644)
    found = lines(settings(), keystore)
    assert wrong(found) == {"wallet"}
    assert "chmod 600" in found["wallet"].remedy
    assert found["allowance"].status is Status.SKIP


def test_a_server_that_never_ends_and_a_check_that_crashes(live: LiveVenue, settings: Set, keystore: Path) -> None:
    async def crash(scene: Scene) -> Sequence[Line]:
        raise RuntimeError("secret")

    live.server.plan(CATALOGUE, Drip(), forever=True)
    checks = (*CHECKS, Check("crash", crash))
    found = lines(settings(), keystore, checks=checks, deadline_s=3.0)
    assert found["caps"].text == "no answer within 3 s"
    assert found["crash"].text == "the check itself failed: RuntimeError"
    assert found["addresses"].status is Status.OK


def _id(body: object) -> int:
    return int(body["id"]) if isinstance(body, dict) else 0
