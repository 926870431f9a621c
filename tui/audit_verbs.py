"""`perpdesk verify`, `backup` and `restore`: whether a state directory can be trusted, and a copy of it that can."""

import json
import shlex
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from shutil import rmtree

import click

from engine.audit import Report, audit, caught_up
from engine.config import ConfigError, load
from engine.world import World
from store import backup as copies
from store.chain import Mark
from store.errors import Damaged, StoreError
from store.files import missing, sync
from store.lease import Lease
from store.reader import Reader
from tui.counter import Counter
from tui.exits import Exit
from tui.verbs import as_json

DIRECTORY = click.Path(path_type=Path, file_okay=False)


def _audited(directory: Path, words: str, *, draft: bool = False) -> Report:
    counter = Counter(sys.stderr, words)
    try:
        return audit(directory, counter.progress, draft=draft)
    finally:
        counter.end()


def _told(directory: Path, report: Report) -> dict[str, object]:
    return {
        "directory": str(directory),
        "ok": report.ok,
        "entries": report.mark.seq,
        "hash": report.mark.hash.hex(),
        "checks": [
            {"check": each.check, "ok": each.ok, "cases": each.cases, "faults": each.faults, "notes": each.notes}
            for each in report.findings
        ],
    }


def _say(directory: Path, report: Report, as_json: bool) -> None:
    """Findings on stdout."""
    if as_json:
        click.echo(json.dumps(_told(directory, report)))
    else:
        for each in report.findings:
            click.echo(f"{'ok' if each.ok else 'FAULT':<6} {each.check:<10} {each.cases:>10,}")
            for line in (*each.faults, *(f"note: {note}" for note in each.notes)):
                click.echo(f"       {line}")
        click.echo(f"{'entries':<17} {report.mark.seq:>10,}  {report.mark.hash.hex()}")


def _advise(directory: Path, report: Report) -> None:
    """What to do about what is wrong with a state directory, on stderr."""
    wrong = {each.check for each in report.findings if not each.ok}
    cure = next((cure for checks, cure in _CURES if wrong & checks), None)
    if cure is not None:
        click.echo(f"perpdesk: {directory}: {cure.replace('DIR', shlex.quote(str(directory)))}", err=True)


_CURES = (
    (
        {"file", "chain", "fold", "books"},
        "do not trade on it; stop what runs there, then: perpdesk restore BACKUP DIR --replace",
    ),
    (
        {"nonces", "sent", "intents"},
        "the chain and the journal tell different stories: stop the engine, find out who else has the key or a copy",
    ),
    ({"snapshots"}, "delete the perpdesk.still files named above: they are made anew"),
    ({"index"}, "perpdesk index rebuild --state DIR (a running engine does that by itself at its next start)"),
)
"""What to do about what is wrong, the worst first."""


@click.command()
@click.argument("directory", metavar="DIR", type=DIRECTORY)
@click.option("--chain", "ask_chain", is_flag=True, help="Also compare what was sent with the nodes of BASE_RPC_URL.")
@click.option("--config", type=click.Path(path_type=Path, dir_okay=False), help="Configuration file (TOML).")
@as_json
def verify(directory: Path, ask_chain: bool, config: Path | None, as_json: bool) -> None:
    """Check the state directory DIR: the hash chain, that every entry folds, double entry, and that what is derived
    equals what the entries fold to.

    Only reads; an engine may be running on it. Exit status 66 when anything is wrong.
    """
    if config is not None and not ask_chain:
        raise click.UsageError("--config is for --chain")
    report = _audited(directory, "checking")
    unasked: Exception | None = None
    if ask_chain:
        report, unasked = _with_chain(directory, report, config)
    _say(directory, report, as_json)
    _advise(directory, report)
    if not report.ok:
        if unasked is not None:
            click.echo(f"perpdesk: not compared with the chain: {unasked}", err=True)
        sys.exit(Exit.DAMAGED)
    if unasked is not None:
        raise unasked


def _with_chain(directory: Path, report: Report, config: Path | None) -> tuple[Report, Exception | None]:
    """The report with what the chain says otherwise; or as it is, and why the chain was not asked."""
    if any(not each.ok for each in report.findings if each.check in ("chain", "fold")):
        return report, Damaged("NOT_COMPARED", "what the journal says is not known to its end")
    from tui.live.compared import compared  # the chain's libraries take most of a second to load
    from tui.live.shared import OutOfReach

    def later() -> World:
        return caught_up(directory, report)

    try:
        return replace(report, findings=(*report.findings, *compared(report.world, load(config), later))), None
    except (ConfigError, OutOfReach, StoreError) as error:
        return report, error


@click.command()
@click.argument("directory", metavar="DIR", type=DIRECTORY)
@click.argument("target", metavar="TO", type=DIRECTORY)
@as_json
def backup(directory: Path, target: Path, as_json: bool) -> None:
    """Copy the journal of the state directory DIR into a new folder TO, and check the copy.

    An engine may be running on DIR. The keystore is not in the copy: keep one of your own.
    """
    with copies.draft(target) as made:
        copies.copy(directory, made.folder)
        report = _audited(made.folder, "checking the copy", draft=True)
        if report.ok:
            made.finish(report.mark)
            folder = target
        else:
            folder = made.folder
    _say(folder, report, as_json)
    if not report.ok:
        _advise(directory, report)
        raise Damaged("BACKUP_UNFIT", f"{target}: not made: {directory} is damaged, and so is the copy")


@click.command()
@click.argument("source", metavar="BACKUP", type=DIRECTORY)
@click.argument("directory", metavar="DIR", type=DIRECTORY, required=False)
@click.option("--replace", is_flag=True, help="Set the journal that is in DIR aside, into a folder in DIR.")
@click.option("--drill", is_flag=True, help="No DIR: restore into a temporary folder, check it, and throw it away.")
@as_json
def restore(source: Path, directory: Path | None, replace: bool, drill: bool, as_json: bool) -> None:
    """Make the backup in the folder BACKUP the journal of the state directory DIR.

    The backup is checked before and after. What happened after it was made is not in it: on a live venue the engine
    finds positions it does not know of, says so, and leaves them alone.
    """
    if drill == (directory is not None):
        raise click.UsageError("expected BACKUP DIR, or BACKUP --drill")
    if drill and replace:
        raise click.UsageError("--replace is for BACKUP DIR: a drill replaces nothing")
    if directory is not None and source.resolve() == directory.resolve():
        raise click.UsageError(f"expected two directories, found {directory} twice")
    mark = _sound(source)
    if directory is None:
        with tempfile.TemporaryDirectory(prefix="perpdesk-drill-") as folder:
            _restore(source, Path(folder), mark, as_json)
        return
    with _held(directory):
        known = _known(directory)
        if known is not None and not replace:
            raise StoreError(
                "JOURNAL_THERE", f"{directory}: {known}; the backup has {mark.seq:,} entries; --replace sets it aside"
            )
        _restore(source, directory, mark, as_json)


@contextmanager
def _held(directory: Path) -> Iterator[None]:
    """The Lease of a state directory. One that is made for it goes again when nothing was put there."""
    new = missing(directory)
    with Lease(directory):
        try:
            yield
        except BaseException:
            if new and copies.is_untouched(directory):
                rmtree(directory)
                with suppress(OSError):  # somebody else has put something there
                    for each in new[1:]:
                        each.rmdir()
            raise


def _sound(source: Path) -> Mark:
    if (source / copies.DB).exists() and not copies.is_finished(source):
        raise Damaged("BACKUP_UNFIT", f"{source}: a backup that was not finished; nothing was restored, take another")
    report = _audited(source, "checking the backup")
    if not report.ok:
        faults = [fault for each in report.findings for fault in each.faults]
        raise Damaged("BACKUP_UNFIT", f"{source}: {faults[0]}; nothing was restored, take another backup")
    return report.mark


def _restore(source: Path, directory: Path, mark: Mark, as_json: bool) -> None:
    aside = copies.put_back(source, directory, mark)
    if aside is not None:
        click.echo(f"perpdesk: what was there is in {aside}", err=True)
    report = _audited(directory, "checking what was restored")
    _say(directory, report, as_json)
    if not report.ok or report.mark != mark:
        raise Damaged("RESTORE_FAILED", f"{directory}: what was restored is not the backup; the disk is at fault")
    sync(directory)


def _known(directory: Path) -> str | None:
    """What is there already, in words; None where there is no journal and there was none."""
    if not any((directory / name).exists() for name in (copies.DB, copies.HEAD)):
        return None
    try:
        with Reader(directory) as reader:
            return f"there is a journal of {reader.last():,} entries"
    except StoreError as error:
        there = (
            "a journal that cannot be read" if (directory / copies.DB).exists() else "the perpdesk.head of a lost one"
        )
        return f"there is {there} ({error.code})"
