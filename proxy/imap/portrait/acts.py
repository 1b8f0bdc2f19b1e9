"""Which situation a command belongs to, by what it is and by what came before it in its session."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from proxy.imap.grammar.fetch_commands import Attribute, FetchCommand, SectionAttribute, Store, StoreFlags
from proxy.imap.portrait.forms import body_of, form
from proxy.imap.portrait.values import Situation

if TYPE_CHECKING:
    from proxy.imap.grammar.commands import Body
    from proxy.imap.portrait.values import Step, Talk

_SESSION = {"CAPABILITY", "STARTTLS", "LOGIN", "AUTHENTICATE", "ID", "ENABLE", "COMPRESS", "UNAUTHENTICATE"}
_MAILBOXES = {
    *("STATUS", "CREATE", "DELETE", "RENAME", "SUBSCRIBE", "UNSUBSCRIBE", "GETQUOTA", "GETQUOTAROOT", "SETQUOTA"),
    *("GETACL", "SETACL", "DELETEACL", "LISTRIGHTS", "MYRIGHTS", "GETMETADATA", "SETMETADATA"),
}
_LISTS = {"LIST", "LSUB", "XLIST", "RLIST", "RLSUB", "NAMESPACE"}
_LOOKS = {"SEARCH", "SORT", "THREAD", "ESEARCH", "UID SEARCH", "UID SORT", "UID THREAD"}
_FETCHES = {"FETCH", "UID FETCH"}
WAITS = {"IDLE", "NOOP", "CHECK"}
_BY_NAME = {
    **dict.fromkeys(_SESSION, Situation.CONNECT),
    **dict.fromkeys(_MAILBOXES, Situation.MAILBOXES),
    **dict.fromkeys(("SELECT", "EXAMINE"), Situation.OPEN),
    **dict.fromkeys(("APPEND", "REPLACE", "UID REPLACE"), Situation.SAVE),
    **dict.fromkeys(("EXPUNGE", "UID EXPUNGE", "COPY", "UID COPY", "MOVE", "UID MOVE"), Situation.DELETE),
    **dict.fromkeys(("LOGOUT", "UNSELECT"), Situation.LEAVE),
    "NOTIFY": Situation.IDLE,
}
CONTENT = {b"RFC822", b"RFC822.TEXT", b"RFC822.PEEK", b"RFC822.TEXT.PEEK"}

_FLIGHT_MOST = 1000
"""Commands without an answer that are remembered."""


@dataclass(frozen=True, slots=True)
class Act:
    """A step with what it was read as, its form, and its situation.

    `in_flight` is how many commands before it had no answer yet; `logged_in`, `opened` and `arrived` tell whether a
    login, the first SELECT, and word of new mail had gone before.
    """

    step: Step
    body: Body | None
    form: str
    situation: Situation
    in_flight: int
    logged_in: bool
    opened: bool
    arrived: bool


def acts(talk: Talk) -> list[Act]:
    """The acts of a session."""
    state = _State()
    found = [state.take(step) for step in talk.steps]
    # Who asks for a message's header, then for its text, is reading it.
    for order in (range(len(found) - 1), range(len(found) - 2, -1, -1)):
        for index in order:
            one, other = found[index : index + 2]
            if _one_message(one) is not None and _one_message(one) == _one_message(other):
                found[index], found[index + 1] = _together(one, other)
    return found


def _one_message(act: Act) -> tuple[bool, bytes] | None:
    """The single message that a FETCH of OPEN or READ is about: whether by UID, and its number."""
    if act.situation not in (Situation.OPEN, Situation.READ) or not isinstance(act.body, FetchCommand):
        return None
    return (act.body.uid, act.body.messages.raw) if act.body.messages.raw.isdigit() else None


def _together(one: Act, other: Act) -> tuple[Act, Act]:
    """Two acts about the same message: both are reading if one of them is."""
    if Situation.READ not in (one.situation, other.situation):
        return one, other
    return dataclasses.replace(one, situation=Situation.READ), dataclasses.replace(other, situation=Situation.READ)


def content(body: Body | None) -> bool:
    """Whether it fetches text of messages, and not their headers only."""
    return isinstance(body, FetchCommand) and any(
        attribute.name in CONTENT
        if isinstance(attribute, Attribute)
        else isinstance(attribute, SectionAttribute)
        and attribute.name != b"BINARY.SIZE"
        and attribute.section.text in (None, b"TEXT")
        for attribute in body.attributes
    )


def deletes(body: Body | None) -> bool:
    r"""Whether it sets \Deleted."""
    return (
        isinstance(body, Store)
        and isinstance(body.change, StoreFlags)
        and body.change.how != b"-"
        and any(isinstance(flag, bytes) and flag.lower() == b"\\deleted" for flag in body.change.flags)
    )


class _State:
    def __init__(self) -> None:
        self._logged_in = self._opened = self._arrived = self._doomed = False
        self._count: int | None = None
        self._unanswered: list[int] = []
        """When commands were answered that were still open at the last look."""

    def take(self, step: Step) -> Act:
        body = body_of(step.unit)
        situation = self._situation(step.name, body)
        self._unanswered = [end for end in self._unanswered if end > step.started]
        in_flight = len(self._unanswered)
        act = Act(
            step, body, form(step.name, body, step.unit), situation, in_flight,
            self._logged_in, self._opened, self._arrived,
        )  # fmt: skip
        if step.ended is not None and len(self._unanswered) < _FLIGHT_MOST:
            self._unanswered.append(step.ended)
        self._follow(step, body, situation)
        return act

    def _situation(self, name: str, body: Body | None) -> Situation:
        if name in _FETCHES or name in _LOOKS:
            if self._arrived:
                return Situation.NEWS
            return Situation.READ if content(body) else Situation.OPEN
        if name == "CLOSE":
            return Situation.DELETE if self._doomed else Situation.LEAVE
        if name in _LISTS or name in WAITS:
            late = Situation.MAILBOXES if name in _LISTS else Situation.IDLE
            return late if self._opened or name == "IDLE" else Situation.CONNECT
        if name in ("STORE", "UID STORE"):
            return Situation.DELETE if deletes(body) else Situation.MARK
        return _BY_NAME.get(name, Situation.OTHER)

    def _follow(self, step: Step, body: Body | None, situation: Situation) -> None:
        ok = step.status == "OK"
        if situation is not Situation.NEWS:
            self._arrived = False
        if step.name in ("LOGIN", "AUTHENTICATE") and ok:
            self._logged_in = True
        if step.name in ("SELECT", "EXAMINE"):
            self._opened, self._doomed, self._count = True, False, None
        if step.name in ("CLOSE", "EXPUNGE", "UID EXPUNGE"):
            self._doomed = False
        self._doomed |= deletes(body)
        self._hear(step, own=situation in (Situation.SAVE, Situation.DELETE))

    def _hear(self, step: Step, *, own: bool) -> None:
        """Follow the count of messages; more of them than before, and not by the client's own doing, is new mail."""
        told = step.told
        left = None if self._count is None else self._count - told.gone
        if told.first is None:
            self._count = left
            return
        self._arrived |= not own and (told.grown or (left is not None and told.first > left))
        self._count = told.last
