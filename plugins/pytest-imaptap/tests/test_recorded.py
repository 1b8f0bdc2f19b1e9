"""Recorded at a Dovecot on the first run, served on the second one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.servers.dovecot import Dovecot

if TYPE_CHECKING:
    from collections.abc import Iterator

CLIENTS = Path(__file__).with_name("test_clients.py")
QUIET = ("-p", "no:cacheprovider")

UNKEPT = """
import imaplib

import pytest

def test_fails(imap_cassette):
    with imaplib.IMAP4(imap_cassette.host, imap_cassette.starttls_port) as client:
        assert imap_cassette.recording
        client.noop()
    assert not "passed"

def test_says_nothing(imap_cassette):
    pass
"""


LEFT_OPEN = """
import imaplib

OPEN = []

def test_opens(imap_cassette):
    client = imaplib.IMAP4_SSL(imap_cassette.host, imap_cassette.port, ssl_context=imap_cassette.ssl_context())
    OPEN.append(client)
    client.login(imap_cassette.user, "secret")
    assert client.select("INBOX") == ("OK", [b"1"])

def teardown_module():
    OPEN.pop().shutdown()
"""


def seed(_: str, maildir: Path) -> None:
    """The mailbox of the cassette that is written by hand."""
    for name in ("cur", "new", "tmp"):
        (maildir / name).mkdir(parents=True)
    (maildir / "cur" / "1.example:2,").write_text("From: ann@example.org\nSubject: hello\n\nhello\n")


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Dovecot]:
    """One whose bob has one letter."""
    with Dovecot(seed=seed) as server:
        yield server


@pytest.fixture
def upstream(dovecot: Dovecot) -> tuple[str, ...]:
    """The options that name it."""
    url = f"imaps://localhost:{dovecot.tls_port}"
    return "--imap-upstream", url, "--imap-upstream-ca", str(dovecot.ca), "--imap-user", "bob"


@pytest.fixture
def copied(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """Where the clients' tests are, and no cassette, and the password is known."""
    pytester.makepyfile(test_copied=CLIENTS.read_text())
    monkeypatch.setenv("IMAP_PASSWORD", "secret")
    return pytester


def passes(pytester: pytest.Pytester, *words: str) -> str:
    """One test passes; the text of its cassette."""
    pytester.runpytest_inprocess(*QUIET, *words).assert_outcomes(passed=1)
    return (pytester.path / "cassettes" / "inbox.cassette").read_text()


@pytest.mark.parametrize("name", ["test_imaplib", "test_imaplib_starttls", "test_imapclient", "test_aioimaplib"])
def test_once(copied: pytest.Pytester, upstream: tuple[str, ...], name: str) -> None:
    """The same code, at the server and at the cassette that comes of it."""
    test = f"test_copied.py::{name}"
    text = passes(copied, *upstream, test)
    assert text.startswith("imaptap cassette 1\n# user: bob\n")
    assert "secret" not in text.replace("kind=secret", "")
    assert passes(copied, test) == text


def test_anew(copied: pytest.Pytester, upstream: tuple[str, ...]) -> None:
    """What is there is served though there is a server, unless all is to be recorded."""
    test = "test_copied.py::test_imaplib"
    cassette = copied.path / "cassettes" / "inbox.cassette"
    cassette.parent.mkdir()
    by_hand = CLIENTS.with_name("cassettes").joinpath("inbox.cassette").read_text()
    cassette.write_text(by_hand)
    assert passes(copied, *upstream, test) == by_hand
    assert "Dovecot" in passes(copied, *upstream, "--imap-mode", "all", test)


def test_left_open(copied: pytest.Pytester, upstream: tuple[str, ...]) -> None:
    """A connection that outlives its test ends with the recording, and is served as far as it went."""
    copied.makepyfile(test_open=LEFT_OPEN)
    copied.runpytest_inprocess(*QUIET, *upstream, "test_open.py").assert_outcomes(passed=1)
    copied.runpytest_inprocess(*QUIET, "test_open.py").assert_outcomes(passed=1)


def test_unkept(pytester: pytest.Pytester, upstream: tuple[str, ...]) -> None:
    """A test that fails leaves no cassette, and one that says nothing is told so."""
    pytester.makepyfile(test_unkept=UNKEPT)
    result = pytester.runpytest_inprocess(*QUIET, *upstream)
    result.assert_outcomes(passed=1, failed=1, errors=1)
    assert "There is nothing to keep in a cassette.\nConnect to imap_cassette.host in the test." in result.stdout.str()
    assert not (pytester.path / "cassettes").exists()


def test_no_server(pytester: pytest.Pytester) -> None:
    """What `imaptap record` says of a URL is the error of the test."""
    pytester.makepyfile(test_unkept=UNKEPT)
    result = pytester.runpytest_inprocess(*QUIET, "--imap-upstream", "pop3://localhost", "-k", "nothing")
    result.assert_outcomes(errors=1)
    text = result.stdout.str()
    assert "`imaptap record` ended with 2 at once.\n" in text
    assert "its scheme is pop3. Use imaps://host" in text.replace("\n", " ")
