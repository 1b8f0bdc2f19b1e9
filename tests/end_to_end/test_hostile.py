"""Every attack of `tests.servers.attacks` on an installed imaptap: nobody else notices, and the record has its reason.

What each costs others in time is for `bench/bystander.py`: here a client that asks and asks must get every answer.
"""

from __future__ import annotations

import re
import ssl
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.servers.attacks import ATTACKS, Target, VillainServer
from tests.servers.bystander import Bystander
from tests.servers.recorder import Recorder
from tests.servers.wait import until

if TYPE_CHECKING:
    from collections.abc import Iterator

MEMORY_MOST = 256
"""MiB that the recorder may have had at most, after all of them."""
NAME = "bystander.test"

GONE = r"closed by client: (end of stream|connection reset by peer|broken pipe|connection closed)"
NO_TLS = r"failed: A client at the TLS port \d+ (did not begin a TLS handshake|began without TLS)\."
LEFT = r"closed by server: (end of stream|connection reset by peer|broken pipe|connection closed)"


@dataclass(frozen=True)
class Trace:
    """What an attack leaves: how many sessions, how each ends, an event or a mark that one of them has."""

    sessions: int
    ending: str = GONE
    says: str = ""


TRACES = {
    "clients that send nothing": Trace(100, f"{GONE}|{NO_TLS}"),
    "clients with half a ClientHello": Trace(100, NO_TLS),
    "a client that sends byte by byte": Trace(1),
    "a client that never reads": Trace(1),
    "an endless line": Trace(1),
    "an endless tag": Trace(1, f"{GONE}|{LEFT}"),
    "tiny pipelined commands": Trace(1),
    "lines of two bytes": Trace(1),
    "a literal of 2^63-1 bytes": Trace(1, f"{GONE}|{LEFT}"),
    "10^6 nested parentheses": Trace(1),
    "nonsense": Trace(2, f"{GONE}|{LEFT}"),
    "TLS garbage": Trace(30, NO_TLS),
    "TLS on the plain port": Trace(1, r"failed: The client speaks TLS where IMAP in clear was expected\."),
    "a connection flood": Trace(300, f"{GONE}|{NO_TLS}"),
    "many connections at once": Trace(300),
    "a deflate bomb": Trace(1, says="security deflate bomb"),
    "a deflate bomb of lines": Trace(1, says="security deflate bomb"),
    "a deflate bomb of the server's": Trace(1, LEFT, "security deflate bomb"),
    "a server that talks": Trace(1),
    "a server's endless line": Trace(1),
    "a server's 10^6 nested parentheses": Trace(1),
    "a server's nonsense": Trace(1, says="fault out of sync"),
    "a server that sends byte by byte": Trace(1),
    "a server with terminal escapes": Trace(1),
    "a server's literal that lies": Trace(1),
    "a server that is mute": Trace(1),
    "a server that never reads": Trace(0),
    "a server that resets": Trace(1, LEFT),
}
"""A server that never reads keeps its session for as long as it stays (docs/reliability.md)."""


@dataclass
class Scene:
    """A recorder, the villain behind it, and the client that has nothing to do with all of this."""

    recorder: Recorder
    target: Target
    bystander: Bystander
    known: int = 0
    """The newest session that belongs to what went before."""

    def new(self) -> list[dict[str, Any]]:
        """Sessions of this attack."""
        return [entry for entry in self.recorder.sessions() if entry["session"] > self.known]

    def ended(self, count: int) -> list[dict[str, Any]]:
        """All of them, once they have ended."""

        def probe() -> list[dict[str, Any]]:
            found = self.new()
            return found if len(found) >= count and all(entry["ending"] for entry in found) else []

        return until(probe, f"{count} sessions to be there and ended", explain=self.recorder.log) if count else []

    def memory(self) -> int:
        """MiB that the recorder has had at most."""
        status = Path(f"/proc/{self.recorder.process.pid}/status").read_text()
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        assert found
        return int(found[1]) // 1024


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory, soak: bool) -> Iterator[Scene]:
    """One recorder for all attacks, so that each of them meets what the others have left.

    The bystander has a server of its own: the villain is not a good one for anybody else either.
    """
    folder = tmp_path_factory.mktemp("hostile")
    listen = ("--listen", "imap+insecure://127.0.0.1:0", "--listen", "imaps://127.0.0.1:0")
    with ExitStack() as stack:
        villain, server = (stack.enter_context(VillainServer()) for _ in range(2))
        route = ("--route", f"{NAME}=imap+insecure://localhost:{server.port}")
        recorder = stack.enter_context(
            Recorder(folder, f"imap+insecure://localhost:{villain.port}", *listen, *route, cold=True)
        )
        context = ssl.create_default_context(cafile=recorder.ca)
        target = Target(recorder.port("plain"), recorder.port("implicit"), context, scale=16 if soak else 1)
        bystander = stack.enter_context(Bystander(recorder.port("implicit"), str(recorder.ca), NAME))
        until(recorder.sessions, "the bystander's session to be there", explain=recorder.log)
        yield Scene(recorder, target, bystander)


def test_every_attack_is_looked_for() -> None:
    assert list(TRACES) == list(ATTACKS)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack(scene: Scene, name: str) -> None:
    """The bystander is answered all the time, memory is bounded, and each session has its end and its reason."""
    scene.known = max(entry["session"] for entry in scene.recorder.sessions())
    trace = TRACES[name]
    scene.bystander.fared()
    ATTACKS[name](scene.target)
    assert scene.bystander.fared()
    scene.target.release()
    sessions = scene.ended(trace.sessions)
    assert len(sessions) == trace.sessions
    for entry in sessions:
        assert re.fullmatch(trace.ending, f"{entry['ending']}: {entry['reason']}"), entry
    if trace.says:
        events = scene.recorder.session(sessions[-1]["session"])["events"]
        assert trace.says in [f"{event['kind']} {event['name']}" for event in events]
    assert scene.bystander.fared()
    assert scene.memory() < MEMORY_MOST


def test_what_was_recorded_is_whole(scene: Scene) -> None:
    """`imaptap check` finds nothing wrong with any of these sessions, and nothing was said for a terminal to obey."""
    scene.recorder.run("check")
    printed = scene.recorder.log()
    assert "Traceback" not in printed
    assert "report this" not in printed
    assert "\x1b" not in printed
