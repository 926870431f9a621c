"""Every name in the table of statuses is a class, and every verb is where the command looks for it."""

import subprocess
import sys
from importlib import import_module

import pytest

from engine.remote import NoAnswer, RemoteError
from store.errors import Damaged
from tui.exits import OF_ERRORS, Exit, status_of


@pytest.mark.parametrize("name", OF_ERRORS)
def test_every_name_is_an_exception(name: str) -> None:
    module, _, kind = name.rpartition(".")
    found = getattr(import_module(module), kind)
    assert issubclass(found, Exception)
    assert f"{found.__module__}.{found.__qualname__}" == name


def test_the_nearest_class_decides_and_a_fault_has_no_status() -> None:
    assert status_of(Damaged("CUT", "words")) is Exit.DAMAGED
    assert status_of(NoAnswer("words")) is Exit.UNANSWERED
    assert status_of(RemoteError("words")) is None
    assert status_of(ZeroDivisionError()) is None


def test_every_verb_is_found_and_a_stranger_is_not() -> None:
    code = """
import click
from tui.cli import COMMANDS, cli
context = click.Context(cli)
for name in COMMANDS:
    assert cli.get_command(context, name).name == name, name
assert cli.get_command(context, "os") is None
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_look_at_a_running_engine_loads_no_engine() -> None:
    code = """
import sys
from tui.cli import cli
import click, tui.looks, tui.attach
heavy = ("engine.engine", "engine.assembly", "aiohttp", "httpx", "web3")
loaded = [name for name in sys.modules if name.startswith(heavy)]
assert not loaded, loaded
"""
    subprocess.run([sys.executable, "-c", code], check=True)
