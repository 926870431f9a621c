"""The contracts of these tests, compiled in this process once."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from vyper.compiler import compile_code  # type: ignore[import-untyped]
from vyper.compiler.input_bundle import FilesystemInputBundle  # type: ignore[import-untyped]

CONTRACTS: Final = Path(__file__).parent / "contracts"
_ONE_FIELD_MORE: Final = (
    "    amountOutMinimum: uint128\n",
    "    amountOutMinimum: uint128\n    minHopPriceX36: uint256\n",
)


@dataclass(frozen=True, slots=True)
class Compiled:
    """What stands at an address, and what may be called there."""

    code: bytes
    """None of these contracts has a constructor: this is all of it."""
    functions: Mapping[str, bytes]
    """Selectors by signature."""


@cache
def compiled(name: str) -> Compiled:
    """The contract of that name; `UniversalRouter211` is the newer universal router."""
    if name == "UniversalRouter211":
        return _compiled(source("UniversalRouter").replace(*_ONE_FIELD_MORE))
    return _compiled(source(name))


def source(name: str) -> str:
    return (CONTRACTS / f"{name}.vy").read_text(encoding="utf-8")


def _compiled(text: str) -> Compiled:
    made = compile_code(
        text,
        input_bundle=FilesystemInputBundle([CONTRACTS]),
        output_formats=["bytecode_runtime", "method_identifiers"],
    )
    selectors = {signature: int(word, 16).to_bytes(4, "big") for signature, word in made["method_identifiers"].items()}
    return Compiled(bytes.fromhex(made["bytecode_runtime"].removeprefix("0x")), selectors)
