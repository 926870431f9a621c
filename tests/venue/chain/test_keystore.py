"""The key at rest: who can read it, what opens it, and what is said when nothing does."""

import asyncio
import json
import os
import stat
import sys
import types
from pathlib import Path

import pytest
from eth_account import Account
from eth_utils.address import to_checksum_address

from tests.chain.node import ADDRESSES, KEYS
from venue.avantis.addresses import BASE
from venue.chain.keystore import Kdf, address_of, create, import_key, open_keystore
from venue.chain.passwords import (
    FromDescriptor,
    FromFile,
    FromKeyring,
    FromPrompt,
    KeystoreCode,
    KeystoreError,
    Secret,
    password_of,
)

QUICK = Kdf("pbkdf2", 2)
PASSWORD = "correct horse"
TYPED = FromPrompt(lambda: PASSWORD)


def private(path: Path, content: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


async def stored(tmp_path: Path) -> Path:
    path = tmp_path / "keys" / "wallet.json"
    key = private(tmp_path / "key", f"{KEYS[0]}\n".encode())
    assert await import_key(path, FromFile(key), TYPED, QUICK) == ADDRESSES[0]
    return path


async def refused(path: Path, password: Secret = TYPED) -> KeystoreError:
    with pytest.raises(KeystoreError) as caught:
        await open_keystore(path, password, BASE)
    assert "\n" not in str(caught.value)
    assert PASSWORD not in str(caught.value)
    return caught.value


async def test_a_new_key_is_written_for_its_owner_alone_and_opens(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "deep" / "wallet.json"
    address = await create(path, TYPED, QUICK)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [each.name for each in path.parent.iterdir()] == ["wallet.json"]
    assert address_of(path) == address
    signer = await open_keystore(path, TYPED, BASE, expected=address)
    assert signer.address == address
    assert await create(tmp_path / "keys" / "other.json", TYPED, QUICK) != address


async def test_scrypt_is_what_is_used_when_nothing_is_said(tmp_path: Path) -> None:
    path = tmp_path / "wallet.json"
    await create(path, TYPED, Kdf(rounds=2))
    assert json.loads(path.read_bytes())["crypto"]["kdf"] == "scrypt"
    assert (await open_keystore(path, TYPED, BASE)).address == address_of(path)
    assert Kdf() == Kdf("scrypt", None)


async def test_nothing_is_overwritten(tmp_path: Path) -> None:
    path = await stored(tmp_path)
    before = path.read_bytes()
    with pytest.raises(KeystoreError) as caught:
        await create(path, TYPED, QUICK)
    assert caught.value.code is KeystoreCode.EXISTS
    assert path.read_bytes() == before
    dangling = path.with_name("dangling")
    dangling.symlink_to(tmp_path / "nowhere")
    with pytest.raises(KeystoreError):
        await create(dangling, TYPED, QUICK)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o660, 0o644])
async def test_a_keystore_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = await stored(tmp_path)
    path.chmod(mode)
    assert (await refused(path)).code is KeystoreCode.READABLE_BY_OTHERS


def test_a_folder_that_others_can_write_to_gets_no_key(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(KeystoreError) as caught:
        asyncio.run(create(tmp_path / "wallet.json", TYPED, QUICK))
    assert caught.value.code is KeystoreCode.READABLE_BY_OTHERS
    assert list(tmp_path.iterdir()) == []


async def test_a_wrong_password_and_another_wallet_are_said(tmp_path: Path) -> None:
    path = await stored(tmp_path)
    assert (await refused(path, FromPrompt(lambda: "wrong"))).code is KeystoreCode.WRONG_PASSWORD
    with pytest.raises(KeystoreError, match=f"not of {ADDRESSES[1]}") as caught:
        await open_keystore(
            path, FromPrompt(lambda: pytest.fail("asked too early")), BASE, expected=to_checksum_address(ADDRESSES[1])
        )
    assert caught.value.code is KeystoreCode.WRONG_ADDRESS


async def test_an_address_that_is_not_that_of_the_key_is_found_out(tmp_path: Path) -> None:
    path = await stored(tmp_path)
    path.write_text(json.dumps(json.loads(path.read_bytes()) | {"address": ADDRESSES[1][2:]}))
    assert (await refused(path)).code is KeystoreCode.WRONG_ADDRESS


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff",
        b'{"version":3}',
        b'{"version":3,"address":"00","crypto":{}}',
        KEYS[0].encode(),
    ],
)
async def test_what_is_no_keystore(tmp_path: Path, content: bytes) -> None:
    assert (await refused(private(tmp_path / "wallet.json", content))).code is KeystoreCode.NOT_A_KEYSTORE


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mac", 5),
        ("ciphertext", "zz"),
        ("cipher", "rot13"),
        ("cipherparams", {}),
        ("kdfparams", {"c": 2}),
        ("kdf", "md5"),
    ],
)
async def test_a_damaged_keystore(tmp_path: Path, name: str, value: object) -> None:
    path = await stored(tmp_path)
    found = json.loads(path.read_bytes())
    found["crypto"][name] = value
    path.write_text(json.dumps(found))
    assert (await refused(path)).code is KeystoreCode.NOT_A_KEYSTORE


async def test_a_keystore_that_would_take_the_whole_machine(tmp_path: Path) -> None:
    greedy = Account.encrypt(bytes.fromhex(KEYS[0][2:]), PASSWORD, kdf="scrypt", iterations=2)
    greedy["crypto"]["kdfparams"]["n"] = 2**30
    path = private(tmp_path / "wallet.json", json.dumps(greedy).encode())
    assert (await refused(path)).code is KeystoreCode.NOT_A_KEYSTORE


async def test_files_that_are_not_there_or_none_or_too_large(tmp_path: Path) -> None:
    assert (await refused(tmp_path / "nowhere")).code is KeystoreCode.MISSING
    assert (await refused(tmp_path)).code is KeystoreCode.UNREADABLE
    assert (await refused(private(tmp_path / "large", b" " * 70_000))).code is KeystoreCode.UNREADABLE
    os.mkfifo(tmp_path / "pipe", 0o600)
    assert (await refused(tmp_path / "pipe")).code is KeystoreCode.UNREADABLE


@pytest.mark.parametrize(
    "content", [b"", b"0x", b"zz" * 32, KEYS[0].encode() + b"00", bytes(32), b"00" * 32, b"ff" * 32]
)
async def test_what_is_no_key_is_not_repeated(tmp_path: Path, content: bytes) -> None:
    key = private(tmp_path / "key", content)
    with pytest.raises(KeystoreError) as caught:
        await import_key(tmp_path / "keys" / "wallet.json", FromFile(key), TYPED, QUICK)
    assert caught.value.code is KeystoreCode.NOT_A_KEY
    assert KEYS[0][2:] not in str(caught.value)
    assert not (tmp_path / "keys" / "wallet.json").exists()


async def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    key = private(tmp_path / "key", KEYS[0].encode(), 0o644)
    with pytest.raises(KeystoreError) as caught:
        await import_key(tmp_path / "wallet.json", FromFile(key), TYPED, QUICK)
    assert caught.value.code is KeystoreCode.READABLE_BY_OTHERS


def test_passwords_come_from_files_descriptors_and_people(tmp_path: Path) -> None:
    file = private(tmp_path / "password", f"{PASSWORD}\r\nsecond line".encode())
    reading, writing = os.pipe()
    os.write(writing, b"correct ")
    os.write(writing, b"horse\n")
    for source in (FromFile(file), FromDescriptor(reading), TYPED):
        assert password_of(source).get_secret_value() == PASSWORD
    os.close(writing)
    for empty in (FromDescriptor(reading), FromPrompt(str), FromFile(private(tmp_path / "empty", b"\n"))):
        with pytest.raises(KeystoreError) as caught:
            password_of(empty)
        assert caught.value.code is KeystoreCode.NO_PASSWORD
    os.close(reading)
    with pytest.raises(KeystoreError):
        password_of(FromDescriptor(reading))
    with pytest.raises(KeystoreError, match="not UTF-8"):
        password_of(FromFile(private(tmp_path / "odd", b"\xff")))
    file.chmod(0o640)
    with pytest.raises(KeystoreError) as caught:
        password_of(FromFile(file))
    assert caught.value.code is KeystoreCode.READABLE_BY_OTHERS


def test_the_keyring_is_used_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    source = FromKeyring("perpdesk", "base")
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(KeystoreError) as caught:
        password_of(source)
    assert caught.value.code is KeystoreCode.NO_KEYRING
    keyring = types.ModuleType("keyring")
    known = {("perpdesk", "base"): PASSWORD}
    keyring.get_password = lambda service, user: known.get((service, user))  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "keyring", keyring)
    assert password_of(source).get_secret_value() == PASSWORD
    known.clear()
    with pytest.raises(KeystoreError) as caught:
        password_of(source)
    assert caught.value.code is KeystoreCode.LOCKED
