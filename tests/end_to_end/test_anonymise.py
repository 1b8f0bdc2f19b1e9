"""Recordings of real clients made fit to be shown: nothing private is left, and they are as good as before."""

from __future__ import annotations

import email
import imaplib
import json
import re
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.private import COUNT, LETTERS, PARTS, USER, folders, letter, strings
from tests.need import need
from tests.servers import warm
from tests.servers.dovecot import Dovecot
from tests.servers.mail import write_maildir
from tests.servers.recorder import EVERY_LISTENER, Recorder, environment, program
from tests.servers.served import Served

ITEMS = "(FLAGS INTERNALDATE ENVELOPE BODYSTRUCTURE BODY.PEEK[] BODY.PEEK[HEADER.FIELDS (FROM SUBJECT X-FOO)])"
PARTIAL = "(BODY.PEEK[TEXT] BODY.PEEK[1] BODY.PEEK[5] BODY.PEEK[2.MIME] BODY.PEEK[]<100.3000> RFC822.HEADER)"


def with_imaplib(port: int, context: ssl.SSLContext) -> None:
    """All that is in the account, and its strings in commands."""
    with imaplib.IMAP4_SSL("localhost", port, ssl_context=context) as client:
        client.login(USER, "secret")
        _, found = client.list()
        names = [re.search(r'("[^"]*"|[^ "]+)$', row.decode())[1] for row in found]
        for name in names:
            if client.select(name, readonly=True)[1] not in ([b"0"], [None]):
                client.fetch("1:*", ITEMS)
        client.select("INBOX")
        client.fetch("1:*", PARTIAL)
        client.status(names[1], "(MESSAGES UIDNEXT)")
        for text in strings()[:5]:
            client.literal = text.encode()
            client.search("UTF-8", "SUBJECT")
        client.search(None, "FROM", f'"{USER}"', "SINCE", "5-Mar-2024")
        client.append("INBOX", r"(\Seen)", imaplib.Time2Internaldate(1_700_000_000), letter(3))
        client.store("1", "+FLAGS", "Ottilies")
        client.create(f'"{USER}"')


def with_curl(port: int, ca: Path) -> None:
    for path in ("", "INBOX;MAILINDEX=1", "INBOX?TEXT%20Quasten"):
        words = [
            need("curl"),
            "-sS",
            "--cacert",
            str(ca),
            "--user",
            f"{USER}:secret",
            f"imaps://localhost:{port}/{path}",
        ]
        subprocess.run(words, capture_output=True, check=True, timeout=60)


class Program:
    """Runs the installed program on one database."""

    def __init__(self, folder: Path, db: str) -> None:
        self._folder, self.db = folder, db

    def __call__(self, *words: str, code: int = 0) -> str:
        env = environment(self._folder / "home") | {"IMAPTAP_DB": self.db}
        done = warm.run([program(), *words], env)
        assert done.returncode == code, done.stdout[-3000:] + done.stderr
        return done.stdout

    def json(self, *words: str, code: int = 0) -> Any:
        return json.loads(self(*words, code=code))


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """A recording "private" by two clients, and the list of what is private in canaries.txt."""
    folder = tmp_path_factory.mktemp("private")
    with Dovecot(users={USER: "secret"}, seed=lambda _, root: write_maildir(root, folders())) as server:
        listen = [word for url in EVERY_LISTENER for word in ("--listen", url)]
        words = ("--upstream-ca", str(server.ca), "--name", "private", *listen)
        with Recorder(folder / "record", f"imaps://localhost:{server.tls_port}", *words) as recorder:
            with_imaplib(recorder.port("implicit"), ssl.create_default_context(cafile=recorder.ca))
            with_curl(recorder.port("implicit"), recorder.ca)
    (folder / "canaries.txt").write_text("\n".join([*strings(), USER]))
    return Program(folder, recorder.db)


@pytest.fixture(scope="module")
def shown(recorded: Program, tmp_path_factory: pytest.TempPathFactory) -> Program:
    """A database that has the anonymised recording only, beside its cassette."""
    folder = tmp_path_factory.mktemp("shown")
    recorded("anonymise", "private", "-o", str(folder / "anonymised.cassette"))
    made = Program(folder, str(folder / "shown.db"))
    made("import", str(folder / "anonymised.cassette"))
    return made


def scanned(run: Program, recorded: Program, file: str, code: int) -> Any:
    canaries = str(Path(recorded.db).parent.parent / "canaries.txt")
    return run.json("scan", file, "--canaries", canaries, "--most", "1000000", "--json", code=code)["files"][0]


def test_what_was_planted_is_there(recorded: Program) -> None:
    """Else it would be no wonder that it is not found afterwards: each string, and each encoding."""
    found = scanned(recorded, recorded, recorded.db, 1)["findings"]
    assert {each["what"] for each in found if each["kind"] == "canary"} == {
        f"canary {at}" for at in range(1, COUNT + 2)
    }
    forms = {each["how"].split(",")[0] for each in found if each["kind"] == "canary"}
    wanted = {name.split(",")[0] for name in PARTS} - {"utf-16", "HTML"} | {
        "utf-16-be",
        "base64 of utf-16",
        "HTML numbers",
        "modified UTF-7",
    }
    assert wanted - {"as it is"} <= forms | {"as it is"}
    assert len(forms) >= 12


def test_nothing_is_left(recorded: Program, shown: Program) -> None:
    """Neither in the file, nor in the database, whatever it is looked for."""
    for file in (str(Path(shown.db).parent / "anonymised.cassette"), shown.db):
        nothing = {"file": file, "as_file_only": False, "count": 0, "findings": []}
        assert scanned(shown, recorded, file, 0) == nothing


def test_no_word_of_it_is_left(recorded: Program, shown: Program) -> None:
    """Nor a part of a string: the longer words of each."""
    words = sorted({word for text in strings() for word in text.split() if len(word) > 5} | set(USER.split(".")))
    file = Path(shown.db).parent / "words.txt"
    file.write_text("\n".join(words))
    found = shown.json("scan", shown.db, "--canaries", str(file), "--json")
    assert found["files"][0]["findings"] == []


def test_it_is_whole_and_equal_to_itself(shown: Program) -> None:
    assert "Nothing is wrong" in shown("check", "anonymised")
    assert "Equal" in shown("diff", "anonymised", "anonymised")


def test_it_differs_in_values_only(recorded: Program, shown: Program) -> None:
    """Sessions, exchanges, results and counts of bytes are those of the old one."""
    before, after = recorded.json("ls", "private", "--json"), shown.json("ls", "anonymised", "--json")
    for was, now in zip(before["sessions"], after["sessions"], strict=True):
        assert (was["client_bytes"], was["server_bytes"]) == (now["client_bytes"], now["server_bytes"])
        old, new = (
            run.json("show", f"{name}/{was['session']}", "--json")
            for run, name in ((recorded, "private"), (shown, "anonymised"))
        )
        keys = ("exchange", "command", "outcome", "status", "client_bytes", "server_bytes", "responses", "ms")
        assert [[each[key] for key in keys] for each in old["exchanges"]] == [
            [each[key] for key in keys] for each in new["exchanges"]
        ]


def test_it_is_served_and_replayed(shown: Program, tmp_path: Path) -> None:
    """What its client asks is answered as recorded, step by step."""
    password = tmp_path / "password"
    password.write_text("any\n")
    password.chmod(0o600)
    with Served(tmp_path / "served", "anonymised", "--no-record", "--db", shown.db, code=1) as served:
        where = f"imaps://localhost:{served.port('implicit')}"
        trust = ("--upstream-ca", str(served.ca), "--password-file", str(password))
        shown("replay", "anonymised", "--to", where, *trust, "--write", "--name", "encore")
    # The replay asks this by itself: it was never recorded.
    assert {each["command"] for each in served.report()["missed"]} == {"NAMESPACE"}
    # What cannot be served without a password is not offered: nothing else differs.
    assert "\ndifferences: capability 1\n" in shown("diff", "anonymised", "encore", code=1)


def test_message_trees_are_the_same(recorded: Program, shown: Program) -> None:
    """A letter is still one, to Python's own reader."""
    trees, streams = [], []
    for run, name in ((recorded, "private"), (shown, "anonymised")):
        file = Path(run.db).parent / "stream"
        run("export", f"{name}/1", "--side", "client", "-o", str(file))
        streams.append(file.read_bytes())
    for stream in streams:
        start = stream.index(b"From:")
        message = email.message_from_bytes(stream[start : start + len(letter(3))])
        trees.append([(part.get_content_type(), part["content-transfer-encoding"]) for part in message.walk()])
    assert trees[0] == trees[1]
    assert len(trees[0]) == len(PARTS) + 1
    assert LETTERS > 3
