import pytest
from pydantic import JsonValue

from tests.venue.avantis.server import refused
from tests.venue.avantis.support import Refuses, reply
from venue.avantis.answers import bare, built, fault, recorded, refusal
from venue.avantis.wire import AvantisCode, AvantisError
from venue.net.client import NetCode, NetFault

_PAGE = b"\n <html><body>451</body></html>"


@pytest.mark.parametrize("code", NetCode)
def test_every_fault_of_the_network_has_a_code(code: NetCode) -> None:
    error = fault(NetFault(code, "why", sent=False))
    assert not error.sent
    assert error.text == "why"


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        ("VALIDATION_ERROR", 400, AvantisCode.VALIDATION_ERROR),
        ("BAD_REQUEST", 400, AvantisCode.BAD_REQUEST),
        ("TX_REJECTED", 400, AvantisCode.TX_REJECTED),
        ("SIMULATION_FAILED", 400, AvantisCode.SIMULATION_FAILED),
        ("RATE_LIMITED", 429, AvantisCode.RATE_LIMITED),
        ("RATE_LIMITED", 200, AvantisCode.RATE_LIMITED),
        ("GEO_RESTRICTED", 451, AvantisCode.GEO_RESTRICTED),
        ("GEO_RESTRICTED", 200, AvantisCode.GEO_RESTRICTED),
        ("UPSTREAM_ERROR", 502, AvantisCode.UPSTREAM_ERROR),
        ("RPC_ERROR", 502, AvantisCode.UPSTREAM_ERROR),
        ("NOT_FOUND", 404, AvantisCode.NOT_FOUND),
        ("INTERNAL_ERROR", 500, AvantisCode.SERVER_FAILED),
        ("SOMETHING_NEW", 418, AvantisCode.REFUSED),
        ("INTERNAL_ERROR", 451, AvantisCode.GEO_RESTRICTED),
        ("INTERNAL_ERROR", 429, AvantisCode.RATE_LIMITED),
    ],
)
def test_codes_of_tx_builder(code: str, status: int, expected: AvantisCode) -> None:
    with Refuses(expected, "meta"):
        built(reply(refused(code, status).body, status), "meta")


@pytest.mark.parametrize(
    ("body", "status", "expected"),
    [
        (_PAGE, 200, AvantisCode.NOT_JSON),
        (_PAGE, 503, AvantisCode.NOT_JSON),
        (_PAGE, 451, AvantisCode.GEO_RESTRICTED),
        (_PAGE, 429, AvantisCode.RATE_LIMITED),
        (b"", 200, AvantisCode.NOT_JSON),
        (b"{", 200, AvantisCode.NOT_JSON),
        (b'{"ok": true, "ok": false}', 200, AvantisCode.NOT_JSON),
        (b'{"ok": NaN}', 200, AvantisCode.NOT_JSON),
        (b"[]", 200, AvantisCode.WRONG_SHAPE),
        (b"{}", 200, AvantisCode.WRONG_SHAPE),
        (b'{"ok": 1, "data": {}}', 200, AvantisCode.WRONG_SHAPE),
        (b'{"ok": true}', 200, AvantisCode.WRONG_SHAPE),
        (b'{"ok": true, "data": []}', 200, AvantisCode.WRONG_SHAPE),
        (b'{"ok": true, "data": {}}', 500, AvantisCode.SERVER_FAILED),
        (b'{"ok": false}', 200, AvantisCode.WRONG_SHAPE),
        (b'{"ok": false, "error": "no"}', 200, AvantisCode.WRONG_SHAPE),
        (b"", 301, AvantisCode.REDIRECTED),
        (b'{"ok": true, "data": {}}', 307, AvantisCode.REDIRECTED),
    ],
)
def test_envelopes_of_tx_builder_that_are_none(body: bytes, status: int, expected: AvantisCode) -> None:
    with Refuses(expected):
        built(reply(body, status), "meta")


@pytest.mark.parametrize(
    ("told", "status", "expected"),
    [
        ({"success": False, "errorMessage": "down"}, 200, AvantisCode.HISTORY_FAILED),
        ({"success": False, "data": []}, 200, AvantisCode.HISTORY_FAILED),
        ({"data": []}, 200, AvantisCode.WRONG_SHAPE),
        ({"success": "true", "data": []}, 200, AvantisCode.WRONG_SHAPE),
        ({"success": True, "data": []}, 403, AvantisCode.FORBIDDEN),
        ({"success": True, "data": []}, 500, AvantisCode.SERVER_FAILED),
    ],
)
def test_history_that_failed_is_no_empty_history(told: JsonValue, status: int, expected: AvantisCode) -> None:
    with Refuses(expected):
        recorded(reply(told, status), "history")


@pytest.mark.parametrize("told", [{"a": 1}, {"data": {"a": 1}}, {"data": {"a": 1}, "success": True}])
def test_the_gateway_answers_bare_or_in_data(told: JsonValue) -> None:
    assert bare(reply(told), "x").integer("a") == 1


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (204, AvantisCode.REFUSED),
        (302, AvantisCode.REDIRECTED),
        (400, AvantisCode.BAD_REQUEST),
        (401, AvantisCode.FORBIDDEN),
        (403, AvantisCode.FORBIDDEN),
        (404, AvantisCode.NOT_FOUND),
        (418, AvantisCode.REFUSED),
        (422, AvantisCode.VALIDATION_ERROR),
        (429, AvantisCode.RATE_LIMITED),
        (451, AvantisCode.GEO_RESTRICTED),
        (500, AvantisCode.SERVER_FAILED),
        (502, AvantisCode.UPSTREAM_ERROR),
        (503, AvantisCode.SERVER_FAILED),
    ],
)
def test_statuses_of_the_gateway(status: int, expected: AvantisCode) -> None:
    with Refuses(expected, str(status)):
        bare(reply({"message": "because"}, status), "x")


@pytest.mark.parametrize(
    ("header", "expected"), [("7", 7.0), ("99999", 600.0), ("", 10.0), ("-1", 10.0), ("soon", 10.0), ("1" * 9, 10.0)]
)
def test_a_limit_says_how_long_to_stay_away(header: str, expected: float) -> None:
    assert refusal(reply(b"", 429, retry_after=header), "x").wait_s == expected
    assert refusal(reply(b"", 451, retry_after=header), "x").wait_s == 0


def test_what_a_server_says_is_cleaned() -> None:
    error: AvantisError = refusal(reply({"message": "a\x1b[2Jb\n\u202ec" + "d" * 500}, 400), "x")
    assert error.text.isprintable()
    assert len(error.text) < 220
