"""`imaptap record --max-literal` before Dovecot: the client notices nothing, the database has all but the letters."""

from __future__ import annotations

import base64
import hashlib
import imaplib
import sqlite3
import ssl
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from storage import open_store
from tests.end_to_end.test_wire import Mail, call, deflated, record
from tests.servers.mail import noise
from tests.servers.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.dovecot import Dovecot
    from tests.servers.postgresql import PostgreSQL

LIMIT = 100_000
SHORT = b"Subject: short\r\n\r\n" + b"All of this is kept.\r\n" * 3000
LONG = b"Subject: long\r\n\r\n" + base64.encodebytes(noise(900_000, "long")).replace(b"\n", b"\r\n")
assert len(SHORT) < LIMIT < len(LONG)


@pytest.fixture
def box(dovecot: Dovecot) -> Iterator[str]:
    """A mailbox of the test's own."""
    with direct(dovecot) as client:
        client.create("Limits")
    yield "Limits"
    with direct(dovecot) as client:
        client.delete("Limits")


@contextmanager
def logged_in(port: int, ca: Path) -> Iterator[imaplib.IMAP4_SSL]:
    with imaplib.IMAP4_SSL("localhost", port, ssl_context=ssl.create_default_context(cafile=ca)) as client:
        client.login("bob", "secret")
        yield client


def room(folder: Path) -> int:
    """Bytes of a database with nothing in it."""
    file = folder / "empty.db"
    open_store(file, create=True).close()
    return file.stat().st_size


def direct(server: Dovecot) -> Any:
    return logged_in(server.tls_port, server.ca)


def job(client: imaplib.IMAP4_SSL, box: str) -> list[Any]:
    """Put two letters there, and take both again; all that the client was told, but for what counts the letters."""
    appended = [client.append(box, "", "", letter)[0] for letter in (SHORT, LONG)]
    client.select(box)
    _, found = client.uid("SEARCH", "ALL")
    newest = b",".join(found[0].split()[-2:]).decode()
    status, fetched = client.uid("FETCH", newest, "(RFC822.SIZE BODY.PEEK[])")
    letters = [each[1] for each in fetched if isinstance(each, tuple)]
    return [appended, status, letters, len(fetched)]


def left_out(recorder: Recorder, number: int) -> list[tuple[str, int, str, int]]:
    """Side, length, hash and announced length of all that was not kept in a session, exchange by exchange."""
    session = f"{recorder.recording}/{number}"
    exchanges = recorder.session(number)["exchanges"]
    lines = [line for each in exchanges for line in recorder.json("show", f"{session}/{each['exchange']}")["lines"]]
    return [
        (line["direction"], known["length"], known["sha256"], known["literal_length"])
        for line in lines
        for known in line["left_out"]
    ]


def known(side: str, letter: bytes) -> tuple[str, int, str, int]:
    return side, len(letter), hashlib.sha256(letter).hexdigest(), len(letter)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql with workers"])
def test_append_and_fetch(
    dovecot: Dovecot, box: str, tmp_path: Path, request: pytest.FixtureRequest, kind: str
) -> None:
    """The same job, direct and through imaptap, ends the same; both long letters are known by their hash alone."""
    with direct(dovecot) as client:
        expected = job(client, box)
    assert expected[2] == [SHORT, LONG]
    words = ["--max-literal", str(LIMIT), "--upstream-ca", str(dovecot.ca), "--listen", "imaps://127.0.0.1:0"]
    db: str | None = None
    if kind != "sqlite":
        server: PostgreSQL = request.getfixturevalue("postgresql")
        db = server.new_database()
        words += ["--workers", "2"]
    with Recorder(tmp_path / "tap", f"imaps://localhost:{dovecot.tls_port}", *words, db=db) as recorder:
        with logged_in(recorder.port("implicit"), recorder.ca) as client:
            assert job(client, box) == expected
        recorder.ended(1)
        assert left_out(recorder, 1) == [known("client", LONG), known("server", LONG)]
        shown = recorder.run("show", f"{recorder.recording}/1", "--bodies")
        assert shown.count(b"All of this is kept.") == 2 * 3000
        checked = recorder.json("check")
        assert (checked["left_out"], checked["findings"]) == (2, [])
        place = f"{recorder.recording}/1"
        code, stream, said = recorder.reader.run("export", place, "--side", "client", "--db", recorder.db)
        assert (code, stream.endswith(b"{%d}\r\n" % len(LONG))) == (1, True), said
        assert "not kept" in said
    assert db or Path(recorder.db).stat().st_size < room(tmp_path) + 300_000


def test_within_a_compressed_stream(dovecot: Dovecot, box: str, tmp_path: Path) -> None:
    """What counts is the literal as the client says and hears it, not how it is packed."""
    commands = b"x1 APPEND %b {%d+}\r\n%b\r\n" % (box.encode(), len(LONG), LONG)
    commands += b"x2 SELECT %b\r\nx3 FETCH 1 BODY.PEEK[]\r\nx4 LOGOUT\r\n" % box.encode()
    with record(tmp_path, dovecot, "implicit", "auto", "--max-literal", str(LIMIT)) as recorder:
        with closing(call(recorder, "implicit")) as player:
            mail = Mail(player)
            mail.greeting()
            mail.ask("LOGIN bob secret")
            assert " OK " in mail.ask("COMPRESS DEFLATE")
            answer = deflated(player, commands)
        assert LONG in answer
        recorder.ended(1)
        assert left_out(recorder, 1) == [known("client", LONG), known("server", LONG)]
        assert recorder.json("check")["findings"] == []
    with closing(sqlite3.connect(recorder.db)) as database:
        layers = database.execute("SELECT layer FROM piece WHERE left_out IS NOT NULL").fetchall()
    assert layers == [(3,), (3,)], "TLS and DEFLATE"
    assert Path(recorder.db).stat().st_size < room(tmp_path) + 300_000
