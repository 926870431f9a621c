"""A journal that is written once, and looking back at it."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import reel
from engine.config import Settings
from engine.rewind import Rewind
from tests.engine.journals import write

ENTRIES = 400


@pytest.fixture(scope="session")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory: Path = tmp_path_factory.mktemp("past")
    asyncio.run(write(directory, ENTRIES))
    return directory


@pytest.fixture
def tight(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few stills, so that a short journal has all that a long one has."""
    monkeypatch.setattr(reel, "SHORTEST", 8)
    monkeypatch.setattr(reel, "STILLS", 6)
    monkeypatch.setattr(reel, "NEAR", 2)
    monkeypatch.setattr(reel, "COPY", 3)


@pytest.fixture
def past(state: Path, tight: None) -> Iterator[Rewind]:
    made = Rewind(state, Settings())
    yield made
    made.close()
