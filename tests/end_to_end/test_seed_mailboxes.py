"""A reader recorded at a Dovecot, replayed at empty servers of all kinds: what was there is there again."""

from __future__ import annotations

import imaplib
import json
import re
import ssl
from typing import TYPE_CHECKING, Any

import pytest

from tests.servers.courier import Courier
from tests.servers.dovecot import Dovecot
from tests.servers.mail import mailbox, write_maildir, write_old_mail
from tests.servers.pymap import Pymap
from tests.servers.reader import Reader
from tests.servers.recorder import Recorder, environment

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers.cyrus import Cyrus

MAIL = {name: messages for name, messages in mailbox().items() if messages}
RECENT = re.compile(r" ?\\Recent")
NEW = b"Subject: new\r\n\r\nNew.\r\n"
TOTAL = sum(map(len, MAIL.values()))


class Seeder:
    """A recording, and the installed `imaptap replay --seed-mailboxes`."""

    def __init__(self, recorder: Recorder, reader: Reader, folder: Path, facts: dict[str, list[str]]) -> None:
        self.recorder, self.reader, self.facts = recorder, reader, facts
        self.password = folder / "password"
        self.password.write_text("secret\n")
        self.password.chmod(0o600)

    def __call__(self, url: str, ca: Path, *words: str, reading: bool = False) -> tuple[int, Any, str]:
        """Exit code, summary, and what was complained of. `reading`: only the session that changes nothing."""
        secret = ("--password-file", str(self.password), "--upstream-ca", str(ca))
        code, stdout, output = self.run(
            "--to", url, *secret, "--json", "--write", *words, session="/1" if reading else ""
        )
        said = stdout.decode()
        return code, json.loads(said) if said else None, output.replace(said, "") if said else output

    def run(self, *words: str, session: str = "") -> tuple[int, bytes, str]:
        """`imaptap replay RECORDING --seed-mailboxes WORDS`."""
        return self.reader.run("replay", self.recorder.recording + session, "--seed-mailboxes", *words)


def read(client: imaplib.IMAP4) -> None:
    """Every message of every mailbox."""
    client.login("bob", "secret")
    client.list()
    client.lsub()
    for name in MAIL:
        client.select(f'"{name}"')
        client.uid("FETCH", "1:*", "(FLAGS INTERNALDATE RFC822.SIZE)")
        client.uid("FETCH", "1:*", "(BODY.PEEK[])")
    client.logout()


def change(client: imaplib.IMAP4) -> None:
    """One more comes, one goes, one is read."""
    client.login("bob", "secret")
    client.append("Drafts", "", None, NEW)
    client.select("Drafts")
    client.uid("STORE", "2", "+FLAGS", "(\\Seen \\Deleted)")
    client.expunge()
    client.logout()


@pytest.fixture(scope="module")
def seeder(tmp_path_factory: pytest.TempPathFactory) -> Seeder:
    folder = tmp_path_factory.mktemp("seeder")
    with Dovecot(seed=write_old_mail) as server:
        upstream = f"imaps://localhost:{server.tls_port}"
        listen = ("--listen", "imaps://127.0.0.1:0")
        with Recorder(folder / "record", upstream, "--upstream-ca", str(server.ca), *listen) as recorder:
            context = ssl.create_default_context(cafile=recorder.ca)
            before = facts(plain(server.plain_port))
            for session in (read, change):
                session(imaplib.IMAP4_SSL("localhost", recorder.port("implicit"), ssl_context=context))
    env = {**environment(folder / "home"), "IMAPTAP_DB": recorder.db}
    return Seeder(recorder, Reader(env), folder, before)


def names(form: str) -> dict[str, str]:
    """What the recorded mailboxes are called there: `form` has a place for a name, and says what stands for "/"."""
    before, between = form.split("|")
    return {name: before + name.replace("/", between) for name in MAIL}


def kept(client: imaplib.IMAP4, there: dict[str, str]) -> dict[str, list[bytes]]:
    """All letters that a server has, by the recorded names of their mailboxes."""
    found: dict[str, list[bytes]] = {}
    with client:
        if client.state == "NONAUTH":
            client.login("bob", "secret")
        for here, name in there.items():
            assert client.select(f'"{name}"', readonly=True)[0] == "OK", name
            parts = client.fetch("1:*", "(BODY.PEEK[])")[1]
            found[here] = [part[1] for part in parts if isinstance(part, tuple)]
    return found


def facts(client: imaplib.IMAP4) -> dict[str, list[str]]:
    """What a server says of its messages beside their bodies."""
    found: dict[str, list[str]] = {}
    with client:
        client.login("bob", "secret")
        for name in MAIL:
            client.select(f'"{name}"', readonly=True)
            lines = client.fetch("1:*", "(FLAGS INTERNALDATE RFC822.SIZE)")[1]
            found[name] = [RECENT.sub("", line.decode()) for line in lines if isinstance(line, bytes)]
    return found


def letters() -> dict[str, list[bytes]]:
    """What there is after the run: the second draft has gone, and a new one has come."""
    found = {name: [message.data for message in messages] for name, messages in MAIL.items()}
    del found["Drafts"][1]
    found["Drafts"].append(NEW)
    return found


def plain(port: int) -> imaplib.IMAP4:
    """A connection to look through."""
    return imaplib.IMAP4("localhost", port)


def bare_dovecot(extra: str = "") -> Dovecot:
    """One without any mail."""
    return Dovecot(seed=lambda _, root: write_maildir(root, {"INBOX": []}), extra=extra)


DOTS = "namespace inbox {\n  separator = .\n  prefix = INBOX.\n}"


@pytest.mark.parametrize(("extra", "form"), [("", "|/"), (DOTS, "INBOX.|.")], ids=["alike", "other names"])
def test_a_dovecot(extra: str, form: str, seeder: Seeder) -> None:
    with bare_dovecot(extra) as server:
        code, summary, complaints = seeder(f"imaps://localhost:{server.tls_port}", server.ca)
        assert (code, complaints) == (0, "")
        assert all(mailbox["whole"] for mailbox in summary["seeded"])
        assert sum(mailbox["appended"] for mailbox in summary["seeded"]) == TOTAL
        there = names(form) | {"INBOX": "INBOX"}
        assert kept(plain(server.plain_port), there) == letters()


def test_flags_and_dates(seeder: Seeder) -> None:
    with bare_dovecot() as server:
        seeder(f"imaps://localhost:{server.tls_port}", server.ca, reading=True)
        assert facts(plain(server.plain_port)) == seeder.facts
        assert "(FLAGS (\\Draft) INTERNALDATE " in seeder.facts["Drafts"][-1]
        assert len({line.split('"')[1] for line in seeder.facts["INBOX"]}) == len(MAIL["INBOX"])


def test_cyrus(cyrus: Cyrus, seeder: Seeder) -> None:
    code, summary, complaints = seeder(f"imaps://localhost:{cyrus.tls_port}", cyrus.ca)
    assert (complaints, summary["other_status"]) == ("", [])
    assert all(mailbox["whole"] for mailbox in summary["seeded"])
    assert kept(plain(cyrus.plain_port), names("|/")) == letters()
    assert code == 0, summary["reasons"]


def test_pymap(pymap: Pymap, seeder: Seeder) -> None:
    _, summary, _ = seeder(f"imap://localhost:{pymap.plain_port}", pymap.ca)
    assert [mailbox["appended"] for mailbox in summary["seeded"]] == [len(MAIL["INBOX"]), 5, 4, 0]
    assert kept(plain(pymap.plain_port), names("|/")) == letters()


def test_courier_below_a_scratch_name(seeder: Seeder) -> None:
    with Courier() as server:
        url = f"imaps://localhost:{server.tls_port}"
        _, summary, _ = seeder(url, server.ca, "--scratch", "INBOX.scratch")
        assert [mailbox["there"] for mailbox in summary["seeded"]][:2] == [
            "INBOX.scratch.INBOX",
            "INBOX.scratch.Archive.2024 notes",
        ]
        assert kept(plain(server.plain_port), names("INBOX.scratch.|.")) == letters()


def test_courier_has_all_mailboxes_below_inbox(seeder: Seeder) -> None:
    """Nobody logs in there, and what is told of names without that is on record, for comparisons."""
    with Courier() as server:
        url = f"imaps://localhost:{server.tls_port}"
        _, summary, complaints = seeder(url, server.ca, "--name", "courier", reading=True)
        assert complaints == ""
        assert [mailbox["there"] for mailbox in summary["seeded"]][:2] == ["INBOX", "INBOX.Archive.2024 notes"]
        assert all(mailbox["whole"] for mailbox in summary["seeded"])
    told = json.loads(seeder.reader.run("diff", f"{seeder.recorder.recording}/1", "courier", "--format", "json")[1])
    exchanges = [exchange for session in told["sessions"] for exchange in session["exchanges"]]
    kinds = {
        (exchange["left"]["command"].split()[0], each["kind"])
        for exchange in exchanges
        for each in exchange["differences"]
        if exchange["left"]
    }
    assert not kinds & {("LIST", "missing"), ("LIST", "extra")}


def test_what_is_there_is_not_appended_twice_and_other_messages_end_it(seeder: Seeder) -> None:
    with bare_dovecot() as server:
        url = f"imaps://localhost:{server.tls_port}"
        assert seeder(url, server.ca, reading=True)[0] == 0
        code, summary, _ = seeder(url, server.ca)
        assert (code, [mailbox["alike"] for mailbox in summary["seeded"]]) == (0, [True, True, True, False])
        code, summary, complaints = seeder(url, server.ca)
        assert (code, summary) == (2, None)
        assert "other messages than the recording began with in Drafts (4)." in complaints
        assert "--seed-onto" in complaints
        assert kept(plain(server.plain_port), names("|/")) == letters()


def test_a_dry_run_says_what_it_would_seed(seeder: Seeder) -> None:
    code, stdout, _ = seeder.run("--to", "imaps://nowhere", "--dry-run")
    assert code == 0
    assert "seed     INBOX: 11 of 11 messages\n" in stdout.decode()
