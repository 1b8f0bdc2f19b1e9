"""The servers that the tests start are there, and are what the tests take them for."""

from __future__ import annotations

import imaplib
import uuid
from typing import TYPE_CHECKING

import pytest

from tests.servers.courier import Courier
from tests.servers.cyrus import Cyrus
from tests.servers.mail import mailbox
from tests.servers.planter import Planter
from tests.servers.planting import Plant, sub

if TYPE_CHECKING:
    from tests.servers.certificates import Identity
    from tests.servers.dovecot import Dovecot
    from tests.servers.pymap import Pymap

    Server = Courier | Cyrus | Dovecot | Pymap

LETTER = b"Subject: here\r\n\r\nIs anybody there?\r\n"


@pytest.fixture(params=["courier", "cyrus", "dovecot", "pymap"])
def server(request: pytest.FixtureRequest) -> Server:
    return request.getfixturevalue(request.param)


def logged_in(server: Server) -> imaplib.IMAP4:
    """A connection to it as bob, with TLS: from the start where that is offered."""
    context = server.identity.client_context() if server.identity else None
    if hasattr(server, "tls_port"):
        client: imaplib.IMAP4 = imaplib.IMAP4_SSL("localhost", server.tls_port, ssl_context=context)
    else:
        client = imaplib.IMAP4("localhost", server.plain_port)
        client.starttls(context)
    if client.state == "NONAUTH":
        client.login("bob", "secret")
    return client


def test_a_server_keeps_a_letter(server: Server) -> None:
    with logged_in(server) as client:
        inbox_only = isinstance(server, Courier)
        name = ("INBOX." if inbox_only else "") + f"here-{uuid.uuid4().hex}"
        assert client.create(name)[0] == "OK"
        assert client.append(name, "(\\Flagged)", None, LETTER)[0] == "OK"
        assert client.select(name)[1] == [b"1"]
        (envelope, end) = client.fetch("1", "(FLAGS BODY.PEEK[])")[1]
        assert isinstance(envelope, tuple)
        assert envelope[1] == LETTER
        assert b"\\Flagged" in envelope[0] + (end if isinstance(end, bytes) else b"")
        client.close()
        if not inbox_only:  # Courier takes two seconds for that
            assert client.delete(name)[0] == "OK"


def test_names_of_another_cyrus() -> None:
    with Cyrus(slashes=False, beside=False) as server, imaplib.IMAP4("localhost", server.plain_port) as client:
        client.login("bob", "secret")
        names = {line.split(b' "." ')[1] for line in client.list()[1] if isinstance(line, bytes)}
        assert names == {b"INBOX", b"INBOX.Drafts", b"INBOX.Sent"}


def test_courier_greets_with_preauth_and_has_the_letters_it_was_given() -> None:
    letters = mailbox()
    with Courier(letters) as server, imaplib.IMAP4("localhost", server.plain_port) as client:
        assert client.welcome.startswith(b"* PREAUTH")
        assert client.select("INBOX.Drafts")[1] == [str(len(letters["Drafts"])).encode()]


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_a_planter_changes_one_thing_and_passes_all_else(dovecot: Dovecot, identity: Identity, *, tls: bool) -> None:
    plant = Plant("subject", "", "", "FETCH", sub("Subject: Letter 3", "Subject: Litter 3"))
    server = logged_in(dovecot)
    with server, Planter(dovecot, plant, identity if tls else None) as planter:
        if tls:
            client: imaplib.IMAP4 = imaplib.IMAP4_SSL("localhost", planter.port, ssl_context=identity.client_context())
        else:
            client = imaplib.IMAP4("localhost", planter.port)
        with client:
            client.login("bob", "secret")
            heard = []
            for each in (server, client):
                each.select("INBOX", readonly=True)
                heard.append(each.fetch("1:*", "(BODY.PEEK[])"))
        assert planter.bed.grown == 1
    sent, passed = (b"".join(b"".join(part) for part in parts if isinstance(part, tuple)) for _, parts in heard)
    assert passed == sent.replace(b"Subject: Letter 3", b"Subject: Litter 3")
    assert len(passed) > 100_000
