"""How a server is asked what is not recorded."""

from __future__ import annotations

import imaplib
import socket
import zlib
from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.serve_modes.bob import PASSWORD, client, upstream
from tests.servers.dovecot import token
from tests.servers.hunt import hunt
from tests.servers.served import Served

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers.dovecot import Dovecot


def test_a_client_that_pipelines(tmp_path: Path, cassette: Path, mail: Dovecot) -> None:
    """Everything in one go: each is answered once, in order, the first new one and all behind it by the server."""
    said = (
        f"a LOGIN bob {PASSWORD}\r\nb EXAMINE Drafts\r\nc SEARCH ALL\r\nd SEARCH SEEN\r\ne SEARCH ALL\r\n"
        f"f APPEND Empty {{11+}}\r\nSubject: x\n\r\ng STATUS Empty (MESSAGES)\r\nh LOGOUT\r\n"
    )
    with (
        Served(tmp_path / "s", str(cassette), "--mode", "new", *upstream(mail)) as served,
        socket.create_connection(("localhost", served.port("plain")), timeout=20) as sock,
    ):
        sock.sendall(said.encode())
        heard = sock.makefile("rb").read().decode()
    tagged = [line[:4] for line in heard.splitlines() if line[1:2] == " " and line[0] in "abcdefgh"]
    assert sorted(tagged) == [f"{tag} OK" for tag in "abcdefgh"], heard  # Dovecot answers some before others
    assert "* STATUS Empty (MESSAGES 1)" in heard
    assert heard.count("* SEARCH 1 2 3 4\r\n" if "\r" in heard else "* SEARCH 1 2 3 4\n") == 2
    assert hunt([tmp_path], [PASSWORD]) == []


@pytest.mark.parametrize("size", [10, 3_000_000])
def test_a_letter_that_is_appended_is_told_to_the_server(
    tmp_path: Path, cassette: Path, mail: Dovecot, size: int
) -> None:
    """Its literal waits for the server's +, which the client does not hear: it has said all by then."""
    letter = b"Subject: long\r\n\r\n" + b"x" * 70 * (size // 72) + b"\r\n"
    with Served(tmp_path / "s", str(cassette), "--mode", "new", *upstream(mail)) as served:
        with client(served) as imap:
            status, said = imap.append("Empty", "", "", letter)
            assert status == "OK", said
            assert imap.select("Empty") == ("OK", [b"1"])
            assert imap.append("Nowhere", "", "", letter)[0] == "NO"
            assert imap.noop()[0] == "OK"
        with client(served) as imap:
            assert imap.append("Nowhere", "", "", letter)[0] == "NO"
            assert imap.noop()[0] == "OK"


HAND = """\
imaptap cassette 1
# written by hand
S: * OK [CAPABILITY IMAP4rev1 COMPRESS=DEFLATE AUTH=XOAUTH2] ready
C: a LOGIN bob xxxx
S: a OK in
C: b COMPRESS DEFLATE
S: b OK from here on
"""


def test_a_compressed_stream_stays_one(tmp_path: Path, mail: Dovecot) -> None:
    """The client has compressed with the recording, and goes on so with a server that has not."""
    file = tmp_path / "hand.cassette"
    file.write_text(HAND)
    pack, unpack = zlib.compressobj(wbits=-15), zlib.decompressobj(-15)
    with (
        Served(tmp_path / "s", str(file), "--mode", "new", *upstream(mail)) as served,
        socket.create_connection(("localhost", served.port("plain")), timeout=20) as sock,
    ):
        said = sock.makefile("rb")
        sock.sendall(b"a LOGIN bob %b\r\nb COMPRESS DEFLATE\r\n" % PASSWORD.encode())
        assert [said.readline()[:4] for _ in range(3)][1:] == [b"a OK", b"b OK"]
        sock.sendall(pack.compress(b"c SELECT Drafts\r\nd LOGOUT\r\n") + pack.flush(zlib.Z_SYNC_FLUSH))
        heard = unpack.decompress(said.read())
    assert b"* 4 EXISTS\r\n" in heard
    assert b"d OK Logout" in heard
    text = file.read_text()
    assert text.startswith(HAND)
    assert "SELECT Drafts" in text


def test_a_token_is_passed_on(tmp_path: Path, mail: Dovecot) -> None:
    """By the mechanism that the server has."""
    file, access = tmp_path / "hand.cassette", token("bob", "marked")
    file.write_text(HAND)
    said = f"user=bob\x01auth=Bearer {access}\x01\x01".encode()
    with (
        Served(tmp_path / "s", str(file), "--mode", "new", *upstream(mail)) as served,
        imaplib.IMAP4("localhost", served.port("plain"), timeout=20) as imap,
    ):
        imap.authenticate("XOAUTH2", lambda _: said)
        assert imap.select("Drafts") == ("OK", [b"4"])
    assert hunt([tmp_path], [access]) == []


def test_starttls_and_a_login_that_is_not_recorded(tmp_path: Path, mail: Dovecot) -> None:
    """The server's answer is the client's; of a refused one, too."""
    file = tmp_path / "hand.cassette"
    file.write_text("imaptap cassette 1\nS: * OK [CAPABILITY IMAP4rev1] ready\nC: a NOOP\nS: a OK done\n")
    words = ("--upstream", f"imap://localhost:{mail.plain_port}", "--upstream-ca", str(mail.ca))
    with Served(tmp_path / "s", str(file), "--mode", "new", *words) as served:
        with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"), client(served, "a-wrong-canary"):
            pass
        with client(served) as imap:
            assert imap.select("Drafts") == ("OK", [b"4"])
    assert len(served.report()["asked_upstream"]) == 2
    assert hunt([tmp_path], [PASSWORD, "a-wrong-canary"]) == []
