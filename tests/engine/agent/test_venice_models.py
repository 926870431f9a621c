"""Which model is asked, and what Venice cannot be told."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio
from pydantic import SecretStr

from engine.agent.plan import NoPlanCode
from engine.agent.venice import Venice
from engine.agent.venice_state import VeniceOptions
from tests.engine.agent.asking import SIGHT, asking, refused
from tests.engine.agent.venice_server import CHEAP, SECOND, Act, FakeVenice, model, serving
from tests.engine.house import ManualClock


@pytest_asyncio.fixture
async def server() -> AsyncIterator[FakeVenice]:
    async with serving() as each:
        yield each


async def test_the_cheapest_capable_one_when_no_favourite_is_there(server: FakeVenice) -> None:
    server.models = [
        model("plain", schema=False, price=0.1),
        model("off", offline=True, price=0.1),
        model("old", deprecation={"autoRemap": False, "date": "2099-01-01T00:00:00.000Z"}, price=0.1),
        model("dear", price=8),
        model("fair", price=2),
        {"id": 5},
        model("unpriced", pricing=None),
    ]
    async with asking(server) as venice:
        await venice.plan(SIGHT)
    assert server.asked_models == ["fair"]


async def test_none_is_capable(server: FakeVenice) -> None:
    server.models = [model("plain", schema=False)]
    clock = ManualClock()
    async with asking(server, clock) as venice:
        await refused(venice, NoPlanCode.NO_MODEL)
        await refused(venice, NoPlanCode.NO_MODEL)
        assert server.lists == 1
        server.models.append(model("new"))
        clock.advance(60)
        assert (await venice.plan(SIGHT)).allow


async def test_one_that_has_gone_is_replaced_at_once(server: FakeVenice) -> None:
    async with asking(server) as venice:
        await venice.plan(SIGHT)
        server.models = [each for each in server.models if each["id"] != CHEAP]
        assert (await venice.plan(SIGHT)).allow
        assert venice.state().model == SECOND
    assert server.asked_models == [CHEAP, CHEAP, SECOND]


@pytest.mark.parametrize(
    "act",
    [
        Act(status=503, body=b'{"error":"MODEL_AT_CAPACITY"}'),
        Act(status=401, body=b'{"error":"This model is only available to Pro users"}'),
        Act(status=400, body=b'{"error":{"message":"Invalid model specified","code":"INVALID_MODEL"}}'),
    ],
    ids=repr,
)
async def test_one_that_will_not_answer_is_passed_over(server: FakeVenice, act: Act) -> None:
    server.acts.append(act)
    async with asking(server) as venice:
        assert (await venice.plan(SIGHT)).allow
        assert (await venice.plan(SIGHT)).allow
    assert server.asked_models == [CHEAP, SECOND, SECOND]


async def test_the_favourite_gets_another_chance(server: FakeVenice) -> None:
    clock = ManualClock()
    server.acts.append(Act(status=503))
    async with asking(server, clock) as venice:
        await venice.plan(SIGHT)
        clock.advance(3600)
        await venice.plan(SIGHT)
    assert server.asked_models == [CHEAP, SECOND, CHEAP]


async def test_an_old_list_is_better_than_none(server: FakeVenice) -> None:
    clock = ManualClock()
    async with asking(server, clock) as venice:
        await venice.plan(SIGHT)
        clock.advance(3600)
        server.models_act = Act(status=500)
        assert (await venice.plan(SIGHT)).allow


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (Act(status=500), NoPlanCode.SERVER_FAULT),
        (Act(status=404, body=b"no such page"), NoPlanCode.REFUSED),
        (Act(status=429), NoPlanCode.RATE_LIMITED),
        (Act(body=b"{}"), NoPlanCode.NO_MODEL),
        (Act(body=b" " * (2**21 + 1)), NoPlanCode.SERVER_FAULT),
    ],
    ids=["500", "404", "429", "malformed", "huge"],
)
async def test_no_list(server: FakeVenice, act: Act, code: NoPlanCode) -> None:
    server.models_act = act
    async with asking(server) as venice:
        await refused(venice, code)
    assert server.chats == []


async def test_a_configured_one_is_the_only_one(server: FakeVenice) -> None:
    async with asking(server, model="dear") as venice:
        assert (await venice.plan(SIGHT)).allow
        server.acts.append(Act(status=503))
        assert (await venice.plan(SIGHT)).allow
        server.models.clear()
        assert "does not offer dear" in (await refused(venice, NoPlanCode.NO_MODEL)).detail
    assert (server.lists, set(server.asked_models)) == (0, {"dear"})


@pytest.mark.parametrize(
    "options",
    [
        {"url": "http://api.venice.ai/api/v1"},
        {"url": "https://user:vnc-canary@api.venice.ai"},
        {"url": "nonsense"},
        {"api_key": SecretStr("vnc-canary\n")},
        {"api_key": SecretStr("")},
        {"timeout_s": 0.0},
        {"timeout_s": float("nan")},
        {"in_flight": 0},
        {"model": "two words"},
        {"consumption_diem": "NaN"},
        {"consumption_diem": "much"},
        {"consumption_usd": Decimal(-1)},
        {"consumption_usd": "1e10"},
    ],
    ids=repr,
)
def test_options_that_cannot_work(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="Venice") as caught:
        VeniceOptions(**options)
    assert "canary" not in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_https_is_the_default() -> None:
    assert VeniceOptions().checked_url().host == "api.venice.ai"
    venice = Venice(VeniceOptions(), ManualClock())
    await venice.aclose()
