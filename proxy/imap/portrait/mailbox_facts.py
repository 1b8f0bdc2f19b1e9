"""Sentences about what a client does with mailboxes and messages."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from proxy.imap.grammar.append import Append, Catenate
from proxy.imap.grammar.fetch_commands import Attribute, FetchCommand, SectionAttribute, Store, StoreFlags
from proxy.imap.grammar.mailboxes import OnMailbox, QResync
from proxy.imap.portrait.acts import CONTENT, WAITS, content, deletes
from proxy.imap.portrait.forms import literal_kinds, open_ended
from proxy.imap.portrait.values import NOTHING, Fact

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from proxy.imap.grammar.sets import SequenceSet
    from proxy.imap.portrait.acts import Act
    from proxy.imap.portrait.facts import Told

_SECOND = 1_000_000


def opening(acts: Sequence[Act]) -> Iterator[Fact]:
    """SELECT or EXAMINE, and how it learns what is there."""
    names = dict.fromkeys(act.step.name for act in acts if act.step.name in ("SELECT", "EXAMINE"))
    yield from (Fact(f"opens mailboxes with {name}") for name in names)
    params = {
        "QRESYNC" if isinstance(param, QResync) else param.name.decode("latin-1")
        for act in acts
        if isinstance(act.body, OnMailbox)
        for param in act.body.params or ()
    }
    if "QRESYNC" in params:
        yield Fact("asks for what has changed since it was here (QRESYNC)")
    elif "CONDSTORE" in params:
        yield Fact("turns on CONDSTORE with SELECT")
    fetches = [act.body for act in acts if isinstance(act.body, FetchCommand)]
    yield from _synchronising(fetches)
    if any(act.step.name.removeprefix("UID ") in ("SEARCH", "SORT", "THREAD") for act in acts):
        yield Fact("searches for messages")


def _synchronising(fetches: Sequence[FetchCommand]) -> Iterator[Fact]:
    changed = [any(each.name == b"CHANGEDSINCE" for each in fetch.modifiers or ()) for fetch in fetches]
    others = [fetch for fetch, only_changed in zip(fetches, changed, strict=True) if not only_changed]
    if any(changed):
        yield Fact("fetches only flags that have changed (CHANGEDSINCE)")
    whole = [each for each in others if each.messages.raw == b"1:*"]
    if any(_asks_for(each, b"FLAGS") for each in whole):
        yield Fact("fetches the flags of all messages (1:*)")
    elif whole:
        yield Fact("asks about all messages (1:*)")
    if any(_asks_for(each, b"FLAGS") and each.messages.raw != b"1:*" for each in others):
        yield Fact("fetches flags of ranges or of single messages")
    sizes = [size for each in fetches if (size := _size(each.messages)) is not None]
    if sizes and max(sizes) > 1:
        yield Fact(f"up to {max(sizes)} numbers in a FETCH", measured=True)


def reading(acts: Sequence[Act]) -> Iterator[Fact]:
    """Which text of a message it fetches, and how."""
    fetches = [act.body for act in acts if isinstance(act.body, FetchCommand) and content(act.body)]
    attributes = [each for fetch in fetches for each in fetch.attributes]
    sections = [each for each in attributes if isinstance(each, SectionAttribute) and each.section.text is None]
    whole = {each.name for each in attributes if isinstance(each, Attribute) and each.name in CONTENT}
    if any(not each.section.part for each in sections) or b"RFC822" in whole:
        yield Fact("fetches whole messages")
    if b"RFC822.TEXT" in whole or any(
        isinstance(a, SectionAttribute) and a.section.text == b"TEXT" for a in attributes
    ):
        yield Fact("fetches texts of messages apart from their headers")
    if any(each.section.part for each in sections):
        yield Fact("fetches parts of messages")
    peeks = {b".PEEK" in each.name for each in attributes if isinstance(each, SectionAttribute)}
    peeks |= {b".PEEK" in name for name in whole}
    if peeks:
        both = "only sometimes (PEEK and not)" if len(peeks) > 1 else "no (PEEK)" if True in peeks else "yes (no PEEK)"
        yield Fact(f"lets the server mark messages as read: {both}")
    windows = [each.window[1] for each in attributes if isinstance(each, SectionAttribute) and each.window]
    if windows:
        yield Fact(f"reads in pieces of up to {max(windows)} bytes")
    elif fetches:
        yield Fact("reads without pieces, each text at once")
    sizes = [size for each in fetches if (size := _size(each.messages)) is not None]
    if sizes and max(sizes) == 1:
        yield Fact("one message a FETCH")
    elif sizes:
        yield Fact("several messages a FETCH")
        yield Fact(f"up to {max(sizes)} numbers in a FETCH", measured=True)


def news(told: Sequence[Told]) -> Iterator[Fact]:
    """How it learned of new mail, and whether it looked at it."""
    for _, acts in told:
        for before, act in pairwise(acts):
            if act.arrived and not before.arrived:
                yield Fact(f"learns of it in the answer to {before.step.name}")


def waiting(told: Sequence[Told]) -> Iterator[Fact]:
    """IDLE and for how long, or NOOP and how often."""
    acts = [act for _, mine in told for act in mine]
    names = {act.step.name for act in acts if act.opened} & WAITS | {a.step.name for a in acts if a.step.name == "IDLE"}
    if "IDLE" in names:
        yield Fact("waits in IDLE")
        yield from _idling(acts)
    if "NOTIFY" in {act.step.name for act in acts}:
        yield Fact("asks to be told of changes in other mailboxes (NOTIFY)")
    for name in sorted(names - {"IDLE"}):
        yield Fact(f"asks with {name}")
        gaps = [gap for _, mine in told for gap in _gaps(mine, name)]
        if gaps:
            yield Fact(f"every {_seconds(sorted(gaps)[len(gaps) // 2])} (median) with {name} again", measured=True)


def _idling(acts: Iterable[Act]) -> Iterator[Fact]:
    idles = [act.step for act in acts if act.step.name == "IDLE"]
    lengths = [step.done - step.started for step in idles if step.done is not None]
    if lengths:
        yield Fact(f"longest IDLE that it ended: {_seconds(max(lengths))}", measured=True)
    if any(step.told != NOTHING and step.done is not None for step in idles):
        yield Fact("ends IDLE when there is news")
    quiet = [step.done - step.started for step in idles if step.done is not None and step.told == NOTHING]
    if quiet:
        yield Fact(f"without news it renewed or left IDLE after {_seconds(max(quiet))} at most", measured=True)


def saving(acts: Sequence[Act]) -> Iterator[Fact]:
    """APPEND: flags, date, kind of literal."""
    appends = [act for act in acts if isinstance(act.body, Append)]
    messages = [each for act in appends if isinstance(act.body, Append) for each in act.body.messages]
    if not messages:
        return
    yield Fact(f"saves {_some([each.flags is not None for each in messages])} flags")
    yield Fact(f"saves {_some([each.date is not None for each in messages])} a date")
    yield from (
        Fact(f"literal {kind}") for kind in dict.fromkeys(k for a in appends for k in literal_kinds(a.step.unit))
    )
    if len(messages) > len(appends):
        yield Fact("saves several messages in one command (MULTIAPPEND)")
    if any(isinstance(each.data, Catenate) for each in messages):
        yield Fact("puts messages together on the server (CATENATE)")


def marking(acts: Sequence[Act]) -> Iterator[Fact]:
    """STORE of flags."""
    changes = [act.body.change for act in acts if isinstance(act.body, Store)]
    silent = [change.silent for change in changes if isinstance(change, StoreFlags)]
    if silent:
        yield Fact(f"changes flags {_some(silent)} .SILENT")
    if any(isinstance(change, StoreFlags) and not change.how for change in changes):
        yield Fact("replaces all flags of a message")


def deleting(acts: Sequence[Act]) -> Iterator[Fact]:
    """How messages go away, or elsewhere."""
    names = {act.step.name.removeprefix("UID ") for act in acts}
    if "MOVE" in names:
        yield Fact("moves with MOVE")
    if "COPY" in names:
        yield Fact("copies with COPY")
    if any(deletes(act.body) for act in acts):
        yield Fact(r"deletes by setting \Deleted")
    removes = {act.step.name for act in acts} & {"EXPUNGE", "UID EXPUNGE", "CLOSE"}
    wholes = {"EXPUNGE": "all that is marked", "UID EXPUNGE": "only what it means", "CLOSE": "all that is marked"}
    yield from (Fact(f"removes {wholes[name]} with {name}") for name in sorted(removes))


def _asks_for(fetch: FetchCommand, name: bytes) -> bool:
    names = {each.name for each in fetch.attributes if isinstance(each, Attribute)}
    return bool(names & {name, b"ALL", b"FULL", b"FAST"})


def _size(messages: SequenceSet) -> int | None:
    """How many numbers a set names; None where it is open."""
    if messages.saved or open_ended(messages):
        return None
    return sum(abs((last or 0) - (first or 0)) + 1 for first, last in messages.ranges)


def _gaps(acts: Sequence[Act], name: str) -> Iterator[int]:
    for before, act in pairwise(acts):
        if before.step.name == act.step.name == name:
            yield act.step.started - before.step.started


def _seconds(micros: int) -> str:
    return f"{micros / _SECOND:.1f} s"


def _some(flags: Sequence[bool]) -> str:
    return "with" if all(flags) else "with or without" if any(flags) else "without"
