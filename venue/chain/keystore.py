"""The key at rest: an encrypted JSON keystore that nobody else can read.

Key and password come from files, descriptors, prompts or the desktop's keyring, never from arguments or the
environment, which other processes can see.
"""

import asyncio
import json
import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address
from pydantic import BaseModel, ConfigDict, Field, SecretBytes, SecretStr, TypeAdapter, ValidationError

from venue.chain.passwords import (
    FromDescriptor,
    FromFile,
    KeystoreCode,
    KeystoreError,
    Secret,
    key_of,
    password_of,
    read_private,
    refuse_others_in,
)
from venue.chain.signer import Signer, account_of
from venue.net.strict import NotStrict, parse

MAX_FILE: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Kdf:
    """How hard a password is to guess. `rounds` is scrypt's n, a power of two, or pbkdf2's iterations."""

    name: Literal["scrypt", "pbkdf2"] = "scrypt"
    rounds: int | None = None
    """None: 262 144 for scrypt, 1 000 000 for pbkdf2."""


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")


class _Scrypt(_Strict):
    """Bounded, so that no file takes the machine's memory: 128 · n · r bytes."""

    n: int = Field(gt=1, le=2**20)
    r: int = Field(ge=1, le=8)
    p: int = Field(ge=1, le=8)


class _Pbkdf2(_Strict):
    c: int = Field(ge=1, le=20_000_000)


class _ByScrypt(_Strict):
    cipher: Literal["aes-128-ctr"]
    kdf: Literal["scrypt"]
    kdfparams: _Scrypt


class _ByPbkdf2(_Strict):
    cipher: Literal["aes-128-ctr"]
    kdf: Literal["pbkdf2"]
    kdfparams: _Pbkdf2


class _Shape(_Strict):
    """What a keystore must have before a library is let at it, which reads the rest."""

    version: Literal[3]
    address: str = Field(pattern="^(0x)?[0-9a-fA-F]{40}$")
    crypto: Annotated[_ByScrypt | _ByPbkdf2, Field(discriminator="kdf")]


_SHAPE: Final = TypeAdapter(_Shape)


async def create(path: Path, password: Secret, kdf: Kdf | None = None) -> ChecksumAddress:
    """Makes a key from the system's randomness and writes it to `path`. Raises KeystoreError."""
    return await asyncio.to_thread(_store, path, _random_key, password, kdf or Kdf())


async def import_key(
    path: Path, key: FromFile | FromDescriptor, password: Secret, kdf: Kdf | None = None
) -> ChecksumAddress:
    """Writes the key that `key` gives in hex to `path`. Raises KeystoreError."""
    return await asyncio.to_thread(_store, path, lambda: key_of(key), password, kdf or Kdf())


async def open_keystore(path: Path, password: Secret, chain_id: int, expected: ChecksumAddress | None = None) -> Signer:
    """The signer of the keystore at `path`, which must be that of `expected`. Raises KeystoreError.

    Takes about 2 s of a thread, and asks for the password only when there is a keystore to open with it.
    """
    return await asyncio.to_thread(_open, path, password, chain_id, expected)


def address_of(path: Path) -> ChecksumAddress:
    """What the keystore says its address is; only opening it proves it. Raises KeystoreError."""
    return _address(_keystore(path))


def _random_key() -> SecretBytes:
    return SecretBytes(secrets.token_bytes(32))


def _store(path: Path, make: Callable[[], SecretBytes], password: Secret, kdf: Kdf) -> ChecksumAddress:
    if path.exists() or path.is_symlink():
        raise KeystoreError(KeystoreCode.EXISTS, f"{path} exists; keys are not overwritten: choose another file")
    key = make()
    try:
        address = account_of(key.get_secret_value()).address
    except ValueError:
        raise KeystoreError(
            KeystoreCode.NOT_A_KEY, "not a private key: 0 and numbers above the order are none"
        ) from None
    made = Account.encrypt(
        key.get_secret_value(), password_of(password).get_secret_value(), kdf=kdf.name, iterations=kdf.rounds
    )
    _write(path, json.dumps(made).encode())
    return address


def _write(path: Path, content: bytes) -> None:
    """The whole file or none, its owner's alone."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        refuse_others_in(path.parent)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(part, path)  # unlike a rename, refuses to overwrite
        _sync_folder(path.parent)
    except FileExistsError:
        raise KeystoreError(KeystoreCode.EXISTS, f"{path} exists; keys are not overwritten") from None
    except OSError as error:
        raise KeystoreError(KeystoreCode.UNREADABLE, f"{path} cannot be written: {error.strerror}") from None
    finally:
        with suppress(OSError):
            part.unlink()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _open(path: Path, password: Secret, chain_id: int, expected: ChecksumAddress | None) -> Signer:
    found = _keystore(path)
    claimed = _address(found)
    if expected is not None and claimed != expected:
        raise KeystoreError(KeystoreCode.WRONG_ADDRESS, f"{path} is the key of {claimed}, not of {expected}")
    account = _account(path, found, password_of(password))
    if account.address != claimed:
        raise KeystoreError(KeystoreCode.WRONG_ADDRESS, f"{path} says {claimed} and holds the key of another address")
    return Signer(account, chain_id)


def _account(path: Path, found: dict[str, Any], password: SecretStr) -> LocalAccount:
    """Errors are raised where none of the library's frames, which hold the key and the password, is in sight."""
    try:
        return account_of(bytes(Account.decrypt(found, password.get_secret_value())))
    except ValueError as error:
        wrong = "mac" in str(error).lower()
    except Exception:  # a file that is not what it says breaks the library anywhere
        wrong = False
    if wrong:
        raise KeystoreError(KeystoreCode.WRONG_PASSWORD, f"wrong password for {path}: give the one it was locked with")
    raise KeystoreError(KeystoreCode.NOT_A_KEYSTORE, f"{path} is damaged: restore it from a copy")


def _keystore(path: Path) -> dict[str, Any]:
    text = read_private(path, MAX_FILE)
    try:
        found = parse(text)
        _SHAPE.validate_python(found)
    except NotStrict as error:
        raise KeystoreError(KeystoreCode.NOT_A_KEYSTORE, f"{path} is not a keystore: {error}") from None
    except ValidationError:
        raise KeystoreError(KeystoreCode.NOT_A_KEYSTORE, f"{path} is not a keystore of version 3") from None
    if not isinstance(found, dict):
        raise AssertionError("its shape says so")
    return found


def _address(found: dict[str, Any]) -> ChecksumAddress:
    return to_checksum_address(str(found["address"]))
