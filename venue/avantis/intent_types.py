"""The venue's typed messages (EIP-712): their types, word by word, and how they are hashed and encoded.

Hashing is our own, so that no digest of a server's is ever signed; the golden vectors and eth-account agree with it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from eth_abi.abi import encode
from eth_abi.exceptions import EncodingError
from eth_typing import ChecksumAddress
from eth_utils.crypto import keccak

from venue.avantis.addresses import AVANTIS, BASE
from venue.chain.abi import AbiError

Value = int | str | bytes | Mapping[str, "Value"]
Message = Mapping[str, Value]
Fields = tuple[tuple[str, str], ...]
"""Type and name of each field."""


@dataclass(frozen=True, slots=True)
class Domain:
    """What a signature is good for."""

    name: str
    version: str
    chain_id: int
    contract: ChecksumAddress


DOMAIN: Final = Domain("AvantisTrading", "1", BASE, AVANTIS.trading)
"""The name stayed when the venue was renamed."""

_DOMAIN_TYPE: Final = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
_COMMON: Final = "uint256 _deadline,uint256 _nonce"
_COINS: Final = "uint256 _coinExposure,uint256 _minLeverage,uint256 _maxLeverage,uint256 _slippageP"
_DECLARED: Final = (
    "Trade(address trader,uint256 pairIndex,uint256 index,uint256 initialPosToken,uint256 positionSizeUSDC,"
    "uint256 openPrice,bool buy,uint256 leverage,uint256 tp,uint256 sl,uint256 timestamp)",
    "UpdatePositionSize(address trader,uint256 pairIndex,uint256 index,uint256 openPrice,uint256 initialPosToken,"
    "uint256 leverage)",
    f"OpenTradeReq(Trade _t,uint8 _type,uint256 _slippageP,{_COMMON})",
    f"OpenTradeCoinExposureReq(Trade _t,uint8 _type,{_COINS},{_COMMON})",
    "CloseTradeReq(address _trader,uint256 _pairIndex,uint256 _index,uint256 _openTimestamp,uint256 _amount,"
    f"uint256 _wantedPrice,{_COMMON})",
    "CloseTradeCoinExposureReq(address _trader,uint256 _pairIndex,uint256 _index,uint256 _openTimestamp,"
    f"uint256 _coinExposure,uint256 _wantedPrice,{_COMMON})",
    f"IncreasePositionSizeReq(UpdatePositionSize _updateInfo,uint256 _slippageP,{_COMMON})",
    f"IncreasePositionSizeWithCoinExposureReq(UpdatePositionSize _updateInfo,{_COINS},{_COMMON})",
    f"UpdateTpSlReq(address trader,uint256 _pairIndex,uint256 _index,uint256 _newTp,uint256 _newSl,{_COMMON})",
    "TpSlReq(address trader,uint256 pairIndex,uint256 index,uint8 triggerType,uint256 coinSize,bool buy,uint256 price,"
    "int256 percentage,uint256 timestamp,uint256 signTimestamp,uint8 orderType,uint256 nonce)",
    "TwapOpenOrder(address trader,uint256 pairIndex,uint256 collateral,bool buy,bool isCoin,uint256 coinSize,"
    "uint256 defaultLeverage,uint256 maxLeverage,uint256 runTime,uint256 nonce,uint256 deadline,uint256 __reserved1)",
    "TwapCloseOrder(address trader,uint256 pairIndex,uint256 index,uint256 coinSizeToClose,uint256 runTime,"
    "uint256 nonce,uint256 deadline,uint256 __reserved1)",
    "RfqOpenOrder(address trader,uint256 pairIndex,uint256 collateral,bool buy,bool isCoin,uint256 coinSize,"
    "uint256 defaultLeverage,uint256 maxLeverage,uint256 wantedPrice,uint256 maxSlippageP,uint256 nonce,"
    "uint256 deadline)",
    "RfqCloseOrder(address trader,uint256 pairIndex,uint256 index,uint256 coinSizeToClose,uint256 wantedPrice,"
    "uint256 maxSlippageP,uint256 nonce,uint256 deadline)",
    "DelegateReq(address trader,address delegate,uint256 expiry,uint256 deadline,string tnc,uint256 nonce)",
    f"RegisterCodeReq(bytes32 _code,address _referrer,{_COMMON})",
    f"SetTraderReferralCodeByUserReq(bytes32 _code,address _referee,{_COMMON})",
    "TwapCancelReq(address trader,uint256 twapId,uint256 nonce,uint256 deadline)",
    "CancelOffchainOrder(string entityId)",
)


def _fields(declared: str) -> Fields:
    inner = declared[declared.index("(") + 1 : -1]
    return tuple((kind, name) for kind, _, name in (field.partition(" ") for field in inner.split(",")))


TYPES: Final[Mapping[str, Fields]] = {declared.partition("(")[0]: _fields(declared) for declared in _DECLARED}
_ENCODED_ORDER: Final = {"DelegateReq": ("trader", "delegate", "expiry", "tnc", "deadline", "nonce")}
"""Where the struct of the contract has another order than the type that is signed."""


def struct_hash(kind: str, message: Message) -> bytes:
    """The hash of a message without its domain. Raises AbiError unless `message` has exactly the fields of `kind`."""
    fields = _checked(kind, message)
    head = keccak(text=_type_of(kind))
    return keccak(head + b"".join(_word(type_, message[name]) for type_, name in fields))


def digest(kind: str, message: Message, domain: Domain = DOMAIN) -> bytes:
    """What is signed: 32 bytes. Raises AbiError as `struct_hash` does."""
    return keccak(b"\x19\x01" + domain_separator(domain) + struct_hash(kind, message))


def domain_separator(domain: Domain) -> bytes:
    """The hash of a domain."""
    said = (keccak(text=domain.name), keccak(text=domain.version), domain.chain_id, domain.contract)
    return keccak(keccak(text=_DOMAIN_TYPE) + encode(("bytes32", "bytes32", "uint256", "address"), said))


def encoded(kind: str, message: Message) -> bytes:
    """`abi.encode` of the message as the contract reads it. Raises AbiError as `struct_hash` does."""
    _checked(kind, message)
    try:
        return encode((_abi_type(kind),), (_abi_value(kind, message),))
    except (EncodingError, TypeError, ValueError, OverflowError) as error:
        raise AbiError(f"{kind}: values do not fit: {type(error).__name__}") from None


def _type_of(kind: str) -> str:
    """A type as it is hashed: its own declaration, then those it mentions."""
    fields = TYPES[kind]
    own = f"{kind}({','.join(f'{type_} {name}' for type_, name in fields)})"
    return own + "".join(_type_of(inner) for inner in sorted({type_ for type_, _ in fields if type_ in TYPES}))


def _checked(kind: str, message: Message) -> Fields:
    fields = TYPES[kind]
    if set(message) != {name for _, name in fields}:
        raise AbiError(f"{kind}: not its fields")
    return fields


def _word(type_: str, value: Value) -> bytes:
    if isinstance(value, Mapping):
        return struct_hash(type_, value)
    if type_ == "string" and isinstance(value, str):
        return keccak(text=value)
    try:
        return encode((type_,), (value,))
    except (EncodingError, TypeError, ValueError, OverflowError) as error:
        raise AbiError(f"{type_}: a value does not fit: {type(error).__name__}") from None


def _in_order(kind: str) -> Fields:
    order = _ENCODED_ORDER.get(kind)
    return tuple(sorted(TYPES[kind], key=lambda field: order.index(field[1]))) if order else TYPES[kind]


def _abi_type(kind: str) -> str:
    if kind not in TYPES:
        return kind
    return f"({','.join(_abi_type(type_) for type_, _ in _in_order(kind))})"


def _abi_value(kind: str, message: Message) -> tuple[object, ...]:
    values = ((type_, message[name]) for type_, name in _in_order(kind))
    return tuple(_abi_value(type_, value) if isinstance(value, Mapping) else value for type_, value in values)
