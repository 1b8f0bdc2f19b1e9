"""A client that fetches one letter after the other and knows every byte, and the server it fetches them from."""

from __future__ import annotations

import asyncio
import select
import socket
import ssl
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

from tests.servers.busy import PASSWORD, Upstream, letter
from tests.servers.wait import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

GREETING = b"* OK [CAPABILITY IMAP4rev1 LITERAL+] ready\r\n"
BYE = b"* BYE imaptap: "
_LOGIN = b"l LOGIN bob {13+}\r\n%s\r\n" % PASSWORD
_SHORT = 10_000


@contextmanager
def letters() -> Iterator[int]:
    """A server of letters in a thread of its own; its port."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="letters")
    thread.start()
    server = Upstream()
    try:
        asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result(PATIENCE)
        yield server.port
        asyncio.run_coroutine_threadsafe(server.__aexit__(), loop).result(PATIENCE)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


class Steady:
    """`with Steady(port, ca) as client:` connects; with TLS, unless there is no `ca` to trust.

    Whatever does not come as it was sent is an error.
    """

    def __init__(self, port: int, ca: Path | None) -> None:
        self.sent = bytearray()
        self.received = bytearray()
        """What was said so far, both ways."""
        self.finished = 0
        """Exchanges that have come to their end."""
        self.torn = False
        """Whether the session ended in the middle of an answer."""
        raw = socket.create_connection(("127.0.0.1", port), timeout=4 * PATIENCE)
        trust = ssl.create_default_context(cafile=ca) if ca else None
        self._socket = trust.wrap_socket(raw, server_hostname="localhost") if trust else raw
        self._letter = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def logged_in(self) -> Self:
        """Wait for the greeting and log in."""
        self._expect(GREETING)
        self._socket.sendall(_LOGIN)
        self.sent += _LOGIN.replace(PASSWORD, b"x" * len(PASSWORD))
        self._expect(b"l OK LOGIN completed\r\n")
        return self

    def fetch(self) -> bool:
        """One letter. True, so that it can be done until something else is true as well."""
        self.ask()
        self.answered()
        return True

    def ask(self) -> None:
        """Ask for the next letter that is not long."""
        self._letter += 1
        while len(letter(self._letter)) > _SHORT:
            self._letter += 1
        self._say(b"%s FETCH %d BODY[]\r\n" % (self._tag, self._letter))

    def answered(self) -> None:
        """Have it, and exactly it: two responses, between which imaptap may end the session."""
        body = letter(self._letter)
        head = b"* %d FETCH (BODY[] {%d}\r\n" % (self._letter, len(body))
        self._expect(head + body + b")\r\n")
        self._expect(self._tag + b" OK FETCH completed\r\n")
        self.finished += 1

    def logout(self) -> None:
        """Say goodbye; the server does too, and closes."""
        self._say(self._tag + b" LOGOUT\r\n")
        self._expect(b"* BYE see you\r\n" + self._tag + b" OK LOGOUT completed\r\n")
        assert self.rest() == b""

    def fetch_until(self, enough: Callable[[], bool]) -> bytes:
        """Fetch until it is enough, or imaptap ends the session; what it said last, if it said anything."""
        try:
            while not enough():
                self.fetch()
        except EndedError as ended:
            return ended.heard
        except OSError:
            pass
        return b""

    @property
    def hears_something(self) -> bool:
        """Whether something has come that was not asked for yet; without TLS."""
        return bool(select.select([self._socket], [], [], 0)[0])

    def rest(self) -> bytes:
        """All that still comes, up to the end."""
        data = bytearray()
        while part := self._socket.recv(65536):
            data += part
        return bytes(data)

    @property
    def _tag(self) -> bytes:
        return b"t%d" % self.finished

    def _say(self, data: bytes) -> None:
        self._socket.sendall(data)
        self.sent += data

    def _expect(self, data: bytes) -> None:
        heard = bytearray()
        while len(heard) < len(data):
            part = self._socket.recv(len(data) - len(heard))
            heard += part
            if not part:
                self.received += heard
                self.torn = bool(heard)
                raise EndedError(b"")
            if bytes(heard) != data[: len(heard)]:
                assert heard.startswith(BYE[: len(heard)]), f"not what the server said: {bytes(heard[-200:])!r}"
                raise EndedError(bytes(heard) + self.rest())
        self.received += heard


class EndedError(Exception):
    """The session was ended while an answer was due: `heard` came in its place, or nothing of the rest of it."""

    def __init__(self, heard: bytes) -> None:
        super().__init__(f"ended with {heard!r}")
        self.heard = heard
