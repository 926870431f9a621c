"""The venue by hand: what is shown, what is refused, and a position that is opened and closed."""

import json
import os
import pty
import subprocess
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.chain.stage import TRADER
from tests.cli.forge import forged
from tests.cli.live import LiveVenue, locked
from tests.cli.perpdesk import COMMAND, environment
from tests.cli.test_refusals import refused
from tests.venue.avantis.server import HTML, META, SPREAD, Drip, Fault, Lie, Status
from tui.live import remedies
from venue.avantis.envelope import BuilderCode

OPEN = ("venue", "avantis", "open", "eth", "long", "100", "--leverage", "5")


@pytest.fixture(autouse=True, scope="module")
def approved(live: LiveVenue) -> None:
    live.approve(5_000 * 10**6)


@pytest.fixture
def env(live: LiveVenue, tmp_path: Path) -> Generator[dict[str, str], None, None]:
    yield live.env(**locked(tmp_path))
    live.server.heal()
    for pair in live.world.pairs:
        pair.is_open = True


def test_pairs_and_prices_are_shown(tmp_path: Path, env: dict[str, str]) -> None:
    rows = json.loads(forged(tmp_path, "venue", "avantis", "pairs", "--json", **env).stdout)
    assert [(row["pair"], row["max leverage"], row["opens"]) for row in rows] == [
        ("BTC/USD", "50", "yes"),
        ("ETH/USD", "40", "yes"),
    ]
    read = json.loads(forged(tmp_path, "venue", "avantis", "read", "--json", **env).stdout)
    assert (read["addresses"], read["ETH"], read["wallet"]) == ("as pinned", "2000", TRADER)


def test_a_dry_run_shows_the_call_and_signs_nothing(live: LiveVenue, tmp_path: Path, env: dict[str, str]) -> None:
    del env["PERPDESK_WALLET__PASSWORD_FILE"]  # it is not asked for
    run = forged(tmp_path, *OPEN, "--dry-run", "--json", "--state", str(tmp_path / "s"), **env)
    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout)
    assert (told["call"]["function"], told["call"]["collateral"], told["call"]["buy"]) == (
        "openTrade",
        "100000000",
        "True",
    )
    assert [(each["wall"], each["verdict"]) for each in told["verdicts"]] == [
        ("builder", "ok"),
        ("allow-list", "ok"),
        ("simulation", "ok"),
    ]
    assert not (tmp_path / "s").exists()
    assert live.reader.orders() == {} or all(order.status != "pending" for order in live.reader.orders().values())


def test_a_builder_that_lies_is_seen_through(live: LiveVenue, tmp_path: Path, env: dict[str, str]) -> None:
    def twice(told: object) -> object:
        text = json.dumps(told)
        return json.loads(text.replace(f"{100_000_000:064x}", f"{200_000_000:064x}"))

    live.server.plan("/tx-builder/v2/trade/open", Lie(twice))  # type: ignore[arg-type]
    run = forged(tmp_path, *OPEN, "--dry-run", "--json", **env)
    assert run.returncode == 79
    assert "WRONG_ARGUMENT: word" in run.stderr
    (verdict,) = json.loads(run.stdout)["verdicts"]
    assert (verdict["wall"], verdict["verdict"]) == ("builder", "WRONG_ARGUMENT")


def test_a_position_is_opened_and_closed(live: LiveVenue, tmp_path: Path, env: dict[str, str]) -> None:
    state = ("--state", str(tmp_path / "s"))
    run = forged(tmp_path, *OPEN, "--yes", "--id", "a", "--json", *state, **env)
    assert run.returncode == 0, run.stderr
    opened = json.loads(run.stdout)
    assert (opened["market"], opened["side"], opened["price"], opened["notional"]) == ("ETH", "long", "2000", "500")
    again = forged(tmp_path, *OPEN, "--yes", "--id", "a", "--json", *state, **env)
    assert (json.loads(again.stdout), len(live.reader.orders())) == (opened, 1), again.stderr
    assert "nothing is sent again" in again.stderr
    assert opened["order"] == "open"
    for other in (
        ("close", "ETH"),
        ("open", "ETH", "short", "100", "--leverage", "5"),
        ("open", "ETH", "long", "101", "--leverage", "5"),
        ("open", "BTC", "long", "100", "--leverage", "5"),
    ):
        run = forged(tmp_path, "venue", "avantis", *other, "--yes", "--id", "a", *state, **env)
        refused(run, 79, "ID_REUSED: --id a was another order's, an open long: pair 7, 100 USDC of collateral at 5x")
    assert len(live.reader.orders()) == 1
    (row,) = json.loads(forged(tmp_path, "venue", "avantis", "positions", "--json", **env).stdout)
    assert (row["market"], row["side"], row["known to"]) == ("ETH", "long", "core, tx-builder, chain")
    refused(forged(tmp_path, "venue", "avantis", "close", "ETH", *state, **env), 64, "--yes confirms")
    run = forged(tmp_path, "venue", "avantis", "close", "ETH", "--yes", "--json", *state, **env)
    assert run.returncode == 0, run.stderr
    assert float(json.loads(run.stdout)["payout"]) > 90
    assert live.world.held(TRADER) == []
    run = forged(tmp_path, "venue", "avantis", "close", "ETH", "--yes", *state, **env)
    refused(run, 79, "NO_POSITION: ETH: the wallet holds none")


@pytest.mark.parametrize("id_", ["x" * 65, "a b", "\u00e9", "a\n"])
def test_an_id_is_short_and_plain(tmp_path: Path, id_: str) -> None:
    run = forged(tmp_path, *OPEN, "--yes", "--id", id_)
    refused(run, 64, "--id: expected at most 64 letters, digits or any of _ . : -")


def test_the_size_must_be_typed(live: LiveVenue, tmp_path: Path, env: dict[str, str]) -> None:
    typed, terminal = pty.openpty()
    os.write(typed, b"50\n")
    found = environment(tmp_path, **env)
    run = subprocess.run(
        [*COMMAND, *OPEN], env=found, stdin=terminal, capture_output=True, text=True, timeout=60, check=False
    )
    os.close(typed)
    os.close(terminal)
    assert (run.returncode, run.stdout) == (79, ""), run.stderr
    assert "Open ETH long: 100 USDC of collateral at 5x, 500 USDC of notional, at about 2000" in run.stderr
    assert "NOT_CONFIRMED: 500 was not typed; nothing was signed" in run.stderr
    assert not [order for order in live.reader.orders().values() if order.status == "pending"]


def test_an_order_nobody_executes_is_not_known(live: LiveVenue, tmp_path: Path, env: dict[str, str]) -> None:
    live.keeping = False
    try:
        run = forged(tmp_path, *OPEN, "--yes", "--id", "b", "--wait", "4", "--state", str(tmp_path / "s"), **env)
    finally:
        live.keeping = True
    assert (run.returncode, run.stdout) == (76, "")
    assert "repeat it with --id b" in run.stderr


@pytest.mark.parametrize(
    ("route", "fault", "status", "said"),
    [
        (SPREAD, Status(404, {"message": "none"}), 79, "DO_NOT_EXECUTE: spread: none can be computed"),
        (META, Status(451), 79, "GEO_RESTRICTED: "),
        ("/tx-builder/v2/trade/open", HTML, 79, "BUILDER_NOT_JSON: "),
        ("/tx-builder/v2/trade/open", Status(429), 79, "BUILDER_RATE_LIMITED: "),
        (META, Lie(lambda _: {"ok": True, "data": {"chainId": 1}}), 79, "META_MISMATCH: meta.data.chainId is 1"),
    ],
)
def test_servers_that_refuse_or_lie(
    live: LiveVenue, tmp_path: Path, env: dict[str, str], route: str, fault: Fault, status: int, said: str
) -> None:
    live.server.plan(route, fault, forever=True)
    run = forged(tmp_path, *OPEN, "--yes", "--state", str(tmp_path / "s"), **env)
    refused(run, status, said)


@pytest.mark.parametrize("code", [*BuilderCode, "NO_PRICE", "WRONG_NOTIONAL", "WRONG_SHARE"])
def test_a_refusal_says_what_to_do(code: str) -> None:
    assert remedies.told(code, "why").startswith(f"{code}: why; ")


@pytest.mark.parametrize("how", ["--yes", "--dry-run"])
def test_a_builder_that_does_not_answer_is_out_of_reach(
    live: LiveVenue, tmp_path: Path, env: dict[str, str], how: str
) -> None:
    live.server.plan("/tx-builder/v2/trade/open", Drip(), forever=True)
    run = forged(tmp_path, *OPEN, how, "--state", str(tmp_path / "s"), **env)
    assert (run.returncode, "BUILDER_TOO_SLOW: " in run.stderr) == (69, True), run.stderr


def test_orders_beyond_a_cap_or_on_a_closed_market(live: LiveVenue, tmp_path: Path, env: dict[str, str]) -> None:
    open_ = ("venue", "avantis", "open", "ETH", "long")
    run = forged(tmp_path, *open_, "100", "--leverage", "11", "--dry-run", **env)
    refused(run, 79, "OVER_LIMIT: leverage 11: expected at most 10 (risk.leverage)")
    run = forged(tmp_path, *open_, "501", "--leverage", "5", "--dry-run", **env)
    refused(run, 79, "OVER_LIMIT: collateral 501: expected at most 500 (risk.max_position_usdc)")
    more = {**env, "PERPDESK_RISK__LEVERAGE": "60"}
    run = forged(tmp_path, *open_, "100", "--leverage", "45", "--dry-run", **more)
    refused(run, 79, "WRONG_LEVERAGE: leverage 45: expected 1 to 40")
    run = forged(tmp_path, "venue", "avantis", "open", "XYZ", "long", "1", "--leverage", "5", "--dry-run", **env)
    refused(run, 79, "NOT_LISTED: pair XYZ/USD: the venue has no such pair")
    live.world.pairs[0].is_open = False
    refused(forged(tmp_path, *OPEN, "--dry-run", **env), 79, "CLOSED: ETH may only be left now")


def test_a_wallet_that_approved_nothing(live: LiveVenue, tmp_path: Path, env: dict[str, str]) -> None:
    live.approve(0)
    try:
        run = forged(tmp_path, *OPEN, "--dry-run", "--json", **env)
        assert run.returncode == 79
        assert "WOULD_REVERT: openTrade would revert" in run.stderr
    finally:
        live.approve(5_000 * 10**6)


def test_another_chain(live: LiveVenue, tmp_path: Path, env: dict[str, str]) -> None:
    live.server.route("/node", lambda asked: (200, {"jsonrpc": "2.0", "id": _id(asked.body), "result": "0x1"}))
    wrong = {**env, "BASE_RPC_URL": f"{live.url}/node"}
    run = forged(tmp_path, *OPEN, "--yes", "--state", str(tmp_path / "s"), **wrong)
    refused(run, 78, "chain id 1: expected 8453")
    assert "name nodes of Base" in run.stderr


def _id(body: object) -> int:
    return int(body["id"]) if isinstance(body, dict) else 0
