"""Where tokens come from: what a file may hold, what it may not, and who wins when two sources have the same token."""

from dataclasses import replace
from pathlib import Path

import pytest
from eth_utils.address import to_checksum_address
from hypothesis import given
from hypothesis import strategies as st

from engine.registry import MOST_BYTES, MOST_ROWS, Enrolled, RegistryCode, RegistryError, from_csv, merged

LOWER = "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"
CHECKSUM = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
WRONG = "0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
OTHER = "0x" + "b" * 40
HEADER = b"address,name\n"
FULL = b"address,name,underlying,side,leverage\n"


def write(tmp_path: Path, content: bytes) -> Path:
    file = tmp_path / "tokens.csv"
    file.write_bytes(content)
    return file


def test_every_column(tmp_path: Path) -> None:
    file = write(tmp_path, FULL + f"{CHECKSUM},PEPE,SOL-PERP,Long,10\n{OTHER},Doge,,,\n".encode())
    assert from_csv(file) == (
        Enrolled(LOWER, "PEPE", "SOL-PERP", True, 10),
        Enrolled(OTHER, "Doge"),
    )


@pytest.mark.parametrize(
    "content",
    [
        f"address,name\n{LOWER},A\n",
        f"\ufeffaddress,name\r\n{LOWER},A\r\n",
        f"address,name\n\n  \n{LOWER},A",
        f'"address","name"\n"{LOWER}","A"\n',
        f" Address , NAME \n {LOWER} , A \n",
        f"name,address\nA,{LOWER}\n",
        f"address,name\n{CHECKSUM},A\n",
        f"address,name\n0x{LOWER[2:].upper()},A\n",
        f"address,name,side\n{LOWER},A,\n",
    ],
    ids=["plain", "BOM and CRLF", "blank lines", "quotes", "blanks", "order", "checksum", "upper case", "empty side"],
)
def test_the_same_token_in_many_spellings(tmp_path: Path, content: str) -> None:
    assert from_csv(write(tmp_path, content.encode())) == (Enrolled(LOWER, "A"),)


def test_names_are_cleaned_and_may_hold_what_csv_quotes(tmp_path: Path) -> None:
    row = f'{LOWER},"a, ""b""\n\x1b[31m\u202ec"\n'
    assert from_csv(write(tmp_path, HEADER + row.encode()))[0].name == 'a, "b" [31mc'


def row(address: str = LOWER, name: str = "A", underlying: str = "", side: str = "", leverage: str = "") -> bytes:
    return FULL + f"{address},{name},{underlying},{side},{leverage}\n".encode()


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (b"", "BAD_HEADER", "line 1: header: '': expected address,name"),
        (b"addr,name\n", "BAD_HEADER", "line 1: header: 'addr,name': expected address,name"),
        (b"address\n", "BAD_HEADER", "header: 'address'"),
        (b"address,name,name\n", "BAD_HEADER", "header"),
        (b"address,name,paused\n", "BAD_HEADER", "header"),
        (HEADER + b"0x12,A\n", "BAD_ADDRESS", "line 2: address: '0x12': expected 0x and 40 hex digits"),
        (row("0X" + LOWER[2:]), "BAD_ADDRESS", "address"),
        (row(LOWER[2:]), "BAD_ADDRESS", "address"),
        (row(LOWER + "0"), "BAD_ADDRESS", "address"),
        (row("0x" + "0" * 40), "BAD_ADDRESS", "not all zero"),
        (row("0x" + "٣" * 40), "BAD_ADDRESS", "address: '0x\\u0663"),
        (row(WRONG), "BAD_CHECKSUM", f"line 2: address: '{WRONG}': expected a right EIP-55 checksum"),
        (row(name=""), "BAD_NAME", "line 2: name: '': expected 1 to 200 characters"),
        (row(name="x" * 201), "BAD_NAME", "name: 'xxx"),
        (row(underlying="x" * 201), "BAD_NAME", "underlying: 'xxx"),
        (row(side="up"), "BAD_SIDE", "line 2: side: 'up': expected long, short or nothing"),
        (row(leverage="0"), "BAD_LEVERAGE", "line 2: leverage: '0': expected a whole number from 1 to 255"),
        (row(leverage="256"), "BAD_LEVERAGE", "leverage"),
        (row(leverage="1.5"), "BAD_LEVERAGE", "leverage"),
        (row(leverage="-1"), "BAD_LEVERAGE", "leverage"),
        (row(leverage="9" * 5000), "BAD_LEVERAGE", "..."),
        (HEADER + f"{LOWER}\n".encode(), "BAD_ROW", "line 2: row: '0x5aae"),
        (HEADER + f"{LOWER},a,b\n".encode(), "BAD_ROW", "expected 2 fields: address,name"),
        (HEADER + f"{LOWER},A\n\n{CHECKSUM},B\n".encode(), "DUPLICATE", "line 4: address"),
        (HEADER + f'{LOWER},"a\nb"\n0x1,A\n'.encode(), "BAD_ADDRESS", "line 4: address: '0x1'"),
        (HEADER + f'{LOWER},"a\n'.encode(), "BAD_CSV", "line 2: not CSV"),
        (HEADER + f"{LOWER},a\x00b\n".encode(), "NOT_TEXT", "line 2: byte 0x00: expected UTF-8"),
        (HEADER + b"\n\xff,a\n", "NOT_TEXT", "line 3: byte 0xff: expected UTF-8"),
        ("address,name\n".encode("utf-16"), "NOT_TEXT", "line 1: byte"),
        (b"x" * (MOST_BYTES + 1), "TOO_LARGE", "at most 2,097,152 bytes"),
        (
            HEADER + b"".join(f"0x{n:040x},A\n".encode() for n in range(1, MOST_ROWS + 2)),
            "TOO_LARGE",
            "line 10002: expected at most 10,000 tokens",
        ),
    ],
)
def test_what_is_wrong_is_one_line(tmp_path: Path, content: bytes, code: str, said: str) -> None:
    file = write(tmp_path, content)
    with pytest.raises(RegistryError) as caught:
        from_csv(file)
    text = str(caught.value)
    assert caught.value.code == RegistryCode(code)
    assert text.startswith(f"{file}: ")
    assert said in text
    assert text.isprintable()
    assert len(text) < len(str(file)) + 500


def test_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    for path, said in ((tmp_path / "none", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(RegistryError, match=said) as caught:
            from_csv(path)
        assert caught.value.code is RegistryCode.UNREADABLE


def test_the_most_rows_are_allowed(tmp_path: Path) -> None:
    rows = b"".join(f"0x{n:040x},A\n".encode() for n in range(1, MOST_ROWS + 1))
    assert len(from_csv(write(tmp_path, HEADER + rows))) == MOST_ROWS


@given(st.integers(1, 2**160 - 1), st.integers(0, 39))
def test_one_letter_in_the_wrong_case_is_noticed(tmp_path_factory: pytest.TempPathFactory, value: int, at: int) -> None:
    right = str(to_checksum_address(f"0x{value:040x}"))
    file = write(tmp_path_factory.mktemp("registry"), HEADER + f"{right},A\n".encode())
    assert from_csv(file)[0].address == right.lower()
    wrong = right[: at + 2] + right[at + 2].swapcase() + right[at + 3 :]
    if wrong[2:] in (right[2:], wrong[2:].lower(), wrong[2:].upper()):
        return
    file.write_bytes(HEADER + f"{wrong},A\n".encode())
    with pytest.raises(RegistryError) as caught:
        from_csv(file)
    assert caught.value.code is RegistryCode.BAD_CHECKSUM


A, B, C = (Enrolled("0x" + letter * 40, letter.upper(), "SOL-PERP", True, 5) for letter in "abc")


def test_the_first_source_wins_and_the_order_stays() -> None:
    other = replace(A, name="X", underlying="ETH-PERP", is_long=False, leverage=7, paused=True)
    tokens, notes = merged(("file", (B, A)), ("chain", (other, C, B)))
    assert tokens == (B, A, C)
    assert notes == (
        f"{A.address}: chain says name 'X' instead of 'A', underlying 'ETH-PERP' instead of 'SOL-PERP', "
        "side short instead of long, leverage 7 instead of 5, state paused instead of active; "
        "file comes first and counts",
    )


def test_what_is_not_said_is_no_disagreement() -> None:
    bare = Enrolled(A.address, A.name)
    assert merged(("file", (bare,)), ("chain", (A,))) == ((bare,), ())
    assert merged(("chain", (A,)), ("file", (bare,))) == ((A,), ())


def test_nothing_is_merged_into_nothing() -> None:
    assert merged() == ((), ())
    assert merged(("file", ())) == ((), ())


_tokens = st.lists(
    st.builds(Enrolled, st.sampled_from([A.address, B.address, C.address]), st.sampled_from("XY"), paused=st.booleans())
)


@given(_tokens, _tokens)
def test_every_address_comes_out_once_as_first_seen(first: list[Enrolled], second: list[Enrolled]) -> None:
    tokens, notes = merged(("one", first), ("two", second))
    both = [*first, *second]
    assert [token.address for token in tokens] == list(dict.fromkeys(token.address for token in both))
    for token in tokens:
        assert token == next(each for each in both if each.address == token.address)
    winners = {token.address: token for token in tokens}
    assert len(notes) == sum(each != winners[each.address] for each in both)
