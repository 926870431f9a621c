"""What is signed, for whom, and that the key shows nowhere."""

import pickle
import traceback
from collections.abc import Mapping

import pytest
from eth_account import Account
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from hexbytes import HexBytes

from tests.chain.node import ADDRESSES, KEYS, Node
from venue.avantis.addresses import BASE
from venue.chain.abi import Function
from venue.chain.call import Call
from venue.chain.guard import Guard, Passed, Rule
from venue.chain.signer import PLAIN_SEND_GAS, Signed, Signer, account_of

KEY = bytes.fromhex(KEYS[0][2:])
ALICE, BOB = (to_checksum_address(each) for each in ADDRESSES[:2])
PAY = Function("pay(uint256)")
FEES = {"max_fee": 3_000_000_000, "max_priority": 1_000_000}
MORE = {"max_fee": 4_000_000_000, "max_priority": 2_000_000}


async def passed(value: int = 5, to: ChecksumAddress = BOB) -> Passed:
    async def sound(_: Call) -> str:
        return ""

    rules: Mapping[ChecksumAddress, tuple[Rule, ...]] = {to: (Rule(PAY, most_value=10),)}
    return await Guard(rules, sound).passes(Call(to, PAY.encode(7), value))


def signer(key: bytes = KEY, chain_id: int = BASE) -> Signer:
    return Signer(account_of(key), chain_id)


def fields(signed: Signed) -> dict[str, object]:
    read = TypedTransaction.from_bytes(HexBytes(signed.raw)).as_dict()
    return {name: bytes(value) if isinstance(value, bytes) else value for name, value in dict(read).items()}


async def test_what_is_signed_is_what_was_passed_and_nothing_else() -> None:
    signed = signer().sign(await passed(), nonce=3, gas=90_000, **FEES)
    assert signed.hash == f"0x{keccak(signed.raw).hex()}"
    assert Account.recover_transaction(signed.raw) == ALICE
    said = fields(signed)
    assert {name: said[name] for name in ("type", "chainId", "nonce", "gas", "value", "data")} == {
        "type": 2,
        "chainId": BASE,
        "nonce": 3,
        "gas": 90_000,
        "value": 5,
        "data": PAY.encode(7),
    }
    assert (said["maxFeePerGas"], said["maxPriorityFeePerGas"]) == (FEES["max_fee"], FEES["max_priority"])
    assert said["to"] == bytes.fromhex(BOB[2:])
    assert said["accessList"] == ()


async def test_the_same_input_makes_the_same_bytes() -> None:
    call = await passed()
    several = {signer().sign(call, nonce=1, gas=50_000, **FEES).raw for _ in range(5)}
    assert len(several) == 1
    assert signer().sign(call, nonce=2, gas=50_000, **FEES).raw not in several


@pytest.mark.parametrize("offered", [Call(BOB, b""), None, b"\x02", "passed", object()])
def test_only_what_the_guard_passed_is_signed(offered: object) -> None:
    with pytest.raises(TypeError):
        signer().sign(offered, nonce=0, gas=21_000, **FEES)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        Passed(Call(BOB, b""), "forged", offered)


def test_nothing_is_sent_to_ourselves() -> None:
    said = fields(signer().sign_cancel(nonce=9, **FEES))
    assert (said["nonce"], said["gas"], said["value"], said["data"]) == (9, PLAIN_SEND_GAS, 0, b"")
    assert said["to"] == bytes.fromhex(ALICE[2:])


async def test_what_was_signed_is_signed_again_with_other_fees_alone() -> None:
    first = signer().sign(await passed(), nonce=3, gas=90_000, **FEES)
    again = signer().sign_again(first.raw, **MORE)
    assert again == signer().sign(await passed(), nonce=3, gas=90_000, **MORE)
    assert signer().sign_again(again.raw, **FEES) == first


async def test_what_others_signed_or_for_elsewhere_or_damaged_is_not_signed_again() -> None:
    theirs = signer(bytes.fromhex(KEYS[1][2:])).sign(await passed(), nonce=3, gas=90_000, **FEES)
    elsewhere = signer(chain_id=1).sign(await passed(), nonce=3, gas=90_000, **FEES)
    ours = bytearray(signer().sign(await passed(), nonce=3, gas=90_000, **FEES).raw)
    ours[40] ^= 1
    for raw in (theirs.raw, elsewhere.raw, bytes(ours), b"", b"\x02", b"\x02\xc0", b"\x01\xc0", bytes(100)):
        with pytest.raises(ValueError, match="only what this key has signed"):
            signer().sign_again(raw, **MORE)


async def test_a_tip_above_the_whole_fee_and_fields_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="above the whole fee"):
        signer().sign_cancel(nonce=0, max_fee=1, max_priority=2)
    with pytest.raises(ValueError, match=r"do not fit"):
        signer().sign_cancel(nonce=-1, **FEES)


def test_the_key_shows_nowhere() -> None:
    ours = signer()
    shown = [repr(ours), str(ours), f"{ours!r}", repr(ours.sign_cancel(nonce=0, **FEES))]
    for spoil in (
        lambda: ours.sign_cancel(nonce=-1, **FEES),
        lambda: account_of(KEY + b"\x00"),
        lambda: account_of(bytes(32)),
    ):
        with pytest.raises(ValueError, match=r"not a private key|do not fit") as caught:
            spoil()
        stack = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
        ours_only = [
            frame for frame in stack.stack if "venue/chain" in frame.filename or "site-packages" in frame.filename
        ]
        shown += [str(frame.locals) for frame in ours_only]
        shown.append(str(caught.value))
        assert caught.value.__context__ is None
    secrets = (KEYS[0][2:], str(int.from_bytes(KEY, "big")), repr(KEY), str(list(KEY)))
    assert not any(secret in text for text in shown for secret in secrets)
    assert not hasattr(ours, "__dict__")
    with pytest.raises(TypeError):
        pickle.dumps(ours)


@pytest.mark.parametrize("key", [b"", bytes(31), bytes(32), b"\xff" * 32])
def test_what_is_no_key(key: bytes) -> None:
    with pytest.raises(ValueError, match=r"^not a private key$"):
        account_of(key)


async def test_a_real_node_mines_it(node: Node) -> None:
    ours = signer()
    raw = ours.sign(await passed(), nonce=0, gas=90_000, **FEES).raw
    tx_hash = await node.rpc("eth_sendRawTransaction", f"0x{raw.hex()}")
    nothing = ours.sign_cancel(nonce=1, **FEES)
    assert await node.rpc("eth_sendRawTransaction", f"0x{nothing.raw.hex()}") == nothing.hash
    for each in (tx_hash, nothing.hash):
        assert (await node.receipt(each))["status"] == "0x1"
