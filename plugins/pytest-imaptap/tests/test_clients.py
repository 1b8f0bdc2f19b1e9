"""Three client libraries, used as their users do. Served here; `test_recorded.py` runs the same at a true server."""

from __future__ import annotations

import asyncio
import imaplib
import os
import re
from typing import Any

import aioimaplib
import pytest
from imapclient import IMAPClient

pytestmark = pytest.mark.imap_cassette("cassettes/inbox.cassette")

PASSWORD = os.environ.get("IMAP_PASSWORD", "any")
ITEMS = "(FLAGS BODY.PEEK[TEXT])"


def test_imaplib(imap_cassette: Any) -> None:
    client = imaplib.IMAP4_SSL(imap_cassette.host, imap_cassette.port, ssl_context=imap_cassette.ssl_context())
    client.login(imap_cassette.user, PASSWORD)
    assert client.select("INBOX") == ("OK", [b"1"])
    _, [(_, text), _] = client.uid("FETCH", "1", ITEMS)
    assert text == b"hello\r\n"
    _, [flagged] = client.uid("STORE", "1", "+FLAGS", r"(\Flagged)")
    assert rb"\Flagged" in flagged
    _, [plain] = client.uid("STORE", "1", "-FLAGS", r"(\Flagged)")
    assert rb"\Flagged" not in plain
    client.logout()


def test_imaplib_starttls(imap_cassette: Any) -> None:
    client = imaplib.IMAP4(imap_cassette.host, imap_cassette.starttls_port)
    client.starttls(imap_cassette.ssl_context())
    client.login(imap_cassette.user, PASSWORD)
    assert client.select("INBOX") == ("OK", [b"1"])
    client.logout()


def test_imapclient(imap_cassette: Any) -> None:
    context = imap_cassette.ssl_context()
    with IMAPClient(imap_cassette.host, port=imap_cassette.port, ssl_context=context) as client:
        client.login(imap_cassette.user, PASSWORD)
        assert client.select_folder("INBOX")[b"EXISTS"] == 1
        assert client.fetch([1], ["FLAGS", "BODY.PEEK[TEXT]"])[1][b"BODY[TEXT]"] == b"hello\r\n"
        assert rb"\Flagged" in client.add_flags([1], [rb"\Flagged"])[1]
        assert rb"\Flagged" not in client.remove_flags([1], [rb"\Flagged"])[1]


def test_aioimaplib(imap_cassette: Any) -> None:
    asyncio.run(_with_aioimaplib(imap_cassette))


async def _with_aioimaplib(imap_cassette: Any) -> None:
    client = aioimaplib.IMAP4_SSL(imap_cassette.host, imap_cassette.port, ssl_context=imap_cassette.ssl_context())
    await client.wait_hello_from_server()
    assert (await client.login(imap_cassette.user, PASSWORD)).result == "OK"
    assert b"1 EXISTS" in (await client.select("INBOX")).lines
    assert b"hello\r\n" in (await client.uid("fetch", "1", ITEMS)).lines
    flagged = await client.uid("store", "1", "+FLAGS", r"(\Flagged)")
    assert re.search(rb"FLAGS \(.*\\Flagged", flagged.lines[0])
    plain = await client.uid("store", "1", "-FLAGS", r"(\Flagged)")
    assert re.search(rb"FLAGS \((?!.*\\Flagged)", plain.lines[0])
    await client.logout()
    # aioimaplib leaves its transport to the garbage collector.
    client.protocol.transport.abort()
    await asyncio.sleep(0)
