"""What the screen remembers from one run to the next, for each kind of terminal: order, filters, columns and sizes.

A file that cannot be read is set aside and everything starts as it would without one: this is convenience, and never
a reason not to show the desks.
"""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tui.table import View

Profile = Literal["local", "ssh", "low"]
SAVE_SECONDS = 1.0
"""The file is not written more often."""
_MOST_BYTES = 100_000
_Name = Annotated[str, Field(max_length=40)]


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


class PaneView(_Part):
    """What the operator asked one pane to show."""

    filter: Annotated[str, Field(max_length=200)] = ""
    sort: _Name = ""
    falling: bool = False
    hidden: Annotated[tuple[_Name, ...], Field(max_length=60)] = ()


class Screen(_Part):
    """One kind of terminal: its panes by id, and the shares of `tui.splits`."""

    panes: Annotated[dict[_Name, PaneView], Field(max_length=60)] = Field(default_factory=dict)
    shares: Annotated[dict[_Name, Annotated[int, Field(ge=1, le=99)]], Field(max_length=60)] = Field(
        default_factory=dict
    )


class Screens(_Part):
    """The whole file."""

    version: Literal[1] = 1
    profiles: dict[Profile, Screen] = Field(default_factory=dict)


class Memory:
    """What is remembered for this terminal; without a path it lasts as long as the program, and so does what is new
    where nothing is written."""

    def __init__(
        self,
        path: Path | None = None,
        profile: Profile = "local",
        clock: Callable[[], float] = monotonic,
        *,
        writes: bool = True,
    ) -> None:
        self._path = path
        self._writes = writes
        self._profile: Profile = profile
        self._clock = clock
        self._saved_at = -SAVE_SECONDS
        self._untold: list[str] = []
        screen = Screen() if path is None else self._first(path)
        self._panes = dict(screen.panes)
        self._shares = dict(screen.shares)
        self._saved = screen

    def view(self, pane: str) -> View:
        """What a pane showed last."""
        seen = self._panes.get(pane, PaneView())
        return View(filter=seen.filter, sort=seen.sort, falling=seen.falling, hidden=frozenset(seen.hidden))

    def keep_view(self, pane: str, view: View) -> None:
        """Remembers what a pane shows now."""
        self._panes[pane] = PaneView(
            filter=view.filter, sort=view.sort, falling=view.falling, hidden=tuple(sorted(view.hidden))
        )

    @property
    def shares(self) -> dict[str, int]:
        """The sizes of panes that were chosen."""
        return dict(self._shares)

    def keep_shares(self, shares: dict[str, int]) -> None:
        """Remembers the sizes of panes."""
        self._shares = dict(shares)

    def beat(self) -> str:
        """Saves what changed, unless that was done just now; returns what the operator must be told, mostly nothing."""
        if self._clock() - self._saved_at >= SAVE_SECONDS:
            self._save()
        return self._untold.pop(0) if self._untold else ""

    def close(self) -> str:
        """Saves what changed; returns what the operator must be told, mostly nothing."""
        self._save()
        return "; ".join(self._untold)

    def _save(self) -> None:
        screen = Screen(panes=self._panes, shares=self._shares)
        if self._path is None or not self._writes or screen == self._saved:
            return
        self._saved_at = self._clock()
        try:
            # Another session may have written its own part in the meantime.
            others = self._read(self._path).profiles
            _write(self._path, Screens(profiles={**others, self._profile: screen}))
        except OSError as error:
            self._untold.append(f"screen layout is not remembered: {error.strerror}: {self._path}")
            self._path = None
            return
        self._saved = screen

    def _first(self, path: Path) -> Screen:
        try:
            return self._read(path).profiles.get(self._profile, Screen())
        except OSError as error:
            self._untold.append(f"screen layout starts afresh: {error.strerror}: {path}")
            return Screen()

    def _read(self, path: Path) -> Screens:
        """The file; an empty one for none, and for one that is not ours, which is set aside. Raises OSError."""
        try:
            with path.open("rb") as file:
                raw = file.read(_MOST_BYTES + 1)
            if len(raw) > _MOST_BYTES:
                raise ValueError("too large")
            return Screens.model_validate_json(raw)
        except FileNotFoundError:
            return Screens()
        except ValueError as error:
            why = "is not one" if isinstance(error, ValidationError) else f"is {error}"
            done = _set_aside(path) if self._writes else "it is left where it is"
            self._untold.append(f"screen layout starts afresh: {path} {why}; {done}")
            return Screens()


def _set_aside(path: Path) -> str:
    """Keeps what may be somebody's; says where, or why it could not be kept."""
    aside = path.with_name(path.name + ".bad")
    try:
        path.replace(aside)
    except OSError as error:
        return f"it could not be set aside: {error.strerror}"
    return f"kept as {aside.name}"


def _write(path: Path, screens: Screens) -> None:
    """All or nothing, and for its owner only. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # mkstemp makes it 0600 under a name nobody else has.
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(screens.model_dump_json(indent=1) + "\n")
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
