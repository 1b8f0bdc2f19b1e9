"""What all formats say alike: counts, capabilities, and text that nothing obeys."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from proxy.imap.transcript import readable
from storage.diff.report.values import Entry, Said, State

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable, Iterator, Mapping

    from storage.diff.report.values import Noisy, Result, Talk, Totals

NOTHING = "-"
_OFFERED = {(True, True): "yes", (True, False): "before login", (False, True): "after login", (False, False): NOTHING}


class Folded(NamedTuple):
    """Exchanges that follow each other and are the same: how many, the first, the last, and what they were."""

    size: int
    first: Entry
    last: Entry
    commands: tuple[str, ...]


def folded(entries: Iterable[Entry]) -> Iterator[Entry | Folded]:
    """The entries, but for those of which there is nothing to tell."""
    for quiet, run in groupby(entries, key=_quiet):
        if quiet:
            yield _fold(run)
        else:
            yield from run


def plain(text: str) -> str:
    """The text on one line, control characters and what is no Unicode as \\xNN."""
    return readable(text.encode("utf-8", "surrogatepass"))


def offered(times: tuple[bool, bool]) -> str:
    """When a server offered a capability: before login, after it, always ("yes"), never ("-")."""
    return _OFFERED[times]


def counted(counts: Mapping[str, int] | Counter[str]) -> str:
    """Counts in a sentence: "value 3, missing 1"."""
    return ", ".join(f"{plain(name)} {count}" for name, count in sorted(counts.items(), key=_most)) or "none"


def verdict(totals: Totals) -> str:
    """All in a sentence."""
    if not totals.compared and not totals.different:
        return "Nothing could be compared."
    count = totals.kinds.total()
    found = f"{count} difference{'s' if count > 1 else ''}" if count else "Equal: no differences"
    return f"{found} in {_exchanges(totals.compared)}.{_not_kept(totals.not_kept)}"


def tallies(totals: Totals) -> Iterator[tuple[str, str]]:
    """The counts, each with what it counts."""
    states = {state.value: totals.states[state] for state in State if totals.states[state]}
    yield "exchanges", counted(states | ({"moved": totals.moved} if totals.moved else {}))
    lone = {state.value: totals.sessions[state] for state in (State.MISSING, State.EXTRA) if totals.sessions[state]}
    yield "sessions", counted({"paired": totals.sessions[State.EQUAL]} | lone)
    if totals.kinds:
        yield "differences", counted({kind.value: count for kind, count in totals.kinds.items()})
    if totals.reasons:
        yield "not compared", counted(totals.reasons)


def noise_line(noisy: Noisy) -> str:
    """A rule of noise at work."""
    (seen, of), (hits, all_here) = noisy.seen, noisy.here
    learned = f"moved by itself in {seen} of {of}, " if of else ""
    doubt = ": far more often, look at it with --no-noise" if noisy.more else ""
    return f"{learned}let pass in {hits} of {all_here}{doubt}"


def sides(talk: Talk) -> tuple[str, str]:
    """The names of two sessions."""
    return talk.left or "no such session", talk.right or "no such session"


def only(result: Result) -> tuple[list[str], list[str], list[str]]:
    """Capabilities of the left server only, of the right one only, and of both."""
    left = [word.name for word in result.words if any(word.left) and not any(word.right)]
    right = [word.name for word in result.words if any(word.right) and not any(word.left)]
    return left, right, [word.name for word in result.words if any(word.left) and any(word.right)]


def title(said: Said | None) -> str:
    """An exchange in a line."""
    return "" if said is None else f"{said.number} {said.command}"


def _exchanges(count: int) -> str:
    return f"{count} exchange{'' if count == 1 else 's'}"


def _not_kept(count: int) -> str:
    """What the verdict does not speak of."""
    contents = "1 content that was" if count == 1 else f"{count} contents that were"
    return f" {contents} not kept could not be compared." if count else ""


def _quiet(entry: Entry) -> bool:
    return entry.state is State.EQUAL and not entry.reason


def _fold(run: Iterable[Entry]) -> Folded:
    entries = list(run)
    names = dict.fromkeys(_verb(entry.left) for entry in entries)
    return Folded(len(entries), entries[0], entries[-1], tuple(names))


def _verb(said: Said | None) -> str:
    words = said.command.split(" ", 2) if said else [""]
    return " ".join(words[:2]) if words[0] == "UID" else words[0]


def _most(item: tuple[str, int]) -> tuple[int, str]:
    return -item[1], item[0]
