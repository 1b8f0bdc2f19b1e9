"""What keeps a session where it is, though the recording does not know what is asked."""

from __future__ import annotations

import imaplib
import ssl
from typing import TYPE_CHECKING

from tests.end_to_end.serve_modes.bob import PASSWORD, client, known, upstream
from tests.servers.hunt import hunt
from tests.servers.served import Served

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers.dovecot import Dovecot


def refused(served: Served, password: str = PASSWORD) -> str:
    """What a client is told that asks something new; what is known it gets before and after that."""
    with client(served, password) as imap:
        known(imap)
        status, (said,) = imap.search(None, "SEEN")
        assert status == "NO"
        assert isinstance(said, bytes)
        assert imap.search(None, "ALL")[0] == "NO", "asked twice, recorded once"
        assert imap.logout()[0] == "BYE"
        return said.decode()


def test_another_mailbox_is_not_taken_for_the_same(tmp_path: Path, cassette: Path, mail: Dovecot) -> None:
    """A message that has come, and a mailbox that was made anew: numbers would mean others."""
    trust = mail.identity.client_context() if mail.identity else None
    with imaplib.IMAP4_SSL("localhost", mail.tls_port, ssl_context=trust, timeout=20) as imap:
        imap.login("bob", PASSWORD)
        assert imap.append("Drafts", "", "", b"Subject: new\r\n\r\nnew\r\n")[0] == "OK"
        with Served(tmp_path / "s", str(cassette), "--mode", "new", *upstream(mail), code=1) as served:
            said = refused(served)
        assert "Drafts is not what it was: UIDNEXT is 6 there and 5 here; EXISTS is 5 there and 4 here" in said
        assert said.startswith("[UNAVAILABLE] imaptap: ")
        assert said.removeprefix("[UNAVAILABLE] imaptap: ")[:40] in served.report()["missed"][0]["why"]
        imap.delete("Drafts")
        imap.create("Drafts")
        with Served(tmp_path / "s", str(cassette), "--mode", "new", *upstream(mail), code=1) as served:
            assert "Drafts is not what it was: UIDVALIDITY is " in refused(served)
    assert "Added" not in served.log()


def test_a_wrong_password_is_told_and_tried_once(tmp_path: Path, cassette: Path, mail: Dovecot) -> None:
    """The session is served on. The password is nowhere."""
    before = mail.log().count("auth failed")
    with Served(tmp_path / "s", str(cassette), "--mode", "new", *upstream(mail), code=1) as served:
        said = refused(served, "a-wrong-canary")
    assert f"imaps://localhost:{mail.tls_port} refuses the login of bob" in said
    assert "Authentication failed" in said
    assert len(served.report()["missed"]) == 2
    assert mail.log().count("auth failed") <= before + 1
    assert hunt([tmp_path], ["a-wrong-canary"]) == []


def test_a_server_that_is_away_is_told(tmp_path: Path, cassette: Path) -> None:
    """To the client at once, and to the person."""
    words = ("--upstream", "imaps://localhost:1")
    with Served(tmp_path / "s", str(cassette), "--mode", "spy", *words, code=1) as served:
        assert "localhost:1" in refused(served)


def test_a_server_that_is_not_trusted_hears_nothing(tmp_path: Path, cassette: Path, mail: Dovecot) -> None:
    """Least of all the password."""
    words = ("--upstream", f"imaps://localhost:{mail.tls_port}")
    with Served(tmp_path / "s", str(cassette), "--mode", "new", *words, code=1) as served:
        assert "certificate" in refused(served)
    assert "--upstream-ca" in served.log()


def test_a_password_that_is_not_said_cannot_be_passed_on(tmp_path: Path, cassette: Path, mail: Dovecot) -> None:
    """CRAM-MD5 is not offered; who uses it all the same is told."""
    with (
        Served(tmp_path / "s", str(cassette), "--mode", "new", *upstream(mail), code=1) as served,
        imaplib.IMAP4_SSL(
            "localhost",
            served.port("implicit"),
            ssl_context=ssl.create_default_context(cafile=str(served.ca)),
            timeout=20,
        ) as imap,
    ):
        assert "AUTH=PLAIN" in imap.capabilities
        assert "AUTH=CRAM-MD5" not in imap.capabilities
        imap.login_cram_md5("bob", PASSWORD)
        known(imap)
        assert b"CRAM-MD5 does not give the password away" in imap.search(None, "SEEN")[1][0]
