"""What holds when the sources are laid beside each other: missing is not flat, and the chain wins.

A position is gone only when the chain and one of the venue's own servers both say so. The two servers are no two
sources: one operator runs both, and both answer a wallet they cannot read with nothing at all.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from venue.avantis.positions import Answer, From, Held, Identity, Report, Silent


@dataclass(frozen=True, slots=True)
class Still:
    """The position stands. `differs`: what other sources say otherwise; what is here comes from the chain then."""

    held: Held
    sources: tuple[From, ...]
    differs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Gone:
    """The position stands no more, by these sources."""

    sources: tuple[From, ...]


@dataclass(frozen=True, slots=True)
class Doubtful:
    """Nobody can tell. `in_slot`: what stands in its place now, perhaps itself after a change of margin."""

    why: str
    in_slot: Held | None = None


Verdict = Still | Gone | Doubtful


@dataclass(frozen=True, slots=True)
class Orphan:
    """A position that nobody here opened: shown, never traded."""

    held: Held
    sources: tuple[From, ...]


@dataclass(frozen=True, slots=True)
class Merged:
    """The verdict on each position that was asked about, and what stands besides."""

    verdicts: Mapping[Identity, Verdict]
    orphans: tuple[Orphan, ...]


def merge(known: Collection[Identity], answers: Sequence[Answer]) -> Merged:
    """Lays at most one answer of each source beside the others."""
    if len({each.source for each in answers}) != len(answers):
        raise AssertionError("two answers of one source")
    asked = frozenset(known)
    verdicts = {identity: _verdict(identity, asked, answers) for identity in asked}
    return Merged(verdicts, _orphans(asked, answers))


def _verdict(identity: Identity, known: frozenset[Identity], answers: Sequence[Answer]) -> Verdict:
    reports = [each for each in answers if isinstance(each, Report) and each.tells(identity.slot)]
    seen: dict[From, Held] = {}
    absent: list[From] = []
    changed: dict[From, Held] = {}
    for report in reports:
        held = report.at(identity.slot)
        if held is not None and held.identity == identity:
            seen[report.source] = held
        elif held is None or held.identity in known:  # the slot has been given to another one of ours
            absent.append(report.source)
        else:
            changed[report.source] = held
    if From.CHAIN in seen or (seen and not changed):
        return _seen(seen, absent, changed)
    if changed:
        return _changed(identity, changed)
    if From.CHAIN in absent and len(absent) > 1:
        return Gone(tuple(absent))
    return Doubtful(_unconfirmed(absent, answers))


def _changed(identity: Identity, changed: Mapping[From, Held]) -> Doubtful:
    held = changed.get(From.CHAIN) or next(iter(changed.values()))
    sources = ", ".join(changed)
    return Doubtful(f"opened at {identity.opened_at_s}, but {sources}: its slot at {held.opened_at_s}", held)


def _seen(seen: Mapping[From, Held], absent: Sequence[From], changed: Mapping[From, Held]) -> Verdict:
    chain = seen.get(From.CHAIN)
    if chain is None and absent:
        return Doubtful(f"{', '.join(seen)} holds it, {', '.join(absent)} does not")
    first = chain or next(iter(seen.values()))
    differs = [line for source, held in seen.items() for line in _differences(first, source, held)]
    if chain is None and differs:
        return Doubtful(f"no chain to ask, and {'; '.join(differs)}")
    differs += [f"{source}: not there" for source in absent]
    differs += [f"{source}: opened at {held.opened_at_s}" for source, held in changed.items()]
    return Still(_completed(first, seen), tuple(seen), tuple(differs))


def _differences(first: Held, source: From, held: Held) -> list[str]:
    return [
        f"{source}: {name} is {getattr(held, name)}, not {getattr(first, name)}"
        for name in ("is_long", "collateral", "leverage", "open_price")
        if getattr(held, name) != getattr(first, name)
    ]


def _completed(first: Held, seen: Mapping[From, Held]) -> Held:
    """With what the chain does not tell, from sources that agree with it in all they share: others are not believed."""
    for source, other in seen.items():
        if _differences(first, source, other):
            continue
        first = replace(
            first,
            liquidation_price=_either(first.liquidation_price, other.liquidation_price),
            rollover=_either(first.rollover, other.rollover),
            funding=_either(first.funding, other.funding),
            is_pnl=other.is_pnl if first.is_pnl is None else first.is_pnl,
        )
    return first


def _either(one: int | None, other: int | None) -> int | None:
    return other if one is None else one


def _unconfirmed(absent: Sequence[From], answers: Sequence[Answer]) -> str:
    silent = [f"{each.source} gave no answer ({each.why})" for each in answers if isinstance(each, Silent)]
    missing = f"missing at {', '.join(absent)}" if absent else "seen by nobody"
    return "; ".join([missing, *silent, "expected the chain and another source to agree"])


def _orphans(known: frozenset[Identity], answers: Sequence[Answer]) -> tuple[Orphan, ...]:
    """Positions in slots where nobody expects one. What the chain was asked for and does not hold is none."""
    slots = {identity.slot for identity in known}
    found: dict[Identity, dict[From, Held]] = {}
    for report in answers:
        if isinstance(report, Report):
            for held in report.held:
                if held.slot not in slots:
                    found.setdefault(held.identity, {})[report.source] = held
    chain = next((each for each in answers if isinstance(each, Report) and each.source is From.CHAIN), None)
    return tuple(
        Orphan(_completed(by.get(From.CHAIN) or next(iter(by.values())), by), tuple(by))
        for identity, by in sorted(found.items(), key=lambda item: (item[0].slot, item[0].opened_at_s))
        if From.CHAIN in by or chain is None or not chain.tells(identity.slot)
    )
