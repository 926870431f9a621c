import asyncio
import logging
import subprocess
import sys
import traceback
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Any

import pytest
import pytest_asyncio
from eth_account import Account
from pydantic import SecretStr
from structlog.testing import capture_logs

from engine.agent.plan import NoPlan, NoPlanCode
from engine.agent.venice import Venice
from engine.agent.venice_link import Secrets
from engine.agent.venice_state import VeniceOptions, VenicePhase
from tests.engine.agent.asking import SIGHT, asking, refused
from tests.engine.agent.venice_server import KEY, MINT_KEY, Act, FakeVenice, mint_problem, serving
from tests.engine.house import ManualClock

MINT: dict[str, Any] = {"key": None, "mint_key": SecretStr(MINT_KEY)}


@pytest_asyncio.fixture
async def server() -> AsyncIterator[FakeVenice]:
    async with serving() as each:
        yield each


async def test_a_key_is_issued_to_the_wallet_that_signs(server: FakeVenice) -> None:
    async with asking(server, **MINT, consumption_diem="0.5", consumption_usd="2") as venice:
        assert (await venice.plan(SIGHT)).allow
        assert (await venice.plan(SIGHT)).allow
        assert venice.state().key_source == "minted"
    (body,) = server.minted
    assert body["address"] == Account.from_key(MINT_KEY).address
    assert (body["apiKeyType"], body["limitPeriod"]) == ("INFERENCE", "EPOCH")
    assert body["consumptionLimit"] == {"usd": 2.0, "diem": 0.5}


async def test_the_server_of_these_tests_is_not_easily_pleased(server: FakeVenice) -> None:
    async with asking(server, **MINT) as venice:
        await venice.plan(SIGHT)
    (body,) = server.minted
    tokens = [body["token"]]
    assert mint_problem(body, tokens) == ""
    assert mint_problem(body | {"extra": 1}, tokens) == "Unrecognized key: extra"
    assert mint_problem(body, []) == "Token expired"
    assert mint_problem(body | {"address": "0x" + "11" * 20}, tokens) == "Signature mismatch"


async def test_however_many_ask_one_key_is_issued(server: FakeVenice) -> None:
    async with asking(server, **MINT) as venice:
        plans = await asyncio.gather(*(venice.plan(SIGHT) for _ in range(10)))
        assert all(plan.allow for plan in plans)
    assert (server.mints, len(server.minted)) == (1, 1)


async def test_giving_up_does_not_lose_the_key_that_is_being_issued(server: FakeVenice) -> None:
    async with asking(server, **MINT) as venice:
        caller = asyncio.create_task(venice.plan(SIGHT))
        while not server.mints:  # noqa: ASYNC110 - the request is on its way over loopback
            await asyncio.sleep(0)
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        assert (await venice.plan(SIGHT)).allow
    assert server.mints == 1


async def test_closing_gives_up_a_key_that_is_being_issued(server: FakeVenice) -> None:
    server.mint_acts.append(Act(hold=True))
    async with asking(server, **MINT) as venice:
        caller = asyncio.create_task(venice.plan(SIGHT))
        while not server.mints:  # noqa: ASYNC110 - the request is on its way over loopback
            await asyncio.sleep(0)
    with pytest.raises(NoPlan):
        await caller


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (Act(status=400, body=b'{"error":"No staked VVV"}'), NoPlanCode.KEY_REFUSED),
        (Act(status=401), NoPlanCode.KEY_REFUSED),
        (Act(status=500), NoPlanCode.NO_KEY),
        (Act(abort=True), NoPlanCode.NO_KEY),
        (Act(body=b"{}"), NoPlanCode.NO_KEY),
        (Act(body=b"<html>"), NoPlanCode.NO_KEY),
        (Act(body=b'{"data":{"token":"Sign in to example.org with your account"}}'), NoPlanCode.NO_KEY),
        (Act(body=b'{"data":{"token":"eyJ.b"}}'), NoPlanCode.NO_KEY),
        (Act(body=b'{"data":{"token":null}}'), NoPlanCode.NO_KEY),
    ],
    ids=repr,
)
async def test_a_failure_is_not_repeated_for_five_minutes(server: FakeVenice, act: Act, code: NoPlanCode) -> None:
    clock = ManualClock()
    server.mint_acts.append(act)
    async with asking(server, clock, **MINT) as venice:
        assert "the next attempt is at" in (await refused(venice, code)).detail
        clock.advance(299)
        await refused(venice, code)
        assert (server.mints, server.minted) == (1, [])
        phase = VenicePhase.KEY_REFUSED if code is NoPlanCode.KEY_REFUSED else VenicePhase.NO_KEY
        assert venice.state().phase is phase
        assert venice.state().until_ms == clock.now_ms() + 1000
        clock.advance(1)
        assert (await venice.plan(SIGHT)).allow


async def test_a_wallet_that_stakes_nothing_is_told_so(server: FakeVenice) -> None:
    server.mint_acts.append(Act(status=400, body=b'{"error":"No staked VVV"}'))
    async with asking(server, **MINT) as venice:
        assert "(400): No staked VVV" in (await refused(venice, NoPlanCode.KEY_REFUSED)).detail


async def test_a_server_that_hangs_is_given_up(server: FakeVenice) -> None:
    server.mint_acts.append(Act(hold=True))
    async with asking(server, **MINT, timeout_s=0.2) as venice:
        with pytest.raises(NoPlan) as caught:  # the deadline of the plan and that of the key fall together
            await venice.plan(SIGHT)
        assert caught.value.code in (NoPlanCode.TIMED_OUT, NoPlanCode.NO_KEY)


async def test_an_issued_key_that_is_refused_is_replaced_once_an_hour(server: FakeVenice) -> None:
    clock = ManualClock()
    async with asking(server, clock, **MINT) as venice:
        await venice.plan(SIGHT)
        server.keys.clear()
        clock.advance(600)
        await refused(venice, NoPlanCode.KEY_REFUSED)
        clock.advance(2999)
        await refused(venice, NoPlanCode.KEY_REFUSED)
        assert server.mints == 1
        clock.advance(1)
        assert (await venice.plan(SIGHT)).allow
        server.keys.clear()
        await refused(venice, NoPlanCode.KEY_REFUSED)
        await refused(venice, NoPlanCode.KEY_REFUSED)
    assert server.mints == 2


async def test_a_given_key_is_preferred_and_nothing_is_signed(server: FakeVenice) -> None:
    async with asking(server, mint_key=SecretStr(MINT_KEY)) as venice:
        await venice.plan(SIGHT)
        server.keys.clear()
        await refused(venice, NoPlanCode.KEY_REFUSED)
        await refused(venice, NoPlanCode.KEY_REFUSED)
    assert server.mints == 0


@pytest.mark.parametrize(
    "key", ["", "0x", "5e" * 31, "5e" * 33, "0x" + "zz" * 32, "0" * 64, "f" * 64, MINT_KEY + "\n", " " + MINT_KEY]
)
def test_a_mint_key_that_is_none(key: str) -> None:
    with pytest.raises(ValueError, match="expected 32 bytes as 64 hex digits") as caught:
        VeniceOptions(mint_key=SecretStr(key))
    assert len(key) < 8 or key not in str(caught.value)


def secrets_of(server: FakeVenice) -> list[str]:
    sent = [body[part] for body in server.minted for part in ("token", "signature")]
    return [MINT_KEY, MINT_KEY[2:], *sent, *server.tokens, *server.keys]


@pytest.mark.parametrize("options", [{}, MINT], ids=["given", "minted"])
async def test_no_secret_is_ever_said(
    server: FakeVenice, caplog: pytest.LogCaptureFixture, options: dict[str, Any]
) -> None:
    """Whatever the server repeats of what it was sent, in whatever status, nothing of it comes back out."""
    caplog.set_level(logging.DEBUG)
    clock = ManualClock()
    said: list[object] = []
    if options:
        server.keys.clear()
    with capture_logs() as logs:
        async with asking(server, clock, **options) as venice:
            await venice.plan(SIGHT)
            secrets = secrets_of(server)
            hidden = f"Bearer\u200b {secrets[-1][:9]}\u200b{secrets[-1][9:]} {secrets[-1].upper()}"
            for status in (400, 403, 500, 503, 429, 402, 401):
                leak = f"{hidden} {' and '.join(secrets)}".encode()
                server.acts.extend(Act(status=status, body=leak) for _ in range(2))
                said += await failing(venice)
                server.acts.clear()
                clock.advance(90_000)
        server.mint_acts.append(Act(status=400, body=" ".join(secrets[:-1]).encode()))
        async with asking(server, clock, **MINT) as venice:
            said += await failing(venice)
    text = repr(logs) + caplog.text + repr([vars(record) for record in caplog.records]) + repr(said)
    assert "***" in text
    for secret in secrets:
        assert secret.lower() not in text.lower()


async def failing(venice: Venice) -> list[object]:
    """Everything that can be seen of a plan that fails."""
    try:
        await venice.plan(SIGHT)
    except NoPlan as refusal:
        shown = "".join(traceback.format_exception(refusal))
        return [str(refusal), repr(refusal), shown, asdict(venice.state()), repr(venice), vars(refusal)]
    raise AssertionError("it did not fail")


def test_secrets_nobody_told_us_about_are_known_by_their_looks() -> None:
    secrets = Secrets()
    secrets.add("vnc-canary")
    jwt, private = "eyJhbGciOiJIUzI1NiJ9.eyJhIjoxfQ.c2ln", "ab" * 32
    line = secrets.line(f"VNC-Canary vnc-\u200bcanary {jwt} 0x{private} {private} bearer abc\x1b[31m")
    assert line == "*** *** *** *** *** ***"


def test_options_and_venice_keep_their_secrets() -> None:
    options = VeniceOptions(api_key=SecretStr(KEY), mint_key=SecretStr(MINT_KEY))
    assert KEY not in repr(options)
    assert MINT_KEY[2:] not in repr(options)


def test_the_signing_library_is_not_loaded_until_it_is_needed() -> None:
    code = "import sys, engine.agent.venice; sys.exit('eth_account' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
