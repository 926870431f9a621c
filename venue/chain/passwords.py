"""Where secrets come from, read so that nobody else can have read them, and why there is none."""

import importlib
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final, Protocol, assert_never, cast

from pydantic import SecretBytes, SecretStr

MAX_SECRET: Final = 4096
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH


class KeystoreCode(StrEnum):
    """Why there is no key; stable."""

    MISSING = "MISSING"
    EXISTS = "EXISTS"
    UNREADABLE = "UNREADABLE"
    READABLE_BY_OTHERS = "READABLE_BY_OTHERS"
    NOT_A_KEYSTORE = "NOT_A_KEYSTORE"
    NOT_A_KEY = "NOT_A_KEY"
    WRONG_PASSWORD = "WRONG_PASSWORD"  # noqa: S105 - the name of a code
    WRONG_ADDRESS = "WRONG_ADDRESS"
    NO_PASSWORD = "NO_PASSWORD"  # noqa: S105 - the name of a code
    NO_KEYRING = "NO_KEYRING"
    LOCKED = "LOCKED"
    """The keyring is, or holds no such password."""


class KeystoreError(Exception):
    """There is no key: a stable code, and one line that says what to do. Never holds a key or a password."""

    def __init__(self, code: KeystoreCode, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class FromFile:
    """The first line of a file that only its owner can read."""

    path: Path


@dataclass(frozen=True, slots=True)
class FromDescriptor:
    """The first line of an open descriptor, as `3<secret` makes one; 0 is stdin."""

    descriptor: int


@dataclass(frozen=True, slots=True)
class FromPrompt:
    """Whatever a person types; called on a thread."""

    ask: Callable[[], str]


@dataclass(frozen=True, slots=True)
class FromKeyring:
    """The desktop's keyring, where there is one."""

    service: str
    user: str


Secret = FromFile | FromDescriptor | FromPrompt | FromKeyring
"""Where a password comes from."""


class _Keyring(Protocol):
    def get_password(self, service: str, user: str) -> str | None: ...


def password_of(secret: Secret) -> SecretStr:
    """The password, without its line break. Blocks. Raises KeystoreError when there is none."""
    match secret:
        case FromFile():
            text = _first_line(read_private(secret.path, MAX_SECRET))
        case FromDescriptor():
            text = _first_line(_read_descriptor(secret.descriptor))
        case FromPrompt():
            text = secret.ask()
        case FromKeyring():
            text = _from_keyring(secret)
        case _:
            assert_never(secret)
    if not text:
        raise KeystoreError(KeystoreCode.NO_PASSWORD, "the password is empty: give one")
    return SecretStr(text)


def once(secret: Secret) -> Secret:
    """The same for several keystores: what a person types or a descriptor holds is there only once. Blocks the first
    time it is asked. A keyring and a file are asked each time."""
    if not isinstance(secret, FromPrompt | FromDescriptor):
        return secret
    known = cache(lambda: password_of(secret))
    return FromPrompt(lambda: known().get_secret_value())


def key_of(source: FromFile | FromDescriptor) -> SecretBytes:
    """The 32 bytes that a source gives in hex, with or without 0x. Blocks. Raises KeystoreError."""
    match source:
        case FromFile():
            text = _first_line(read_private(source.path, MAX_SECRET))
        case FromDescriptor():
            text = _first_line(_read_descriptor(source.descriptor))
        case _:
            assert_never(source)
    digits = text.strip().removeprefix("0x")
    if len(digits) != 64 or not set(digits) <= set("0123456789abcdefABCDEF"):
        del text, digits  # what is no key may be one with a typo
        raise KeystoreError(KeystoreCode.NOT_A_KEY, "not a private key: 64 hex digits are expected")
    return SecretBytes(bytes.fromhex(digits))


def read_private(path: Path, most: int) -> bytes:
    """A file of ours that nobody else can read, of at most `most` bytes. Raises KeystoreError."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe must not hold us
        with os.fdopen(descriptor, "rb") as file:
            refuse_others(path, os.fstat(descriptor))
            content = file.read(most + 1)
    except FileNotFoundError:
        raise KeystoreError(KeystoreCode.MISSING, f"{path} is not there") from None
    except OSError as error:
        raise KeystoreError(KeystoreCode.UNREADABLE, f"{path} cannot be read: {error.strerror}") from None
    if len(content) > most:
        raise KeystoreError(KeystoreCode.UNREADABLE, f"{path} is larger than {most:,} bytes")
    return content


def refuse_others(path: Path, found: os.stat_result) -> None:
    """Raises KeystoreError unless this is a plain file that only its owner, who is us, can read."""
    if not stat.S_ISREG(found.st_mode):
        raise KeystoreError(KeystoreCode.UNREADABLE, f"{path} is not a plain file")
    if found.st_uid != os.geteuid() or found.st_mode & _OTHERS:
        raise KeystoreError(KeystoreCode.READABLE_BY_OTHERS, f"others can read {path}: chown it to you and chmod 600")


def refuse_others_in(folder: Path) -> None:
    """Raises KeystoreError when others can put files into a folder, or OSError."""
    found = folder.stat()
    if found.st_uid != os.geteuid() or found.st_mode & _OTHERS_WRITE:
        raise KeystoreError(KeystoreCode.READABLE_BY_OTHERS, f"others can write to {folder}: chmod 700 it")


def _read_descriptor(descriptor: int) -> bytes:
    content = b""
    try:
        while b"\n" not in content and len(content) <= MAX_SECRET:
            chunk = os.read(descriptor, MAX_SECRET)
            if not chunk:
                break
            content += chunk
    except OSError as error:
        text = f"descriptor {descriptor} cannot be read: {error.strerror}"
        raise KeystoreError(KeystoreCode.NO_PASSWORD, text) from None
    return content


def _first_line(content: bytes) -> str:
    line = content.partition(b"\n")[0].removesuffix(b"\r")
    if (text := line.decode(errors="replace")).encode() != line:
        del content, line, text
        raise KeystoreError(KeystoreCode.NO_PASSWORD, "the secret is not UTF-8")
    return text


def _from_keyring(secret: FromKeyring) -> str:
    try:
        keyring = cast(_Keyring, importlib.import_module("keyring"))
    except ImportError:
        text = "there is no keyring here: install the package keyring, or give the password by file or prompt"
        raise KeystoreError(KeystoreCode.NO_KEYRING, text) from None
    try:
        found = keyring.get_password(secret.service, secret.user)
    except Exception:  # each backend has errors of its own
        found = None
    if found is None:
        text = f"the keyring is locked or has no password of {secret.user} for {secret.service}: unlock or store it"
        raise KeystoreError(KeystoreCode.LOCKED, text)
    return found
