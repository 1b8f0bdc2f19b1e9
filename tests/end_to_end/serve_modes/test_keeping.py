"""`imaptap serve --mode` before a real Dovecot: what of it is kept, and where."""

from __future__ import annotations

import imaplib
import json
import re
import shutil
import signal
import ssl
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.serve_modes.bob import PASSWORD, SUBJECTS, client, known, new, run, upstream
from tests.servers.hunt import hunt
from tests.servers.served import Served
from tests.servers.wait import until

if TYPE_CHECKING:
    from tests.servers.dovecot import Dovecot


def test_once_records_and_then_serves(tmp_path: Path, cassette: Path) -> None:
    """The second time nobody needs the server, or its address; the file stays as it was."""
    before = cassette.read_bytes()
    with Served(tmp_path / "s", str(cassette), "--mode", "once", "--strict") as served, client(served, "any") as imap:
        known(imap)
    assert cassette.read_bytes() == before
    assert cassette.stat().st_mode & 0o777 == 0o600
    assert hunt([tmp_path], [PASSWORD]) == []


def test_new_asks_and_adds_and_none_serves_it_then(tmp_path: Path, cassette: Path, mail: Dovecot) -> None:
    """What was there stays as it is, to the byte; the new session stands behind it."""
    before = cassette.read_bytes()
    with Served(tmp_path / "new", str(cassette), "--mode", "new", *upstream(mail)) as served:
        with client(served) as imap:
            known(imap)
        with client(served) as imap:
            known(imap)
            found = new(imap)
    assert served.report()["missed"] == []
    assert served.report()["asked_upstream"] == [{"connection": 2, "command": f"FETCH 1:2 {SUBJECTS}"}]
    assert "1 session asked imaps:" in served.log()
    after = cassette.read_bytes()
    assert after.startswith(before)
    assert after.count(b"\nsession ") == before.count(b"\nsession ") + 1
    mail.kill()
    try:
        with Served(tmp_path / "none", str(cassette), "--strict") as served:
            for _ in range(2):
                with client(served, "any") as imap:
                    known(imap)
                    assert new(imap) == found
    finally:
        mail.restart()
    assert hunt([tmp_path], [PASSWORD]) == []


def test_new_adds_to_a_recording_of_the_database(tmp_path: Path, mail: Dovecot) -> None:
    """As to a cassette; a run in which nothing is new leaves nothing behind."""
    words = ("jobs", "--db", str(tmp_path / "t.db"), "--mode", "new", *upstream(mail))
    for steps, sessions in (((known,), 1), ((known,), 1), ((known, new), 2), ((known, new), 2)):
        with Served(tmp_path / "s", *words) as served, client(served) as imap:
            for each in steps:
                each(imap)
        listed = run(tmp_path / "s", "ls", "--db", str(tmp_path / "t.db"))
        assert listed.count("jobs") == 1, listed
        shown = run(tmp_path / "s", "ls", "jobs", "--json", "--db", str(tmp_path / "t.db"))
        assert shown.count('"ending"') == sessions, shown
        assert run(tmp_path / "s", "check", "--db", str(tmp_path / "t.db"))
    assert "asked upstream" in run(tmp_path / "s", "show", "jobs/2", "--json", "--db", str(tmp_path / "t.db"))
    assert hunt([tmp_path], [PASSWORD]) == []


LETTERS = "canary-letter"


def letters(imap: imaplib.IMAP4) -> None:
    """Ask for what is private."""
    assert imap.select("Kept")[0] == "OK"
    status, found = imap.fetch("1", "(BODY.PEEK[] BODY.PEEK[TEXT])")
    assert status == "OK"
    assert str(found).count(LETTERS) == 2


@pytest.mark.parametrize("place", ["bob.cassette", "jobs"])
@pytest.mark.parametrize("policy", ["full", "headers", "none", "hash"])
def test_letters_that_are_not_kept(tmp_path: Path, mail: Dovecot, place: str, policy: str) -> None:
    """`new` records all of it first, and then adds to it: no word of a letter is in any file."""
    name = str(tmp_path / place) if "." in place else place
    words = (name, "--mode", "new", "--db", str(tmp_path / "t.db"), "--bodies", policy, *upstream(mail))
    with direct(mail) as imap:
        assert imap.create("Kept")[0] == "OK"
        letter = f"Subject: canary-subject\r\n\r\n{LETTERS}\r\n".encode()
        assert imap.append("Kept", "", "", letter)[0] == "OK"
    for steps in ((known,), (known, letters)):
        with Served(tmp_path / "s", *words) as served, client(served) as imap:
            for each in steps:
                each(imap)
    files = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert any(b"BODY.PEEK[TEXT]" in content for content in files)
    assert any(LETTERS.encode() in content for content in files) == (policy == "full")
    assert any(b"canary-subject" in content for content in files) == (policy in {"full", "headers"})


def direct(server: Dovecot) -> imaplib.IMAP4_SSL:
    """Bob at his server itself."""
    trust = ssl.create_default_context(cafile=str(server.ca))
    imap = imaplib.IMAP4_SSL("localhost", server.tls_port, ssl_context=trust, timeout=20)
    imap.login("bob", PASSWORD)
    return imap


def test_new_that_is_killed_leaves_what_was_there(tmp_path: Path, mail: Dovecot) -> None:
    """And what was said until then beside it."""
    db = str(tmp_path / "t.db")
    words = ("jobs", "--db", db, "--mode", "new", *upstream(mail))
    with Served(tmp_path / "s", *words) as served, client(served) as imap:
        known(imap)
    before = run(tmp_path / "s", "show", "jobs", "--db", db)
    with Served(tmp_path / "s", *words, code=-9) as served:
        with client(served) as imap:
            known(imap)
            new(imap)
        until(lambda: "SEARCH SEEN" in run(tmp_path / "s", "show", "jobs-new", "--db", db), "it to be recorded")
        served.process.send_signal(signal.SIGKILL)
        served.process.wait()
    assert run(tmp_path / "s", "show", "jobs", "--db", db) == before
    with Served(tmp_path / "s", *words) as served, client(served) as imap:
        known(imap)
    assert run(tmp_path / "s", "ls", "--db", db).count("jobs-new") == 1


def test_new_does_not_add_to_what_would_be_wrong_then(tmp_path: Path, cassette: Path, mail: Dovecot) -> None:
    """Somebody has put another session where the new one would stand."""
    with Served(tmp_path / "s", str(cassette), "--mode", "new", *upstream(mail), code=2) as served:
        with client(served) as imap:
            known(imap)
            new(imap)
        with cassette.open("a") as file:
            file.write("session\nS: * PREAUTH by hand\n")
        changed = cassette.read_bytes()
    assert "session 2 comes behind session 2" in served.log()
    assert len(served.report()["asked_upstream"]) == 1
    assert cassette.read_bytes() == changed
    assert list(tmp_path.glob(".*")) == []
    beside = tmp_path / "bob-new.cassette"
    assert f"What it should be now is in {beside}." in served.log()
    assert "SEARCH SEEN" in beside.read_text()


def test_spy_asks_and_keeps_nothing(tmp_path: Path, cassette: Path, mail: Dovecot) -> None:
    """The client hears what the server says."""
    before = cassette.read_bytes()
    with Served(tmp_path / "s", str(cassette), "--mode", "spy", *upstream(mail)) as served, client(served) as imap:
        known(imap)
        new(imap)
    assert cassette.read_bytes() == before
    assert list(tmp_path.glob(".*")) == []


def test_spy_keeps_nothing_in_the_database_that_it_serves_from(tmp_path: Path, mail: Dovecot) -> None:
    """Though with the other modes --db is where the run is recorded, too."""
    words = ("jobs", "--db", str(tmp_path / "t.db"), *upstream(mail))
    for mode, steps in (("once", (known,)), ("spy", (known, new))):
        with Served(tmp_path / "s", *words, "--mode", mode) as served, client(served) as imap:
            for each in steps:
                each(imap)
    listed = run(tmp_path / "s", "ls", "--db", str(tmp_path / "t.db"), "--json")
    assert listed.count('"recording":') == 1, listed


def test_all_records_anew(tmp_path: Path, cassette: Path, mail: Dovecot) -> None:
    """In the place of what was there."""
    with Served(tmp_path / "all", str(cassette), "--mode", "all", *upstream(mail)) as served, client(served) as imap:
        new_mailbox = imap.select("Empty")
        assert new_mailbox == ("OK", [b"0"])
    text = cassette.read_text()
    assert "SELECT Empty" in text
    assert "EXAMINE Drafts" not in text


def test_all_replaces_nothing_by_half_a_recording(tmp_path: Path, cassette: Path, mail: Dovecot) -> None:
    """The server was away, or nobody came: the exit code says so, and what was there is there."""
    before = cassette.read_bytes()
    with Served(tmp_path / "a", str(cassette), "--mode", "all", *upstream(mail), code=1):
        pass
    words = ("--upstream", "imaps://localhost:1", "--upstream-ca", str(mail.ca))
    with (
        Served(tmp_path / "b", str(cassette), "--mode", "all", *words, code=1) as served,
        pytest.raises((imaplib.IMAP4.error, OSError)),
        client(served),
    ):
        pass
    assert "was not written" in served.log()
    with Served(tmp_path / "c", str(cassette), "--mode", "all", *upstream(mail), code=-9) as served:
        with client(served) as imap:
            known(imap)
        served.process.send_signal(signal.SIGKILL)
        served.process.wait()
    assert cassette.read_bytes() == before


def test_all_keeps_what_is_half_a_recording_beside_the_old_one(tmp_path: Path, cassette: Path, mail: Dovecot) -> None:
    """The server went away: what it had said is worth something, too."""
    before = cassette.read_bytes()
    try:
        with Served(tmp_path / "s", str(cassette), "--mode", "all", *upstream(mail), code=1) as served:
            with client(served) as imap:
                imap.select("Empty")
            mail.kill()
            with pytest.raises((imaplib.IMAP4.error, OSError)), client(served):
                pass
    finally:
        mail.restart()
    assert cassette.read_bytes() == before
    beside = tmp_path / "bob-new.cassette"
    assert "SELECT Empty" in beside.read_text()
    assert f"so this run is {beside}, and not {cassette}" in served.log()


def test_a_cassette_that_cannot_be_written_is_not_lost(tmp_path: Path, mail: Dovecot) -> None:
    """Something else has taken its place meanwhile."""
    file = tmp_path / "bob.cassette"
    with Served(tmp_path / "s", str(file), "--mode", "once", *upstream(mail), code=2) as served:
        with client(served) as imap:
            imap.select("Empty")
        file.mkdir()
    found = re.search(r"What was recorded is in (\S+)\.\n", served.log())
    assert found, served.log()
    db = Path(found[1])
    try:
        run(tmp_path / "s", "export", "last", "--db", str(db), "--format", "cassette", "-o", str(tmp_path / "c"))
    finally:
        shutil.rmtree(db.parent)
    assert "SELECT Empty" in (tmp_path / "c").read_text()


def test_the_ready_file_names_no_database_that_goes_away(tmp_path: Path, mail: Dovecot) -> None:
    """Into a cassette nothing is recorded before the end; of a recording it says which."""
    file, db = tmp_path / "bob.cassette", str(tmp_path / "t.db")
    for address, words, known_there in (
        (str(file), ("--mode", "once"), (None, None)),
        (str(file), ("--mode", "new"), (None, None)),
        ("bob", ("--mode", "once", "--db", db), (1, db)),
    ):
        with Served(tmp_path / "s", address, *words, *upstream(mail)) as served, client(served):
            ready = json.loads((tmp_path / "s" / "ready.json").read_text())
        assert (ready["recording"], ready["db"]) == known_there, words


def test_all_replaces_a_recording_of_the_database(tmp_path: Path, mail: Dovecot) -> None:
    """There is always one of its name, and only one."""
    db = str(tmp_path / "t.db")
    for mailbox in ("Drafts", "Empty"):
        words = ("jobs", "--db", db, "--mode", "all", *upstream(mail))
        with Served(tmp_path / "s", *words) as served, client(served) as imap:
            imap.select(mailbox)
        shown = run(tmp_path / "s", "show", "jobs/1", "--db", db)
        assert f"SELECT {mailbox}" in shown
    assert run(tmp_path / "s", "ls", "--db", db).count("jobs") == 1
