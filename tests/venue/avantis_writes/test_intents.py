import json
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from tests.venue.avantis_writes.golden import TRADER
from venue.avantis.addresses import AVANTIS
from venue.avantis.asked import Close, Increase, Open
from venue.avantis.intent_types import DOMAIN, TYPES, Domain, Value, digest, domain_separator, encoded, struct_hash
from venue.avantis.intents import (
    CloseIntent,
    DelegateIntent,
    IncreaseIntent,
    Intent,
    IntentCode,
    IntentRefused,
    OpenIntent,
    TriggersIntent,
    digest_matches,
    typed,
)
from venue.avantis.intents import digest as digest_of
from venue.avantis.intents import encoded as encoded_of
from venue.avantis.typed_signer import IntentChecker, IntentSigner, PassedIntent
from venue.avantis.units import TEN, USDC
from venue.chain.abi import AbiError

_HERE = Path(__file__).parent / "fixtures"
GOLDEN: dict[str, Any] = json.loads((_HERE / "digests.json").read_text("utf-8"))
ENCODINGS: dict[str, str] = json.loads((_HERE / "encodings.json").read_text("utf-8"))
_SAID = GOLDEN["domain"]
TEST_DOMAIN = Domain(_SAID["name"], _SAID["version"], _SAID["chainId"], to_checksum_address(_SAID["verifyingContract"]))
BY_KIND = {vector["kind"]: vector for vector in GOLDEN["vectors"]}
NONCE, DEADLINE, OPENED = 987654321123456789, 1800000000123, 1750000000


def read(kind: str, said: Mapping[str, Any]) -> dict[str, Value]:
    """A golden message, whose integers are texts."""
    return {name: _read(type_, said[name]) for type_, name in TYPES[kind]}


def _read(type_: str, said: Any) -> Value:
    if type_ in TYPES:
        return read(type_, said)
    if type_ == "bytes32":
        return bytes.fromhex(said[2:])
    return int(said) if "int" in type_ else said


@pytest.mark.parametrize("kind", BY_KIND)
def test_digests_are_golden(kind: str) -> None:
    message = read(kind, BY_KIND[kind]["message"])
    assert "0x" + struct_hash(kind, message).hex() == BY_KIND[kind]["structHash"]
    assert "0x" + digest(kind, message, TEST_DOMAIN).hex() == BY_KIND[kind]["digest"]


def test_there_are_seventeen_and_their_domain_is_golden() -> None:
    assert len(BY_KIND) == 17
    assert "0x" + domain_separator(TEST_DOMAIN).hex() == GOLDEN["separator"]


@pytest.mark.parametrize("kind", ENCODINGS)
def test_encodings_are_golden(kind: str) -> None:
    assert "0x" + encoded(kind, read(kind, BY_KIND[kind]["message"])).hex() == ENCODINGS[kind]


TERMS = BY_KIND["DelegateReq"]["message"]["tnc"]
GOLDEN_INTENTS: dict[str, Intent] = {
    "CloseTradeReq": CloseIntent(Close(TRADER, 1, 0, 50 * USDC, 81000 * TEN, TEN), OPENED, DEADLINE, NONCE),
    "IncreasePositionSizeReq": IncreaseIntent(
        Increase(TRADER, 1, 2, 50 * USDC, 20 * TEN, 80000 * TEN, TEN), DEADLINE, NONCE
    ),
    "UpdateTpSlReq": TriggersIntent(TRADER, 1, 0, 90000 * TEN, 70000 * TEN, DEADLINE, NONCE),
    "DelegateReq": DelegateIntent(TRADER, to_checksum_address("0x" + "22" * 20), 1760000000, TERMS, DEADLINE, NONCE),
}


@pytest.mark.parametrize("kind", GOLDEN_INTENTS)
def test_intents_of_ours_come_to_golden_digests(kind: str) -> None:
    intent = GOLDEN_INTENTS[kind]
    assert typed(intent) == (kind, read(kind, BY_KIND[kind]["message"]))
    assert "0x" + digest_of(intent, TEST_DOMAIN).hex() == BY_KIND[kind]["digest"]
    if kind in ENCODINGS:
        assert "0x" + encoded_of(intent).hex() == ENCODINGS[kind]


def test_an_open_of_ours_is_golden_but_for_what_is_never_asked() -> None:
    intent = OpenIntent(Open(TRADER, 1, True, 100 * USDC, 10 * TEN, 80000 * TEN, TEN), DEADLINE, NONCE)
    golden = read("OpenTradeReq", BY_KIND["OpenTradeReq"]["message"])
    trade = golden["_t"]
    assert isinstance(trade, Mapping)
    assert typed(intent) == ("OpenTradeReq", golden | {"_t": {**trade, "tp": 0, "timestamp": 0}})


@given(st.integers(0, 2**256 - 1), st.integers(0, 2**256 - 1), st.text(max_size=300), st.booleans())
def test_the_library_makes_the_same_digests(number: int, nonce: int, terms: str, is_long: bool) -> None:
    for intent in (
        OpenIntent(Open(TRADER, 1, is_long, number, 10 * TEN, number, TEN), number, nonce),
        CloseIntent(Close(TRADER, number, 0, number, 1, TEN), number, DEADLINE, nonce),
        DelegateIntent(TRADER, AVANTIS.usdc, number, terms.encode("utf-8", "replace").decode(), number, nonce),
    ):
        kind, message = typed(intent)
        assert digest_of(intent) == _library(kind, message)


def _library(kind: str, message: Mapping[str, Value]) -> bytes:
    used = {kind, *(type_ for type_, _ in TYPES[kind] if type_ in TYPES)}
    domain = (("string", "name"), ("string", "version"), ("uint256", "chainId"), ("address", "verifyingContract"))
    types = {name: [{"name": field, "type": type_} for type_, field in TYPES[name]] for name in used}
    signable = encode_typed_data(
        full_message={
            "types": {**types, "EIP712Domain": [{"name": name, "type": type_} for type_, name in domain]},
            "primaryType": kind,
            "domain": {"name": "AvantisTrading", "version": "1", "chainId": 8453, "verifyingContract": AVANTIS.trading},
            "message": message,
        }
    )
    return keccak(b"\x19" + signable.version + signable.header + signable.body)


def test_a_message_has_its_fields_and_no_others() -> None:
    message = read("TwapCancelReq", BY_KIND["TwapCancelReq"]["message"])
    for wrong in (message | {"more": 1}, {"trader": TRADER}, message | {"nonce": 2**256}, message | {"nonce": "1"}):
        with pytest.raises(AbiError):
            struct_hash("TwapCancelReq", wrong)
        with pytest.raises(AbiError):
            encoded("TwapCancelReq", wrong)


@pytest.mark.parametrize("remote", ["", "0x", "00" * 32, "0x" + "00" * 32, "0x" + "zz" * 32, "0x" + "11" * 32 + "\n"])
def test_a_servers_digest_that_is_not_ours_is_refused(remote: str) -> None:
    ours = bytes.fromhex("11" * 32)
    digest_matches("0x" + ours.hex(), ours)
    digest_matches("0x" + ours.hex().upper(), ours)
    with pytest.raises(IntentRefused) as refused:
        digest_matches(remote, ours)
    assert refused.value.code is IntentCode.DIGEST_MISMATCH


ACCOUNT = Account.from_key("0x" + "5e" * 32)
WALLET = to_checksum_address(ACCOUNT.address)
NOW = 1_800_000_000_000
SOON = NOW + 120_000


def an_open(deadline: int = SOON, nonce: int = 1, **changes: int) -> OpenIntent:
    asked = {"collateral": 100 * USDC, "leverage": 10 * TEN, "price": 80000 * TEN, "slippage": TEN} | changes
    return OpenIntent(Open(WALLET, 1, True, **asked), deadline, nonce)


def a_delegate(delegate: str = "0x" + "22" * 20, expiry: int = NOW // 1000 + 3600, terms: str = TERMS) -> Intent:
    return DelegateIntent(WALLET, to_checksum_address(delegate), expiry, terms, SOON, 1)


CHECKER = IntentChecker(WALLET, lambda: NOW)


@pytest.mark.parametrize(
    "intent",
    [
        an_open(),
        an_open(NOW + 5_000),
        an_open(NOW + 300_000, 2**256 - 1),
        IncreaseIntent(Increase(WALLET, 1, 2, USDC, TEN, TEN, 0), SOON, 0),
        CloseIntent(Close(WALLET, 1, 2, USDC, TEN, 0), OPENED, SOON, 0),
        TriggersIntent(WALLET, 1, 2, 0, 0, SOON, 0),
        a_delegate(),
    ],
)
def test_what_the_checker_passes_is_signed_by_the_wallet(intent: Intent) -> None:
    signed = IntentSigner(ACCOUNT).signed(CHECKER.passes(intent))
    assert len(signed.signature) == 65
    assert signed.signature[-1] in (27, 28)
    assert signed.digest == digest_of(intent, DOMAIN)
    assert signed.encoded == encoded_of(intent)
    assert Account._recover_hash(signed.digest, signature=signed.signature) == WALLET


@pytest.mark.parametrize(
    ("intent", "code"),
    [
        (GOLDEN_INTENTS["CloseTradeReq"], IntentCode.WRONG_TRADER),
        (an_open(NOW + 4_999), IntentCode.DEADLINE_TOO_SOON),
        (an_open(NOW // 1000 + 120), IntentCode.DEADLINE_TOO_SOON),
        (an_open(NOW + 300_001), IntentCode.DEADLINE_TOO_LATE),
        (an_open(nonce=-1), IntentCode.NONCE_OUT_OF_BOUNDS),
        (an_open(nonce=2**256), IntentCode.NONCE_OUT_OF_BOUNDS),
        (an_open(collateral=0), IntentCode.COLLATERAL_OUT_OF_BOUNDS),
        (an_open(collateral=10**13), IntentCode.COLLATERAL_OUT_OF_BOUNDS),
        (an_open(leverage=0), IntentCode.LEVERAGE_OUT_OF_BOUNDS),
        (an_open(leverage=75 * TEN + 1), IntentCode.LEVERAGE_OUT_OF_BOUNDS),
        (an_open(price=0), IntentCode.PRICE_OUT_OF_BOUNDS),
        (an_open(slippage=5 * TEN + 1), IntentCode.SLIPPAGE_OUT_OF_BOUNDS),
        (CloseIntent(Close(WALLET, 1, 2, USDC, 0, 0), OPENED, SOON, 0), IntentCode.PRICE_OUT_OF_BOUNDS),
        (CloseIntent(Close(WALLET, 1, 2, USDC, TEN, 0), 0, SOON, 0), IntentCode.POSITION_UNKNOWN),
        (CloseIntent(Close(WALLET, 1, 2, USDC, TEN, 0), NOW, SOON, 0), IntentCode.POSITION_UNKNOWN),
        (CloseIntent(Close(WALLET, 1, -2, USDC, TEN, 0), OPENED, SOON, 0), IntentCode.DOES_NOT_FIT),
        (TriggersIntent(WALLET, 1, 2, -1, 0, SOON, 0), IntentCode.PRICE_OUT_OF_BOUNDS),
        (a_delegate(WALLET), IntentCode.WRONG_DELEGATE),
        (a_delegate("0x" + "00" * 20), IntentCode.WRONG_DELEGATE),
        (a_delegate(expiry=NOW // 1000), IntentCode.EXPIRY_OUT_OF_BOUNDS),
        (a_delegate(expiry=NOW), IntentCode.EXPIRY_OUT_OF_BOUNDS),
        (a_delegate(terms=" "), IntentCode.NO_TERMS),
    ],
)
def test_the_checker_refuses_what_is_out_of_bounds(intent: Intent, code: IntentCode) -> None:
    with pytest.raises(IntentRefused) as refused:
        CHECKER.passes(intent)
    assert refused.value.code is code
    assert "\n" not in str(refused.value)


def test_there_is_no_other_way_to_a_signature() -> None:
    with pytest.raises(TypeError):
        PassedIntent(an_open(), object())
    with pytest.raises(TypeError):
        IntentSigner(ACCOUNT).signed(an_open())  # type: ignore[arg-type]


def test_a_signer_shows_and_gives_nothing_away() -> None:
    signer = IntentSigner(ACCOUNT)
    assert repr(signer) == f"IntentSigner({WALLET})"
    with pytest.raises(TypeError):
        pickle.dumps(signer)
    signed = signer.signed(CHECKER.passes(an_open()))
    assert signed.signature.hex() not in repr(signed)
    assert repr(signed.signature) not in repr(signed)
