from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from tests.venue.avantis.server import (
    BOMB,
    HTML,
    HUGE,
    META,
    REDIRECT,
    AvantisServer,
    Drip,
    Fault,
    Raw,
    Status,
    refused,
    serving,
)
from tests.venue.avantis.support import Refuses
from venue.avantis.hosts import Api, Family, Hosts, Service
from venue.avantis.meta import fetch_meta
from venue.avantis.wire import AvantisCode

ELSEWHERE: list[tuple[Fault, AvantisCode]] = [
    (Status(500), AvantisCode.SERVER_FAILED),
    (refused("RPC_ERROR", 502), AvantisCode.UPSTREAM_ERROR),
    (HTML, AvantisCode.NOT_JSON),
    (Raw(b"not json"), AvantisCode.NOT_JSON),
    (REDIRECT, AvantisCode.REDIRECTED),
    (HUGE, AvantisCode.TOO_LARGE),
    (BOMB, AvantisCode.COMPRESSED),
    (Drip(), AvantisCode.TOO_SLOW),
]
FINAL: list[tuple[Fault, AvantisCode]] = [
    (Status(451), AvantisCode.GEO_RESTRICTED),
    (refused("GEO_RESTRICTED", 451), AvantisCode.GEO_RESTRICTED),
    (Status(429, headers={"Retry-After": "3"}), AvantisCode.RATE_LIMITED),
    (refused("NOT_FOUND", 404), AvantisCode.NOT_FOUND),
    (refused("VALIDATION_ERROR", 400), AvantisCode.VALIDATION_ERROR),
    (Status(200, {"ok": True, "data": {"chainId": 1}}), AvantisCode.META_MISMATCH),
]


@asynccontextmanager
async def two() -> AsyncGenerator[tuple[AvantisServer, AvantisServer, Api], None]:
    async with serving() as first, serving() as second:
        api = Api(Hosts((first.family("new"), second.family("old")), within_s=0.4))
        try:
            yield first, second, api
        finally:
            await api.aclose()


def test_the_hosts_of_the_venue_in_order() -> None:
    new, old = Hosts().families
    assert [new.url(service) for service in Service] == [
        "https://tx-builder.veranta.xyz",
        "https://prod-api.veranta.xyz",
        "https://api.veranta.xyz",
        "https://feed-v3.veranta.xyz",
    ]
    assert old.gateway == "https://prod-api.avantisfi.com"


@pytest.mark.parametrize(
    "url", ["http://prod-api.veranta.xyz", "ftp://x", "https://u:p@x.io", "https://x.io/?a=1", "", "https://"]
)
def test_hosts_nothing_may_be_sent_to_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="mine gateway URL"):
        Family("mine", "https://a.io", url, "https://c.io", "https://d.io")


def test_families_are_told_apart() -> None:
    family = Hosts().families[0]
    with pytest.raises(ValueError, match="same name"):
        Hosts((family, family))
    with pytest.raises(ValueError, match="at least one"):
        Hosts(())


@pytest.mark.parametrize(("fault", "code"), ELSEWHERE)
async def test_a_read_goes_elsewhere_and_stays_there(fault: Fault, code: AvantisCode) -> None:
    async with two() as (first, second, api):
        first.plan(META, fault)
        await fetch_meta(api)
        assert api.answering(Service.TX_BUILDER) == "old"
        assert api.answering(Service.GATEWAY) == "new"
        assert api.troubles(Service.TX_BUILDER)["new"].code is code
        await fetch_meta(api)
        assert (len(first.asked), len(second.asked)) == (1, 2)


@pytest.mark.parametrize(("fault", "code"), FINAL)
async def test_a_refusal_is_an_answer_and_nobody_else_is_asked(fault: Fault, code: AvantisCode) -> None:
    async with two() as (first, second, api):
        first.plan(META, fault)
        with Refuses(code):
            await fetch_meta(api)
        assert not second.asked
        assert api.answering(Service.TX_BUILDER) == "new"


async def test_when_none_answers_the_first_reason_counts_and_all_are_kept() -> None:
    async with two() as (first, second, api):
        first.plan(META, HTML)
        second.plan(META, Status(503))
        with Refuses(AvantisCode.NOT_JSON):
            await fetch_meta(api)
        kept = {name: error.code for name, error in api.troubles(Service.TX_BUILDER).items()}
        assert kept == {"new": AvantisCode.NOT_JSON, "old": AvantisCode.SERVER_FAILED}
        await fetch_meta(api)
        assert set(api.troubles(Service.TX_BUILDER)) == {"old"}


async def test_from_the_second_family_back_to_the_first() -> None:
    async with two() as (first, second, api):
        first.plan(META, HTML)
        await fetch_meta(api)
        second.plan(META, HTML)
        await fetch_meta(api)
        assert api.answering(Service.TX_BUILDER) == "new"


async def test_a_host_that_is_not_there() -> None:
    async with serving() as server:
        gone = Family("gone", *(["http://127.0.0.1:9"] * 4))
        api = Api(Hosts((gone, server.family()), within_s=2.0))
        await fetch_meta(api)
        assert api.troubles(Service.TX_BUILDER)["gone"].code is AvantisCode.UNREACHABLE
        await api.aclose()
