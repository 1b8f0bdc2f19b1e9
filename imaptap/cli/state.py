"""The state of a session at one of its moments, for people and as JSON."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from rich.text import Text

from imaptap.cli.documents import Document
from imaptap.cli.errors import escaped
from imaptap.cli.lines import clock
from imaptap.exporting.times import moment
from imaptap.meaning.words import compressed, counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.imap.view.values import Capabilities, MailboxState, State
    from storage import Session

_RUNS_SHOWN = 20
_WIDTH = 16


def state_lines(state: State, session: Session, exchange: int) -> Iterator[Text]:
    """A heading, then name and value of each thing that is known."""
    name = f"{session.recording.name}/{session.number}"
    yield Text(escaped(f"# session {name} after exchange {exchange}, {clock(session.wall + state.at)}"), "bold")
    for key, value in _facts(state):
        yield Text(f"{key:<{_WIDTH}}", "cyan").append(escaped(value))


def _facts(state: State) -> Iterator[tuple[str, str]]:
    yield "phase", str(state.phase)
    if state.mechanism:
        yield "authenticated", f"{state.mechanism}, user {state.user if state.user is not None else 'not recorded'}"
    yield "layers", state.layers
    for told in state.capabilities:
        yield "capabilities", _capabilities(told)
    yield "enabled", " ".join(state.enabled) or "nothing"
    if state.mailbox:
        yield from _mailbox(state.mailbox)
    if state.saved:
        size = "" if state.saved.size is None else f", {counted(state.saved.size, 'message')}"
        which = (
            f": {'UIDs ' if state.saved.uid else ''}{compressed(state.saved.messages)}" if state.saved.messages else ""
        )
        yield "saved search $", f"by exchange {state.saved.exchange}{size}{which}"
    for tag, number in state.contexts:
        yield "kept up to date", f"search {number}, tag {tag}"
    if state.notify is not None:
        yield "notify", f"as exchange {state.notify} asked"
    if state.idle is not None:
        yield "idle", f"since exchange {state.idle}"
    if state.open:
        yield "in flight", " ".join(map(str, state.open[:_RUNS_SHOWN]))


def _capabilities(told: Capabilities) -> str:
    doubt = "" if told.trusted else ", in clear before TLS: not to be trusted"
    return f"({told.source}{doubt}) {' '.join(told.words)}"


def _mailbox(box: MailboxState) -> Iterator[tuple[str, str]]:
    mode = {True: ", read-only", False: ", read-write", None: ""}[box.read_only]
    yield "mailbox", f"{box.name}{mode}"
    for key in ("exists", "recent", "uidvalidity", "uidnext", "highestmodseq", "mailboxid"):
        if (value := getattr(box, key)) is not None:
            yield key, str(value)
    if box.flags is not None:
        yield "flags", " ".join(box.flags)
    if box.permanent_flags is not None:
        yield "permanent flags", " ".join(box.permanent_flags)
    if box.exists is not None:
        yield "UIDs known", f"{box.numbers.known:,} of {box.exists:,}"
    runs = box.numbers.runs()
    for run in itertools.islice(runs, _RUNS_SHOWN):
        yield "", f"{_range(run.number, run.length)} = UID {_range(run.uid, run.length)}"
    if left := sum(1 for _ in runs):
        yield "", f"and {counted(left, 'run')} more: --json has them"


def _range(first: int, length: int) -> str:
    return f"{first}" if length == 1 else f"{first}:{first + length - 1}"


def state_document(state: State, session: Session) -> Document:
    """The keys that docs/cli.md promises."""
    return {
        "at": moment(session.wall + state.at),
        "phase": str(state.phase),
        "mechanism": state.mechanism,
        "user": state.user,
        "layers": state.layers,
        "capabilities": [
            {"source": each.source, "words": list(each.words), "trusted": each.trusted} for each in state.capabilities
        ],
        "enabled": list(state.enabled),
        "mailbox": _mailbox_document(state.mailbox) if state.mailbox else None,
        "saved": _saved_document(state),
        "contexts": [{"tag": tag, "exchange": number} for tag, number in state.contexts],
        "notify": state.notify,
        "idle": state.idle,
        "open": list(state.open),
    }


def _saved_document(state: State) -> Document | None:
    if state.saved is None:
        return None
    messages = None if state.saved.messages is None else state.saved.messages.raw.decode("ascii", "replace")
    return {"exchange": state.saved.exchange, "uid": state.saved.uid, "size": state.saved.size, "messages": messages}


def _mailbox_document(box: MailboxState) -> Document:
    return {
        "name": box.name,
        "read_only": box.read_only,
        "exists": box.exists,
        "recent": box.recent,
        "uidvalidity": box.uidvalidity,
        "uidnext": box.uidnext,
        "highestmodseq": box.highestmodseq,
        "mailboxid": box.mailboxid,
        "flags": None if box.flags is None else list(box.flags),
        "permanent_flags": None if box.permanent_flags is None else list(box.permanent_flags),
        "known": box.numbers.known,
        "uids": ({"number": run.number, "uid": run.uid, "length": run.length} for run in box.numbers.runs()),
    }
