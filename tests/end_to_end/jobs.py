"""Small jobs for a handful of real clients. Each returns what came of it, to be compared with the job done direct.

`python -m tests.end_to_end.jobs CLIENT MODE PORT CA USER FOLDER` does one of them and prints a digest of that, and it.
"""

from __future__ import annotations

import asyncio
import hashlib
import imaplib
import re
import ssl
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import aioimaplib
import imapclient

from tests.need import need
from tests.servers.tee import Mode
from tests.servers.typist import ProgramTerminal, type_session

if TYPE_CHECKING:
    from collections.abc import Callable

Outcome = list[Any]

LETTER = b"From: me@example.org\r\nSubject: put there by a test\r\n\r\n* 1 FETCH ({5}\r\nno answer, a body.\r\n"

PASSING = {rb"\Marked", rb"\UnMarked"}
"""What Dovecot says of a folder for a while, by the times of its files: it says nothing of what a client has done."""


@dataclass(frozen=True)
class Place:
    """Where a client is to connect, how, whom to trust, and a folder for its files."""

    mode: Mode
    port: int
    ca: Path
    context: ssl.SSLContext
    work: Path
    user: str = "bob"

    @property
    def url(self) -> str:
        scheme = "imaps" if self.mode == "implicit" else "imap"
        return f"{scheme}://localhost:{self.port}"


def with_imaplib(place: Place) -> Outcome:
    """Python's own: literals both ways, a message put and taken away again."""
    if place.mode == "implicit":
        client: imaplib.IMAP4 = imaplib.IMAP4_SSL("localhost", place.port, ssl_context=place.context)
    else:
        client = imaplib.IMAP4("localhost", place.port)
    with client:
        if place.mode == "starttls":
            client.starttls(place.context)
        client.login(place.user, "secret")
        got: Outcome = [client.select("Drafts", readonly=True)]
        got.append([digest(row) for row in client.fetch("1:*", "(RFC822)")[1]])
        got.append(client.append("Empty", r"(\Seen)", None, LETTER)[0])
        client.select("Empty")
        got.append(digest(client.fetch("1", "(BODY.PEEK[])")[1][0]))
        client.store("1", "+FLAGS", r"(\Deleted)")
        got.append(client.expunge())
        client.close()
        return got


def with_imapclient(place: Place) -> Outcome:
    """IMAPClient: parsed answers, IDLE, a NO and a BAD."""
    with imapclient.IMAPClient(
        "localhost", place.port, ssl=place.mode == "implicit", ssl_context=place.context
    ) as client:
        if place.mode == "starttls":
            client.starttls(place.context)
        client.login(place.user, "secret")
        got: Outcome = [sorted(str((sorted({*flags} - PASSING), *row)) for flags, *row in client.list_folders())]
        got.append(client.select_folder("INBOX", readonly=True)[b"EXISTS"])
        found = client.search(["SUBJECT", "Letter"])
        got.append(found)
        messages = client.fetch(found, ["ENVELOPE", "BODYSTRUCTURE", "BODY.PEEK[]"])
        got.append([(uid, digest(sorted(message.items(), key=str))) for uid, message in sorted(messages.items())])
        client.idle()
        client.idle_done()
        try:
            client.select_folder("No such folder")
        except imapclient.exceptions.IMAPClientError:
            got.append("refused")
        client.noop()
        return got


def with_aioimaplib(place: Place) -> Outcome:
    """aioimaplib, on asyncio; it has no STARTTLS."""

    async def job() -> Outcome:
        if place.mode == "implicit":
            client: Any = aioimaplib.IMAP4_SSL("localhost", place.port, ssl_context=place.context)
        else:
            client = aioimaplib.IMAP4("localhost", place.port)
        await client.wait_hello_from_server()
        got: Outcome = [(await client.login(place.user, "secret")).result]
        got.append((await client.select("INBOX")).result)
        got.append([digest(line) for line in (await client.fetch("1:11", "(BODY.PEEK[])")).lines[:-1]])
        got.append((await client.uid_search("ALL")).lines[0])
        await client.logout()
        # aioimaplib leaves its transport to the garbage collector.
        client.protocol.transport.abort()
        await asyncio.sleep(0)
        return got

    return asyncio.run(job())


def with_curl(place: Place) -> Outcome:
    """curl: LIST, FETCH of one message, APPEND and its removal, each a connection of its own."""

    def curl(path: str, *words: str) -> str:
        command = [
            need("curl"),
            "--silent",
            "--show-error",
            "--cacert",
            str(place.ca),
            "--user",
            f"{place.user}:secret",
        ]
        command += ["--ssl-reqd"] if place.mode == "starttls" else []
        done = subprocess.run([*command, *words, f"{place.url}/{path}"], capture_output=True, check=False, timeout=60)
        listed = re.sub(rb" ?\\(?:Un)?Marked", b"", done.stdout)
        return f"{done.returncode} {digest(listed)} {done.stderr.decode(errors='replace')}"

    letter = place.work / "letter.eml"
    letter.write_bytes(LETTER)
    return [
        curl(""),
        curl("Drafts;MAILINDEX=4"),
        curl("Empty", "--upload-file", str(letter)),
        curl("Empty", "--request", r"STORE 1:* +FLAGS (\Deleted)"),
        curl("Empty", "--request", "CLOSE"),
    ]


def with_openssl(place: Place) -> Outcome:
    """openssl s_client, typed into; no plain mode."""
    command = [need("openssl"), "s_client", "-connect", f"localhost:{place.port}", "-quiet", "-ign_eof"]
    command += ["-CAfile", str(place.ca), "-verify_return_error", "-verify_hostname", "localhost"]
    command += ["-starttls", "imap"] if place.mode == "starttls" else []
    with closing(ProgramTerminal(command, b"\r\n")) as terminal:
        answers = type_session(
            terminal, (f". login {place.user} secret", ". examine INBOX", ". fetch 11 rfc822", ". logout")
        )
    return [answers[1].count(b"* 11 EXISTS"), digest(answers[2].partition(b"* 11 FETCH")[2].partition(b"\r\n. OK")[0])]


def with_mbsync(place: Place) -> Outcome:
    """mbsync: everything into Maildirs."""
    secured = {"implicit": "IMAPS", "starttls": "STARTTLS", "plain": "None"}[place.mode]
    trust = "" if place.mode == "plain" else f'CertificateFile "{place.ca}"\n'
    config = place.work / "mbsyncrc"
    config.write_text(
        f"FSync no\n\nIMAPAccount a\nHost localhost\nPort {place.port}\nUser {place.user}\nPass secret\n"
        f"SSLType {secured}\n{trust}\n"
        f"IMAPStore far\nAccount a\n\nMaildirStore near\nPath {place.work}/mail/\nInbox {place.work}/mail/INBOX\n"
        f"SubFolders Verbatim\n\nChannel c\nFar :far:\nNear :near:\nPatterns *\nSync Pull\nCreate Near\n"
        f"SyncState {place.work}/state-\n"
    )
    (place.work / "mail").mkdir()
    done = subprocess.run(
        [need("mbsync"), "-c", str(config), "-a"], capture_output=True, check=False, timeout=60, cwd=place.work
    )
    files = (file for file in (place.work / "mail").rglob("*") if file.parent.name in ("cur", "new"))
    return [done.returncode, sorted((file.parent.parent.name, digest(_without_tuid(file))) for file in files)]


def _without_tuid(file: Path) -> bytes:
    """mbsync marks what it copies with a random header of its own."""
    return re.sub(rb"^X-TUID: [^\n]*\n", b"", file.read_bytes(), flags=re.MULTILINE)


CLIENTS: dict[str, tuple[Callable[[Place], Outcome], tuple[Mode, ...]]] = {
    "imaplib": (with_imaplib, ("implicit", "starttls", "plain")),
    "imapclient": (with_imapclient, ("implicit", "starttls", "plain")),
    "aioimaplib": (with_aioimaplib, ("implicit", "plain")),
    "curl": (with_curl, ("implicit", "starttls", "plain")),
    "openssl": (with_openssl, ("implicit", "starttls")),
    "mbsync": (with_mbsync, ("implicit", "starttls", "plain")),
}
"""Name to job and the TLS modes the client has."""


def digest(value: object) -> str:
    """Short, so that a difference can be read; the same for the same value."""
    return hashlib.sha256(value if isinstance(value, bytes) else repr(value).encode()).hexdigest()[:16]


def main(client: str, mode: str, port: str, ca: str, user: str, work: str) -> None:
    """One job; a digest of its outcome goes to standard output, and behind it, for people, the outcome."""
    [known] = (each for each in get_args(Mode) if each == mode)
    place = Place(known, int(port), Path(ca), ssl.create_default_context(cafile=ca), Path(work), user)
    outcome = CLIENTS[client][0](place)
    print(f"{digest(outcome)} {outcome!r:.2000}")  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
