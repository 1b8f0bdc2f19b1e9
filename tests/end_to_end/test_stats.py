"""`imaptap stats` of what a client did at Dovecot: its numbers are known from the job, not from the recording."""

from __future__ import annotations

import ssl
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from tests.end_to_end.test_wire import Mail, call, record
from tests.servers.scripted import dial

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers.dovecot import Dovecot

LETTER = "Subject: counted\r\n\r\n" + "One line of a letter that is taken twice.\r\n" * 300
BOX = "Counted"


@pytest.fixture
def box(dovecot: Dovecot) -> Iterator[str]:
    """A mailbox of the test's own."""

    def once(command: str) -> None:
        context = ssl.create_default_context(cafile=dovecot.ca)
        with closing(dial(dovecot.tls_port, context, implicit=True)) as player:
            mail = Mail(player)
            mail.greeting()
            mail.ask("LOGIN bob secret")
            assert " OK " in mail.ask(f"{command} {BOX}")

    once("CREATE")
    yield BOX
    once("DELETE")


class Job:
    """A client that counts for itself: commands by name, and bytes of both sides."""

    def __init__(self, mail: Mail) -> None:
        self._mail = mail
        mail.greeting()
        self.before = len(mail.player.heard)
        self.commands: list[str] = []
        self.client_bytes = 0

    def ask(self, name: str, arguments: str = "", *, rest: str = "", behind: bytes = rb"\+ [^\r]*\r\n") -> str:
        """A command; where there is a `rest`, it is sent when the server says `+`. The last of the answer."""
        tag = self.say(name, arguments)
        if rest:
            self._mail.until(behind)
            self._send(f"{rest}\r\n")
        return self.answer(tag)

    def say(self, name: str, arguments: str = "") -> str:
        """A command, not waiting for its answer; its tag."""
        self.commands.append(name)
        text = f"{name} {arguments}".strip()
        tag = self._mail.say(text)
        self.client_bytes += len(f"{tag} {text}\r\n")
        return tag

    def answer(self, tag: str) -> str:
        """All up to its tagged answer."""
        return self._mail.until(rb"(?m)^%s [^\r]*\r\n" % tag.encode())

    def together(self, *names: str) -> None:
        """Several commands in one write, so that all begin before any is answered."""
        tags = [f"p{number}" for number in range(len(names))]
        self.commands += names
        self._send("".join(f"{tag} {name}\r\n" for tag, name in zip(tags, names, strict=True)))
        for tag in tags:
            self.answer(tag)

    def _send(self, text: str) -> None:
        self.client_bytes += len(text)
        self._mail.player.connection.sendall(text.encode())

    @property
    def server_bytes(self) -> int:
        """All that was said behind the greeting."""
        return len(self._mail.player.heard) - self.before


def test_a_job_of_known_size(dovecot: Dovecot, box: str, tmp_path: Path) -> None:
    with record(tmp_path, dovecot, "implicit", "auto") as recorder:
        with closing(call(recorder, "implicit")) as player:
            job = Job(Mail(player))
            job.ask("LOGIN", "bob secret")
            job.ask("SELECT", box)
            assert " OK " in job.ask("APPEND", f"{box} {{{len(LETTER)}}}", rest=LETTER)
            for _ in range(3):
                job.ask("NOOP")
            letters = [job.ask("UID FETCH", "1 BODY.PEEK[]") for _ in range(2)]
            assert " NO " in job.ask("UID COPY", "1 Nowhere")
            job.together("CAPABILITY", "NAMESPACE")
            for _ in range(2):
                job.ask("IDLE", rest="DONE")
            job.ask("LOGOUT")
        recorder.ended(1)
        document = recorder.json("stats", f"{recorder.recording}/1")
        exchanges: list[dict[str, Any]] = recorder.session(1)["exchanges"]
        in_all = recorder.json("stats", recorder.recording, "--by", "session")["all"]
    assert all(LETTER in letter for letter in letters)
    everything = document["all"]
    assert (everything["count"], everything["unfinished"], everything["refused"]) == (len(job.commands), 0, 1)
    assert {each["command"]: each["count"] for each in document["commands"]} == {
        name: job.commands.count(name) for name in job.commands
    }
    assert (everything["client_bytes"], everything["server_bytes"]) == (job.client_bytes, job.server_bytes)
    assert everything["round_trips"] == len(job.commands) + 1 + 2, "a literal, and two IDLEs, had a + each"
    assert everything["repeated"]["count"] == 2 + 1, "NOOP twice, FETCH once"
    assert everything["fetched_again"] == {"letters": 1, "sections": 1, "bytes": len(letters[1])}
    assert everything["in_flight"]["max"] == 2
    assert (everything["idle"]["count"], everything["idle"]["news"]) == (2, 0)
    assert everything["idle"]["longest_gap_ms"] > 0
    assert everything["latency"]["count"] == len(job.commands) - 2
    times = sorted((each["ms"] for each in exchanges if each["command"] != "IDLE"), reverse=True)
    assert [each["ms"] for each in document["slowest"]] == times[:10]
    assert everything["latency"]["max_ms"] == times[0]
    parts = dict(everything["time_ms"])
    assert parts.pop("total") == pytest.approx(sum(parts.values()))
    assert parts["server"] <= everything["waited_ms"]
    assert in_all == everything
