"""Marker secrets in every form of login, whole and one byte at a time: found in nothing that imaptap writes."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.servers.dovecot import Dovecot
from tests.servers.hunt import hunt
from tests.servers.line import Line, line_up
from tests.servers.logins import ACCOUNTS, FORMS, ODD_MARKER, PLAIN_MARKER, Attempt
from tests.servers.recorder import Recorder
from tests.servers.scripted import ScriptedServer, dial

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers.certificates import Identity


class Hunted:
    """A recorder before a Dovecot whose accounts have markers for passwords; remembers every secret said to it."""

    def __init__(self, line: Line, server: Dovecot) -> None:
        self.line, self.server = line, server
        self.secrets: set[str] = set()

    def look(self, secrets: set[str]) -> list[tuple[Path, str]]:
        """All files of the recorder's folder: database, WAL, home, logs, ready file, what the commands printed."""
        self.secrets |= secrets
        return hunt([self.line.recorder.folder], secrets)


@pytest.fixture(scope="module")
def hunted(identity: Identity, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hunted]:
    """One recorder for all forms of login. Once it has stopped, everything it left behind is searched again."""
    with Dovecot(users=ACCOUNTS) as server:
        folder = tmp_path_factory.mktemp("secrets") / "tap"
        # With the one option that has anything hashed in place of what was said.
        with line_up(folder, "implicit", server, identity, "--max-literal", "4096") as line:
            prey = Hunted(line, server)
            yield prey
        assert prey.look(prey.secrets) == []


@pytest.mark.parametrize("pause", [None, 0.0003], ids=["whole", "bytewise"])
@pytest.mark.parametrize("form", FORMS)
def test_no_login_leaves_a_trace(hunted: Hunted, form: str, pause: float | None) -> None:
    """The login ends as Dovecot ends it direct; its stream is kept but for the secret; no file holds the secret."""
    login, expected = FORMS[form]
    recorder = hunted.line.recorder
    with closing(dial(recorder.port("plain"), hunted.line.tee.downward)) as player:
        attempt = Attempt(player, pause)
        assert attempt.hear().startswith("* OK")
        assert login(attempt) == expected
        attempt.say("hunt2 LOGOUT")
        while attempt.hear():
            continue
    secrets = {secret for secret in attempt.secrets if len(secret) > 8}
    assert secrets
    [number] = hunted.line.check()
    place = f"{recorder.recording}/{number}"
    printed = {
        "client": recorder.run("export", "--format", "raw", "--side", "client", place),
        "server": recorder.run("export", "--format", "raw", "--side", "server", place),
        "json": recorder.run("show", place, "--json"),
        "text": recorder.run("show", place),
        "ls": recorder.run("ls", recorder.recording),
    }
    for name, data in printed.items():
        (recorder.folder / f"{number}.{name}").write_bytes(data)
    assert b"hunt1 " in printed["client"], "the command is kept, only its secret is not"
    # Dovecot says goodbye at the CR already, so the LF of a LOGOUT typed byte by byte may come too late.
    assert b"hunt2 LOGOUT\r" in printed["client"]
    assert hunted.look(secrets) == []


def test_a_login_cut_short_leaves_no_trace(hunted: Hunted) -> None:
    """The connection ends in the middle of the password."""
    recorder = hunted.line.recorder
    with closing(dial(recorder.port("plain"), hunted.line.tee.downward)) as player:
        attempt = Attempt(player)
        assert attempt.hear().startswith("* OK")
        attempt.say(f"hunt1 LOGIN eve {PLAIN_MARKER}", end="")
    [number] = hunted.line.check()
    assert recorder.session(number)["exchanges"][-1]["status"] is None
    assert hunted.look({PLAIN_MARKER}) == []


ECHO = rf"""
S: * OK ready
C: hunt1 LOGIN eve {PLAIN_MARKER}
S: hunt1 NO eve/{PLAIN_MARKER} is not known here
C: hunt2 LOGIN eve {PLAIN_MARKER}
S: * OK [ALERT] "{PLAIN_MARKER}" is a weak password
S: hunt2 OK done
C: {PLAIN_MARKER} NOOP
S: {PLAIN_MARKER} BAD {PLAIN_MARKER}
C: hunt3 SELECT {PLAIN_MARKER}
S: hunt3 NO no mailbox {PLAIN_MARKER}
"""


def test_a_server_that_repeats_the_password_does_not_give_it_away(identity: Identity, tmp_path: Path) -> None:
    """What was said as a password is hidden later on too, from both sides, as a tag, a name or a text."""
    with (
        ScriptedServer(ECHO + "EOF", identity.server_context(), implicit=True) as server,
        Recorder(
            tmp_path / "tap",
            f"imaps://localhost:{server.port}",
            *("--upstream-ca", str(identity.ca), "--listen", "imap+insecure://127.0.0.1:0"),
        ) as recorder,
    ):
        with closing(dial(recorder.port("plain"), identity.client_context())) as player:
            player.play(ECHO)
        recorder.ended(1)
        place = f"{recorder.recording}/1"
        (recorder.folder / "shown").write_bytes(recorder.run("show", place, "--json"))
        stream = recorder.run("export", "--format", "raw", "--side", "server", place)
        (recorder.folder / "stream").write_bytes(stream)
    assert b"is a weak password" in stream
    assert hunt([tmp_path], [PLAIN_MARKER, ODD_MARKER]) == []
