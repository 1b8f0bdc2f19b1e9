"""A client that comes, looks and goes, many times a second, beside the crowd: what leaks a little shows soon."""

from __future__ import annotations

import ssl
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING

from tests.servers.attacks import Session, Target
from tests.servers.background import Background

if TYPE_CHECKING:
    from tests.servers.recorder import Recorder
    from tests.servers.tee import Mode

PAUSE = 0.05
"""Seconds between two visits."""


class Ticker(Background):
    """It has an account of its own, and gets the same letters each time."""

    ACCOUNT = "soak99"

    def __init__(self, recorder: Recorder, mode: Mode) -> None:
        super().__init__(f"ticker {mode}", PAUSE)
        trust = ssl.create_default_context(cafile=recorder.ca)
        self.target = Target(recorder.port("plain"), recorder.port("implicit"), trust)
        self.mode = mode
        self.letters = b""
        self.visits = 0
        self.failures: list[tuple[float, float, str]] = []
        """From and to (time.monotonic), and what went wrong."""
        self.door = threading.Lock()
        """Who holds it keeps it from coming."""

    def visit(self) -> None:
        """One session: a login, a letter, a goodbye. Raises OSError."""
        session = Session(self.target.dial(tls=self.mode == "implicit"))
        with closing(session):
            session.until(b"\n")
            session.ask(b"a LOGIN %s secret\r\nb EXAMINE INBOX\r\n" % self.ACCOUNT.encode(), b"b OK")
            session.sock.sendall(b"c FETCH 1:3 BODY.PEEK[]\r\n")
            answer = b""
            while b"\r\nc OK" not in answer:
                answer += (data := session.sock.recv(65536))
                if not data:
                    raise ConnectionError("ended before its letters had come")
            answer = answer[answer.index(b"* 1 FETCH") : answer.index(b"\r\nc OK")]
            if answer != (self.letters or answer):
                raise OSError("these are not the letters that came before")
            self.letters = answer
            session.ask(b"d LOGOUT\r\n", b"d OK")

    def again(self) -> None:
        """One more visit, which may fail."""
        began = time.monotonic()
        try:
            with self.door:
                self.visit()
            self.visits += 1
        except (OSError, ValueError) as error:
            self.failures.append((began, time.monotonic(), repr(error)))
