"""The hidden option by which `serve` starts `attach` for a tab."""

import re
import sys
from typing import Any

import click


class Size(click.ParamType[tuple[int, int]]):
    """`120x40`: columns and rows."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:  # noqa: ANN401
        found = re.fullmatch(r"([1-9]\d{0,3})x([1-9]\d{0,3})", str(value), re.ASCII)
        if not found:
            self.fail(f"{str(value)[:40]!a} is not a size; expected columns and rows, like 120x40", param, ctx)
        return int(found[1]), int(found[2])


def _no_terminal(_ctx: click.Context, _param: click.Parameter, size: tuple[int, int] | None) -> tuple[int, int] | None:
    if size is not None and (sys.stdin.isatty() or sys.stdout.isatty()):
        raise click.UsageError("--browser is for `perpdesk serve`: there is a terminal here")
    return size


browser = click.option(
    "--browser", type=Size(), hidden=True, callback=_no_terminal, help="Packets of a tab instead of a terminal."
)
"""What `serve` starts `attach` with."""
