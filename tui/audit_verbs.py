"""`perpdesk verify`, `backup` and `restore`: whether a state directory can be trusted, and a copy of it that can."""

import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import click

from engine.audit import Report, audit
from engine.config import load
from store import backup as copies
from store.errors import Damaged, StoreError
from store.files import sync
from store.journal import Mark
from store.lease import Lease
from store.reader import Reader
from tui.counter import Counter
from tui.exits import Exit
from tui.verbs import as_json

DIRECTORY = click.Path(path_type=Path, file_okay=False)


def _audited(directory: Path, words: str) -> Report:
    counter = Counter(sys.stderr, words)
    try:
        return audit(directory, counter.progress)
    finally:
        counter.end()


def _told(directory: Path, report: Report) -> dict[str, object]:
    return {
        "directory": str(directory),
        "ok": report.ok,
        "entries": report.mark.seq,
        "hash": report.mark.hash.hex(),
        "checks": [
            {"check": each.check, "ok": each.ok, "cases": each.cases, "faults": each.faults} for each in report.findings
        ],
    }


def _say(directory: Path, report: Report, as_json: bool) -> None:
    """Findings on stdout; what to do about them on stderr."""
    if as_json:
        click.echo(json.dumps(_told(directory, report)))
    else:
        for each in report.findings:
            click.echo(f"{'ok' if each.ok else 'FAULT':<6} {each.check:<10} {each.cases:>10,}")
            for fault in each.faults:
                click.echo(f"       {fault}")
        click.echo(f"{'entries':<17} {report.mark.seq:>10,}  {report.mark.hash.hex()}")
    if not report.ok:
        wrong = {each.check for each in report.findings if not each.ok}
        cure = next(cure for checks, cure in _CURES if wrong & checks)
        click.echo(f"perpdesk: {directory}: {cure}".replace("DIR", str(directory)), err=True)


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
    settings = load(config) if ask_chain else None
    report = _audited(directory, "checking")
    if settings is not None:
        from tui.live.compared import compared  # the chain's libraries take most of a second to load

        report = replace(report, findings=(*report.findings, *compared(report.world, settings)))
    _say(directory, report, as_json)
    if not report.ok:
        sys.exit(Exit.DAMAGED)


@click.command()
@click.argument("directory", metavar="DIR", type=DIRECTORY)
@click.argument("target", metavar="TO", type=DIRECTORY)
@as_json
def backup(directory: Path, target: Path, as_json: bool) -> None:
    """Copy the journal of the state directory DIR into a new folder TO, and check the copy.

    An engine may be running on DIR. The keystore is not in the copy: keep one of your own.
    """
    folder = copies.draft(target)
    copies.copy(directory, folder)
    report = _audited(folder, "checking the copy")
    if not report.ok:
        _say(folder, report, as_json)
        raise Damaged("BACKUP_UNFIT", f"{target}: not made; the copy is left in {folder}, as damaged as {directory}")
    copies.finish(folder, target, report.mark)
    _say(target, report, as_json)


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
    mark = _sound(source)
    if directory is None:
        with tempfile.TemporaryDirectory(prefix="perpdesk-drill-") as folder:
            _restore(source, Path(folder), mark, as_json)
        return
    with Lease(directory):
        known = _known(directory)
        if known is not None and not replace:
            raise StoreError(
                "JOURNAL_THERE", f"{directory}: {known}; the backup has {mark.seq:,} entries; --replace sets it aside"
            )
        aside = _restore(source, directory, mark, as_json)
    if aside is not None:
        click.echo(f"perpdesk: what was there is in {aside}", err=True)


def _sound(source: Path) -> Mark:
    report = _audited(source, "checking the backup")
    if not report.ok:
        faults = [fault for each in report.findings for fault in each.faults]
        raise Damaged("BACKUP_UNFIT", f"{source}: {faults[0]}; nothing was restored, take another backup")
    return report.mark


def _restore(source: Path, directory: Path, mark: Mark, as_json: bool) -> Path | None:
    aside = copies.put_back(source, directory, mark)
    report = _audited(directory, "checking what was restored")
    _say(directory, report, as_json)
    if not report.ok or report.mark != mark:
        raise Damaged("RESTORE_FAILED", f"{directory}: what was restored is not the backup; the disk is at fault")
    sync(directory)
    return aside


def _known(directory: Path) -> str | None:
    """What is there already, in words; None where there is no journal and there was none."""
    if not any((directory / name).exists() for name in (copies.DB, copies.HEAD)):
        return None
    try:
        with Reader(directory) as reader:
            return f"there is a journal of {reader.last():,} entries"
    except StoreError as error:
        return f"there is a journal that cannot be read ({error.code})"
