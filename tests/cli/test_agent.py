"""The whole program beside a Venice on loopback: who decides, and what is on record about it."""

import asyncio
import json
import sqlite3
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.perpdesk import environment
from tests.engine.agent.venice_server import CHEAP, KEY, Act, FakeVenice, serving


async def decided(server: FakeVenice, directory: Path, seconds: int, **more: str) -> list[dict[str, Any]]:
    """What desks were decided on in a short demo, and everything it printed."""
    command = (sys.executable, "-m", "tui.cli", "demo", "--headless", "--state", str(directory), "--for", str(seconds))
    surroundings = environment(directory, PERPDESK_VENICE__URL=server.url, VENICE_API_KEY=KEY, **more)
    process = await asyncio.create_subprocess_exec(
        *command, env=surroundings, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    assert KEY not in out.decode() + err.decode()
    with sqlite3.connect(directory / "perpdesk.db") as store:
        rows = store.execute("SELECT kind, payload FROM journal ORDER BY seq").fetchall()
    assert KEY not in str(rows)
    return [json.loads(payload) for kind, payload in rows if kind == "Decided"]


async def test_venice_decides_and_every_open_is_within_its_caps(tmp_path: Path) -> None:
    async with serving() as server:
        plans = await decided(server, tmp_path, 5)
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
        plans = await decided(server, tmp_path, 5, PERPDESK_SIGNAL__ENABLED=filter_on)
    assert plans
    assert {plan["source"] for plan in plans} == sources
    assert all(plan["degraded"].startswith("venice NO_BALANCE") for plan in plans)
    assert len(server.chats) <= 12, "after a 402 nobody asks again before the next epoch"
    if sources == {"none"}:
        assert not any(plan["opens"] for plan in plans)
