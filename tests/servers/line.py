"""A whole line-up for one upstream TLS mode: server, tee, recorder with all three kinds of listener."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from tests.servers.recorder import EVERY_LISTENER, SCHEMES, Recorder
from tests.servers.streams import unmatched
from tests.servers.tee import Mode, Tee

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers.certificates import Identity

MODES: tuple[Mode, ...] = ("implicit", "starttls", "plain")


class Server(Protocol):
    """What is asked of a server: Dovecot of the tests, or one of the wider testbed."""

    plain_port: int
    tls_port: int
    ca: Path


class Line:
    """A recorder that dials a tee that dials a server."""

    def __init__(self, recorder: Recorder, tee: Tee) -> None:
        self.recorder, self.tee = recorder, tee
        self.checked = 0

    def new_sessions(self) -> list[int]:
        """Numbers of the sessions since the last look, once they and the tee's connections have all ended."""
        wires = self.tee.finished(self.checked + 1)
        sessions = self.recorder.ended(len(wires))
        return [entry["session"] for entry in sessions[self.checked :]]

    def check(self) -> list[int]:
        """The sessions since the last look hold what the server saw; their numbers."""
        numbers = self.new_sessions()
        wires = self.tee.wires[self.checked :]
        self.checked = len(self.tee.wires)
        problems = unmatched([self.recorder.stored(number) for number in numbers], wires)
        assert not problems, "\n".join(problems)
        return numbers


@contextmanager
def line_up(
    folder: Path,
    upstream: Mode,
    server: Server,
    identity: Identity,
    *words: str,
    db: str | None = None,
    code: int = 0,
    cold: bool = False,
) -> Iterator[Line]:
    """Start the tee and the recorder in front of a running server; `code` is how the recorder shall end.

    `cold`: as in `Recorder`.
    """
    port = server.tls_port if upstream == "implicit" else server.plain_port
    with Tee(upstream, port, server.ca, identity) as tee:
        listeners = [word for url in EVERY_LISTENER for word in ("--listen", url)]
        url = f"{SCHEMES[upstream]}://localhost:{tee.port}"
        trust = ("--upstream-ca", str(identity.ca))
        with Recorder(folder, url, *trust, *listeners, *words, db=db, code=code, cold=cold) as recorder:
            yield Line(recorder, tee)
