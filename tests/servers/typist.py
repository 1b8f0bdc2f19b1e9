"""Somebody who types IMAP by hand: the session of the first user story, every command with the tag `.`."""

from __future__ import annotations

import os
import re
import selectors
import socket
import subprocess
import time
from typing import TYPE_CHECKING, Protocol

from tests.servers.wait import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Sequence

SESSION = (
    ". login bob secret",
    ". capability",
    '. list "" "*"',
    '. list "INBOX" "*"',
    ". select Drafts",
    ". fetch 4 full",
    ". fetch 2 rfc822.header",
    ". fetch 4 rfc822",
    ". fetch 4 flags",
    ". logout",
)
"""Of the seed's session, for the mailbox of `tests.servers.mail`: message 4 of Drafts is the 35 KB one."""

ANSWERED = re.compile(rb"^\. (?:OK|NO|BAD) [^\n]*\n", re.MULTILINE)
GREETED = re.compile(rb"^(?:\*|\.) OK [^\n]*\n", re.MULTILINE)


class Terminal(Protocol):
    """Something to type into and read from."""

    def send(self, data: bytes) -> None:
        """Type."""
        ...

    def read(self) -> bytes:
        """What has been printed since; nothing at the end."""
        ...


class TcpTerminal:
    """A bare TCP connection, each byte a segment of its own."""

    def __init__(self, port: int, *, pause: float) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.pause = pause

    def send(self, data: bytes) -> None:
        """One byte at a time. The pauses are what is being tested: they keep the segments apart."""
        for byte in data:
            self.socket.sendall(bytes([byte]))
            time.sleep(self.pause)

    def read(self) -> bytes:
        return self.socket.recv(65536)

    def close(self) -> None:
        self.socket.close()


class ProgramTerminal:
    """A program such as telnet, typed into through its standard input. `newline` is what its Enter key sends."""

    def __init__(self, command: Sequence[str], newline: bytes) -> None:
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0
        )
        assert self.process.stdin
        assert self.process.stdout
        self.stdin, self.stdout, self.newline = self.process.stdin, self.process.stdout, newline
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.stdout, selectors.EVENT_READ)

    def send(self, data: bytes) -> None:
        self.stdin.write(data.replace(b"\r\n", self.newline))

    def read(self) -> bytes:
        if not self.selector.select(PATIENCE):
            raise TimeoutError(f"nothing more from {self.process.args}")
        return os.read(self.stdout.fileno(), 65536)

    def close(self) -> None:
        self.selector.close()
        self.stdin.close()
        self.stdout.close()
        if self.process.poll() is None:
            try:
                self.process.wait(2)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)


def type_session(terminal: Terminal, commands: Sequence[str] = SESSION) -> list[bytes]:
    """Type each command when the one before has been answered; what came back for each."""
    _until(terminal, GREETED)
    answers = list[bytes]()
    for command in commands:
        terminal.send(command.encode() + b"\r\n")
        answers.append(_until(terminal, ANSWERED))
    return answers


def _until(terminal: Terminal, pattern: re.Pattern[bytes]) -> bytes:
    seen = b""
    while not pattern.search(seen):
        data = terminal.read()
        if not data:
            raise AssertionError(f"ended before {pattern.pattern!r}: {seen[-500:]!r}")
        seen += data
    return seen
