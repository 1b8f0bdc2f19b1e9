"""What bob asks of imaptap and of his server, whichever of both answers."""

from __future__ import annotations

import contextlib
import imaplib
import ssl
from typing import TYPE_CHECKING

from tests.servers import warm
from tests.servers.recorder import environment, program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers.dovecot import Dovecot
    from tests.servers.served import Served

PASSWORD = "canary-in-a-mine"
SUBJECTS = "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])"


def upstream(server: Dovecot) -> tuple[str, ...]:
    return "--upstream", f"imaps://localhost:{server.tls_port}", "--upstream-ca", str(server.ca)


@contextlib.contextmanager
def client(served: Served, password: str = PASSWORD) -> Iterator[imaplib.IMAP4_SSL]:
    trust = ssl.create_default_context(cafile=str(served.ca))
    with imaplib.IMAP4_SSL("localhost", served.port("implicit"), ssl_context=trust, timeout=20) as imap:
        imap.login("bob", password)
        yield imap


def known(imap: imaplib.IMAP4, mailbox: str = "Drafts") -> None:
    """What is recorded of every test's session."""
    assert imap.select(mailbox, readonly=True)[0] == "OK"
    assert imap.search(None, "ALL") == ("OK", [b"1 2 3 4"])


def new(imap: imaplib.IMAP4) -> object:
    """What is not."""
    status, found = imap.fetch("1:2", SUBJECTS)
    assert status == "OK"
    assert imap.search(None, "SEEN") == ("OK", [b"1"])
    return found


def run(folder: Path, *words: str) -> str:
    """What a command prints."""
    done = warm.run([program(), *words], environment(folder / "home"))
    assert done.returncode == 0, done.stderr
    return done.stdout
