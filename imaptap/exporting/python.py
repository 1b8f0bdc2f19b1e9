"""`--format python`: a program with imaplib that repeats what the client asked for.

All that was recorded stands in it as literals of Python (`repr`), in calls of functions that are ours.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, BinaryIO

from imaptap.exporting.typed import server, typed

if TYPE_CHECKING:
    from imaptap.exporting.selection import Selection
    from imaptap.exporting.settings import Settings
    from imaptap.exporting.typed import Typed
    from storage import Session

_BLOCK = 4096
_IDLE_MOST = 3.0
_NAME = re.compile(r"(?:UID )?[A-Z][A-Z0-9.-]*")
_HEAD = re.compile(rb"[^ ]+ +(?:(?i:UID) +)?[^ ]+ ?")
_ANNOUNCED = re.compile(rb"~?\{\d+\+?\}\r?\n\Z")
_QUOTED = re.compile(rb"[ -~]*")
_MESSAGES = frozenset(("APPEND", "REPLACE", "UID REPLACE"))
"""Their literals are messages, which no quoted string can be."""
_PROGRAM = '''\
"""What a mail client asked for, as imaptap recorded it. This asks again, and says where the answers differ.

IMAP_HOST, IMAP_PORT and IMAP_TLS (implicit, starttls or none) are where; IMAP_CAFILE has who is trusted to vouch for
it. IMAP_USER and IMAP_PASSWORD log in; what of them is not set is asked for.
"""

import getpass
import imaplib
import os
import ssl
import sys
import time

STATES = ("NONAUTH", "AUTH", "SELECTED", "LOGOUT")
differing = 0


def connect(host, port, tls):
    host, port, tls = (
        os.environ.get(f"IMAP_{name}") or value for name, value in zip(("HOST", "PORT", "TLS"), (host, port, tls))
    )
    context = ssl.create_default_context(cafile=os.environ.get("IMAP_CAFILE"))
    if tls == "implicit":
        imap = imaplib.IMAP4_SSL(host, int(port), ssl_context=context)
    else:
        imap = imaplib.IMAP4(host, int(port))
        if tls == "starttls":
            imap.starttls(context)
    imap.is_readonly = True  # or imaplib objects to mailboxes that are
    return imap


def login(imap, user, was):
    user = os.environ.get("IMAP_USER") or user or input("User: ")
    password = os.environ.get("IMAP_PASSWORD") or getpass.getpass(f"Password of {user}: ")
    run("LOGIN", was, imap, lambda: imap.login(user, password))


def ask(imap, name, arguments=b"", literal=None, was="OK"):
    """A command with its arguments as they were typed, and a literal at their end."""
    imaplib.Commands[name] = STATES
    imap.literal = literal
    if name == "LOGOUT":
        run(name, was, imap, imap.logout)
    else:
        run(name, was, imap, lambda: imap.xatom(name, *([arguments] if arguments else [])))


def idle(imap, seconds, was):
    """IDLE for so long, then DONE."""
    run("IDLE", was, imap, lambda: idling(imap, seconds))


def idling(imap, seconds):
    imap.send(b"idle IDLE\\r\\n")
    line = imap.readline()
    if line.startswith(b"+"):
        time.sleep(seconds)
        imap.send(b"DONE\\r\\n")
        line = imap.readline()
    while line and not line.startswith(b"idle "):
        print("   ", line)
        line = imap.readline()
    status, _, text = line.rstrip().removeprefix(b"idle ").partition(b" ")
    return status.decode("ascii", "replace"), [text]


def run(name, was, imap, call):
    global differing
    imap.untagged_responses.clear()
    try:
        status, answer = call()
    except imaplib.IMAP4.abort as error:
        status, answer = "BYE", [str(error)]
    except imaplib.IMAP4.error as error:
        status, answer = "NO" if name == "LOGIN" else "BAD", [str(error)]
    if name == "LOGOUT" and status == "BYE":
        status = "OK"
    differs = was and status != was
    differing += bool(differs)
    print(f"{name}: {status!r}", f"(was {was})" if differs else "", answer)
    for kind, data in imap.untagged_responses.items():
        print("   ", repr(kind), data)


def left_out(exchange, why):
    print(f"exchange {exchange} is left out: {why}", file=sys.stderr)


'''
_END = """
sys.exit(1 if differing else 0)
"""


def write(selection: Selection, target: BinaryIO, settings: Settings) -> int:  # noqa: ARG001
    """Write one program for all sessions, one after the other. Returns how many bytes of commands are missing."""
    target.write(_PROGRAM.encode())
    missing = 0
    for number, session in enumerate(selection.sessions()):
        target.write(b"\n" if number else b"")
        _connect(target, session)
        over = False
        for command in typed(selection, session):
            missing += command.lost
            _Call(target, command).write()
            over = command.exchange.command == "LOGOUT"
        if not over:
            target.write(b"imap.shutdown()\n")
    target.write(_END.encode())
    return missing


def _connect(target: BinaryIO, session: Session) -> None:
    where = server(session)
    place = (where.host, where.port, where.tls) if where else ("localhost", 993, "implicit")
    target.write(f"# session {session.number}\nimap = connect{place!r}\n".encode())


class _Call:
    """Writes one command."""

    def __init__(self, target: BinaryIO, command: Typed) -> None:
        self._target, self._command = target, command

    def write(self) -> None:
        """The call that repeats it; or the one that says why there is none."""
        command = self._command
        exchange = command.exchange
        if command.why_not:
            self._leave_out(command.why_not)
        elif command.logs_in:
            self._line(f"login(imap, {command.user()!r}, {command.was!r})")
        elif exchange.command == "IDLE":
            seconds = ((exchange.ended or exchange.started) - exchange.started) / 1e6
            self._line(f"idle(imap, {min(seconds, _IDLE_MOST):.3f}, {command.was!r})")
        elif not _NAME.fullmatch(exchange.command):
            self._leave_out("imaplib cannot send such a command")
        else:
            self._ask(exchange.command)

    def _ask(self, name: str) -> None:
        unit = self._command.asks[0].unit
        texts, literals = list(unit.texts), list(unit.literals)
        last = literals.pop() if literals and texts[-1] in (b"\r\n", b"\n", b"") else None
        if last is not None:
            texts.pop()
        contents = [
            b"".join(self._command.content(literal) or ()) if literal.size < _BLOCK else None for literal in literals
        ]
        quoted = [None if each is None or not _QUOTED.fullmatch(each) else _quote(each) for each in contents]
        head = _HEAD.match(texts[0].rstrip(b"\r\n") + b" ")
        if None in quoted or head is None or (literals and name in _MESSAGES) or (last is not None and last.binary):
            self._leave_out("imaplib sends literals at the end only")
            return
        texts[0] = texts[0][head.end() :]
        words = [*(_ANNOUNCED.sub(b"", text) for text in texts[: len(quoted)]), texts[len(quoted)]]
        arguments = b"".join(word + (quote or b"") for word, quote in zip(words, (*quoted, b""), strict=True))
        arguments = _ANNOUNCED.sub(b"", arguments).rstrip(b" ") if last is not None else arguments.rstrip(b"\r\n")
        self._written(name, arguments, last is not None)

    def _written(self, name: str, arguments: bytes, literal: bool) -> None:
        self._target.write(f"ask(imap, {name!r}, {arguments!r}, ".encode())
        if literal:
            self._literal()
        self._line(f"was={self._command.was!r})")

    def _literal(self) -> None:
        self._target.write(b"literal=(\n")
        empty = True
        for block in self._command.content(self._command.asks[0].unit.literals[-1]) or ():
            for start in range(0, len(block), _BLOCK):
                empty = False
                self._line(f"    {block[start : start + _BLOCK]!r}")
        self._target.write(b'    b""\n), ' if empty else b"), ")

    def _leave_out(self, why: str) -> None:
        self._line(f"left_out({self._command.exchange.number}, {why!r})")

    def _line(self, text: str) -> None:
        self._target.write(f"{text}\n".encode("ascii"))


def _quote(text: bytes) -> bytes:
    return b'"' + re.sub(rb'(["\\])', rb"\\\1", text) + b'"'
