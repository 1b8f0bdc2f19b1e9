"""Which commands may be said when (RFC 9051 sections 3, 5.5 and 6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.imap.commands import KNOWN as KNOWN_COMMANDS
from proxy.imap.commands import of_selected
from proxy.imap.lint.heard import Kind
from proxy.imap.lint.rules import ERROR, WARNING, Family
from proxy.imap.state import Phase
from proxy.imap.transcript import Direction, Ending, Layer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.imap.lint.heard import FromClient, FromServer
    from proxy.imap.lint.known import Known
    from proxy.imap.lint.rules import Finding, Rule

IDLE_MOST = 29 * 60 * 1_000_000
"""Microseconds after which an IDLE should be begun anew (RFC 9051 section 6.3.13), a minute's grace not counted."""
UNANSWERED_MOST = 20
"""Commands without an answer that are told of one session."""
_GRACE = 60 * 1_000_000

FAMILY = Family("state")
C, S = Direction.CLIENT, Direction.SERVER

BEFORE_GREETING = FAMILY.rule(
    "before-greeting", C, WARNING, "9051 2.2", "The client speaks before the server's greeting."
)
BEFORE_LOGIN = FAMILY.rule("before-login", C, ERROR, "9051 6.3", "The command needs a login, and there was none.")
WITHOUT_SELECTED = FAMILY.rule(
    "without-selected", C, ERROR, "9051 6.4", "The command works on the selected mailbox, and none is selected."
)
UID_WITHOUT_SELECTED = FAMILY.rule(
    "uid-without-selected", C, ERROR, "9051 6.4.9", "A UID command is sent while no mailbox is selected."
)
LOGIN_AGAIN = FAMILY.rule("login-again", C, ERROR, "9051 6.2", "The client logs in though it is logged in.")
STARTTLS_LATE = FAMILY.rule(
    "starttls-late", C, ERROR, "9051 6.2.1", "STARTTLS is sent after a login, or where there is TLS already."
)
AFTER_LOGOUT = FAMILY.rule("after-logout", C, ERROR, "9051 6.1.3", "A command is sent after LOGOUT.")
DURING_IDLE = FAMILY.rule(
    "during-idle", C, ERROR, "9051 6.3.13", "A command is sent during IDLE, without DONE before it."
)
DONE_WITHOUT_IDLE = FAMILY.rule("done-without-idle", C, ERROR, "9051 6.3.13", "DONE is sent though no IDLE runs.")
IDLE_TOO_LONG = FAMILY.rule(
    "idle-too-long", C, WARNING, "9051 6.3.13", "An IDLE lasted more than 29 minutes; servers may log such clients out."
)
BEHIND_STARTTLS = FAMILY.rule(
    "behind-starttls", C, ERROR, "9051 6.2.1", "Something is sent after STARTTLS and before its answer."
)
BEHIND_COMPRESS = FAMILY.rule(
    "behind-compress", C, ERROR, "4978 3", "A command is sent after COMPRESS and before its answer."
)
BEHIND_AUTHENTICATE = FAMILY.rule(
    "behind-authenticate", C, WARNING, "9051 6.2.2", "A command is sent while AUTHENTICATE waits for its answer."
)
ENABLE_SELECTED = FAMILY.rule(
    "enable-selected", C, ERROR, "9051 6.3.1", "ENABLE is sent while a mailbox is selected; it belongs before SELECT."
)
READ_ONLY = FAMILY.rule(
    "changes-read-only", C, WARNING, "9051 6.3.3", "A command would change a mailbox that was opened read-only."
)
NO_LOGOUT = FAMILY.rule(
    "no-logout", C, WARNING, "9051 3.4", "The client closes the connection without LOGOUT, which it should send."
)
NO_BYE = FAMILY.rule("no-bye", S, WARNING, "9051 3.4", "The server closes the connection without BYE.")
NO_ANSWER = FAMILY.rule(
    "no-answer", S, WARNING, "9051 2.2.2", "The server closes the connection, and a command has no answer."
)
LOGOUT_WITHOUT_BYE = FAMILY.rule(
    "logout-without-bye", S, ERROR, "9051 6.1.3", "LOGOUT is answered without an untagged BYE before it."
)
NO_GREETING = FAMILY.rule("no-greeting", S, ERROR, "9051 7.1", "The server's first line is no greeting.")
LATE_PREAUTH = FAMILY.rule("late-preauth", S, ERROR, "9051 7.1.4", "PREAUTH is said, and is only for greetings.")
AFTER_BYE = FAMILY.rule("after-bye", S, WARNING, "9051 7.1.5", "Untagged data follows a BYE.")

_ANY_TIME = frozenset({"CAPABILITY", "NOOP", "LOGOUT", "ID", "LANGUAGE"})
_NOT_AUTHENTICATED = frozenset({"STARTTLS", "AUTHENTICATE", "LOGIN", "COMPRESS"})
_LOGIN = frozenset({"LOGIN", "AUTHENTICATE"})
_SELECT = frozenset({"SELECT", "EXAMINE"})
_CHANGES = frozenset({"STORE", "UID STORE", "EXPUNGE", "UID EXPUNGE", "MOVE", "UID MOVE", "REPLACE", "UID REPLACE"})


def client(heard: FromClient, known: Known) -> Iterator[Finding]:
    """What a client says at the wrong time."""
    said, name = heard.said, heard.name
    idle = known.running(("IDLE",))
    if not known.greeted:
        yield said.found(BEFORE_GREETING)
    if heard.kind is Kind.DONE:
        if idle and said.at - idle.at > IDLE_MOST + _GRACE:
            yield said.found(IDLE_TOO_LONG, detail=f"{(said.at - idle.at) // 60_000_000} minutes")
        return
    if heard.kind is not Kind.COMMAND:
        return
    if not name and heard.head.tag.upper() == b"DONE":
        yield said.found(DONE_WITHOUT_IDLE)
    elif idle and idle.continued and not idle.done:
        yield said.found(DURING_IDLE)
    if known.logout_sent or known.phase is Phase.LOGOUT:
        yield said.found(AFTER_LOGOUT)
        return
    yield from _pipelined(heard, known)
    if not known.lost and known.greeted:
        yield from _phase(heard, known)


def _pipelined(heard: FromClient, known: Known) -> Iterator[Finding]:
    for name, rule in (
        ("STARTTLS", BEHIND_STARTTLS),
        ("COMPRESS", BEHIND_COMPRESS),
        ("AUTHENTICATE", BEHIND_AUTHENTICATE),
    ):
        if known.running((name,)):
            yield heard.said.found(rule)


def _phase(heard: FromClient, known: Known) -> Iterator[Finding]:
    said, name = heard.said, heard.name
    logged_in = known.state.authenticated
    if name in _LOGIN and logged_in:
        yield said.found(LOGIN_AGAIN)
    elif name == "STARTTLS" and (logged_in or said.layer & Layer.TLS):
        yield said.found(STARTTLS_LATE)
    elif name in KNOWN_COMMANDS | {"UID"} or name.startswith("UID "):
        if not logged_in:
            if name not in _ANY_TIME | _NOT_AUTHENTICATED and not known.running(_LOGIN):
                yield said.found(BEFORE_LOGIN)
        elif of_selected(name) and name not in {"NOOP", "IDLE"}:
            yield from _selected(heard, known)
        elif name == "ENABLE" and known.phase is Phase.SELECTED:
            yield said.found(ENABLE_SELECTED)


def _selected(heard: FromClient, known: Known) -> Iterator[Finding]:
    said, name = heard.said, heard.name
    if known.phase is not Phase.SELECTED:
        if not known.selecting:
            yield said.found(UID_WITHOUT_SELECTED if name.startswith("UID ") else WITHOUT_SELECTED)
    elif known.read_only and name in _CHANGES and not known.selecting:
        yield said.found(READ_ONLY)


def server(heard: FromServer, known: Known) -> Iterator[Finding]:
    """What a server says at the wrong time."""
    said, head = heard.said, heard.head
    if head.tag is not None or head.kind == "+":
        if not known.greeted:
            yield said.found(NO_GREETING)
        flight = known.flight(said.exchange)
        ok = head.status == "OK"
        if flight and flight.name == "LOGOUT" and ok and not flight.seen["BYE"] and not known.bye:
            yield said.found(LOGOUT_WITHOUT_BYE)
        return
    if not known.greeted:
        if head.status not in {"OK", "PREAUTH", "BYE"}:
            yield said.found(NO_GREETING)
    elif head.status == "PREAUTH":
        yield said.found(LATE_PREAUTH)
    if known.bye and head.status != "BYE":
        yield said.found(AFTER_BYE)


def end(known: Known, ending: Ending | None) -> Iterator[tuple[Rule, int | None]]:
    """Which rules the session's end breaks, with the number of the exchange."""
    if known.lost or not known.greeted or known.bye:
        return
    if ending is Ending.CLIENT and not known.logout_sent:
        yield NO_LOGOUT, None
    elif ending is Ending.SERVER:
        yield NO_BYE, None
        for flight in known.flights.oldest(UNANSWERED_MOST):
            yield NO_ANSWER, flight.number
