"""The key, and the only place where it signs transactions."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Never, SupportsIndex, TypeVar, final

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address
from hexbytes import HexBytes

from venue.chain.call import Call, Wei
from venue.chain.fees import Fees
from venue.chain.guard import Passed

T = TypeVar("T")
PLAIN_SEND_GAS: Final = 21_000
"""What a transaction costs that only moves coin."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A transaction as it is sent, byte for byte."""

    raw: bytes = field(repr=False)
    hash: str
    """Lower-case hex with 0x."""


@final
class Signer:
    """Signs for one address on one chain. The same input makes the same bytes (RFC 6979).

    The key is in no repr, no pickle and no attribute that has its value; whoever opens a keystore hands it over here
    and keeps nothing.
    """

    __slots__ = ("_account", "_chain_id")

    def __init__(self, account: LocalAccount, chain_id: int) -> None:
        self._account = account
        self._chain_id = chain_id

    @property
    def address(self) -> ChecksumAddress:
        return self._account.address

    def __repr__(self) -> str:
        return f"Signer({self.address})"

    def __reduce_ex__(self, protocol: SupportsIndex) -> Never:
        raise TypeError("a signer stays where it is")

    def another(self, make: Callable[[LocalAccount], T]) -> T:
        """A signer of something else with the same key, which `make` keeps as closely as this one."""
        return make(self._account)

    def sign(self, passed: Passed, *, nonce: int, gas: int, max_fee: Wei, max_priority: Wei) -> Signed:
        """Signs a call the guard has passed; fees are per gas. Raises TypeError for anything else."""
        if not isinstance(passed, Passed):
            raise TypeError("only what the guard has passed is signed")
        return self._sign(passed.call, nonce, gas, Fees(max_fee, max_priority))

    def sign_again(self, raw: bytes, *, max_fee: Wei, max_priority: Wei) -> Signed:
        """Signs what this key has signed before, with other fees. Raises ValueError for anything else.

        What the guard has passed does not outlive the process; its signed bytes do, and the signature is the proof.
        """
        fields = _fields(raw)
        if fields is None or fields.get("chainId") != self._chain_id or _signer_of(raw) != self.address:
            raise ValueError("only what this key has signed for this chain is signed again")
        call = Call(to_checksum_address(fields["to"]), bytes(fields["data"]), int(fields["value"]))
        return self._sign(call, int(fields["nonce"]), int(fields["gas"]), Fees(max_fee, max_priority))

    def sign_cancel(self, *, nonce: int, max_fee: Wei, max_priority: Wei) -> Signed:
        """Signs no coin to ourselves, so that nothing else is ever mined with `nonce`."""
        return self._sign(Call(self.address, b""), nonce, PLAIN_SEND_GAS, Fees(max_fee, max_priority))

    def _sign(self, call: Call, nonce: int, gas: int, fees: Fees) -> Signed:
        if fees.max_priority > fees.max_fee:
            raise ValueError("the tip is above the whole fee")
        fields: dict[str, Any] = {
            "type": 2,
            "chainId": self._chain_id,
            "nonce": nonce,
            "gas": gas,
            "maxFeePerGas": fees.max_fee,
            "maxPriorityFeePerGas": fees.max_priority,
            "to": call.to,
            "value": call.value,
            "data": call.data,
            "accessList": (),
        }
        try:
            signed = self._account.sign_transaction(fields)
        except Exception:  # its frames hold the key, so that no traceback may have them
            signed = None
        if signed is None:
            raise ValueError("the fields of the transaction do not fit")
        return Signed(bytes(signed.raw_transaction), f"0x{signed.hash.hex()}")


def _fields(raw: bytes) -> dict[str, Any] | None:
    """What a transaction of type 2 says, or nothing."""
    try:
        return dict(TypedTransaction.from_bytes(HexBytes(raw)).as_dict()) if raw[:1] == b"\x02" else None
    except Exception:  # it is our own journal's; whatever is wrong with it, it is not signed
        return None


def _signer_of(raw: bytes) -> str:
    try:
        return str(Account.recover_transaction(raw))
    except Exception:
        return ""


class _Keyless(LocalAccount):
    """An address without its key."""

    def __init__(self, address: ChecksumAddress) -> None:
        self._watched = address

    @property
    def address(self) -> ChecksumAddress:
        return self._watched

    def sign_transaction(self, transaction_dict: object, blobs: object = None) -> Never:
        raise PermissionError("there is no key")


def keyless(address: ChecksumAddress, chain_id: int) -> Signer:
    """Stands for a wallet that is only looked at: whatever it is asked to sign, it raises ValueError."""
    return Signer(_Keyless(address), chain_id)


def account_of(key: bytes) -> LocalAccount:
    """The account of a 32-byte key. Raises ValueError, which does not repeat it, when it is none."""
    try:
        account: LocalAccount | None = Account.from_key(key)
    except Exception:  # whatever the libraries say, it might hold the key
        account = None
    del key
    if account is None:
        raise ValueError("not a private key")
    return account
