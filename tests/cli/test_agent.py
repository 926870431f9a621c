"""The whole program beside a Venice on loopback: who decides, and what is on record about it."""

import asyncio
import json
import signal
import sqlite3
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.perpdesk import environment
from tests.engine.agent.venice_server import CHEAP, KEY, Act, FakeVenice, serving

FEW = 4


async def decided(server: FakeVenice, directory: Path, **more: str) -> list[dict[str, Any]]:
    """What desks were decided on, once a demo has decided on a few."""
    command = (sys.executable, "-m", "tui.cli", "demo", "--headless", "--state", str(directory), "--for", "60")
    surroundings = environment(directory, PERPDESK_VENICE__URL=server.url, VENICE_API_KEY=KEY, **more)
    process = await asyncio.create_subprocess_exec(
        *command, env=surroundings, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    seen = []
    async for line in process.stderr:
        seen.append(line.decode())
        if "event_kind=decision" in seen[-1] and sum("event_kind=decision" in said for said in seen) == FEW:
            process.send_signal(signal.SIGINT)
    assert await process.wait() == 0, "".join(seen)
    assert KEY not in "".join(seen)
    with sqlite3.connect(directory / "perpdesk.db") as store:
        rows = store.execute("SELECT kind, payload FROM journal ORDER BY seq").fetchall()
    assert KEY not in str(rows)
    return [json.loads(payload) for kind, payload in rows if kind == "Decided"]


async def test_venice_decides_and_every_open_is_within_its_caps(tmp_path: Path) -> None:
    async with serving() as server:
        plans = await decided(server, tmp_path)
    assert plans
    assert {plan["source"] for plan in plans} == {"venice"}
    assert {(plan["market"], plan["is_long"], plan["leverage"]) for plan in plans if plan["opens"]} == {
        ("ETH", True, str(5 * 10**18))
    }
    assert set(server.asked_models) == {CHEAP}


@pytest.mark.parametrize(
    ("filter_on", "sources"), [("true", {"signal"}), ("false", {"none"})], ids=["signals", "no filter"]
)
async def test_a_venice_without_balance_never_raises_risk(tmp_path: Path, filter_on: str, sources: set[str]) -> None:
    async with serving() as server:
        server.acts.extend(Act(status=402, body=b'{"error":"Insufficient balance"}') for _ in range(500))
        plans = await decided(server, tmp_path, PERPDESK_SIGNAL__ENABLED=filter_on)
    assert plans
    assert {plan["source"] for plan in plans} == sources
    assert all(plan["degraded"].startswith("venice NO_BALANCE") for plan in plans)
    assert len(server.chats) <= 12, "after a 402 nobody asks again before the next epoch"
    if sources == {"none"}:
        assert not any(plan["opens"] for plan in plans)
