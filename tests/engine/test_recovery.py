"""A long recovery says how far it is."""

from pathlib import Path

from engine.config import Settings
from engine.engine import TOLD_EVERY, Options
from engine.runtime import Runtime
from tests.engine.journals import write


async def test_now_and_then_it_is_told_how_much_has_been_recovered(tmp_path: Path) -> None:
    await write(tmp_path, 2 * TOLD_EVERY + 7)
    told: list[tuple[int, int]] = []
    nowhere = Settings.model_validate({"pyth": {"url": "http://127.0.0.1:9"}})
    runtime = Runtime(Options(nowhere, tmp_path, progress=lambda done, of: told.append((done, of))))
    runtime.start()
    try:
        newest = told[-1][1]
        assert told == [(TOLD_EVERY, newest), (2 * TOLD_EVERY, newest), (newest, newest)]
        assert newest >= 2 * TOLD_EVERY + 7
    finally:
        runtime.stop()
