"""A cassette served to tests: what they are told of commands that are not in it, and of cassettes that are none."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

CASSETTE = Path(__file__).parent / "cassettes" / "inbox.cassette"

START = """
import imaplib

import pytest

pytestmark = pytest.mark.imap_cassette("inbox.cassette")

@pytest.fixture
def client(imap_cassette):
    with imaplib.IMAP4_SSL(imap_cassette.host, imap_cassette.port, ssl_context=imap_cassette.ssl_context()) as client:
        client.login(imap_cassette.user, "any")
        yield client
"""

MISSES = """
def test_fails(client):
    client.select("INBOX")
    assert client.fetch("1", "(FLAGS BODY.PEEK[HEADER])")[0] == "OK"

def test_passes(client):
    assert client.select("Elsewhere")[0] == "NO"

@pytest.mark.imap_cassette("inbox.cassette", strict=False)
def test_may_pass(client):
    assert client.select("Elsewhere")[0] == "NO"

def test_skips(client):
    assert client.select("Elsewhere")[0] == "NO"
    pytest.skip("no")

@pytest.fixture
def selected(client):
    assert client.select("Elsewhere")[0] == "OK"

def test_never_begins(selected):
    pass

def test_misses_nothing(client, imap_cassette):
    assert client.select("INBOX")[0] == "OK"
    assert (imap_cassette.user, imap_cassette.recording, imap_cassette.file.name) == ("bob", False, "inbox.cassette")
"""

BROKEN = """
@pytest.mark.imap_cassette("broken.cassette")
def test_broken(client):
    pass

@pytest.mark.imap_cassette("none.cassette")
def test_none(client):
    pass
"""


def test_misses(pytester: pytest.Pytester) -> None:
    """Below the failure of a test that failed; a failure of its own where it had passed, or could not begin."""
    shutil.copy(CASSETTE, pytester.path)
    pytester.makepyfile(START + MISSES)
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=3, failed=1, skipped=1, errors=3)
    text = "\n".join(result.outlines)
    errors, failures = text.split("= FAILURES =")
    assert "Connection 1 asked what is not recorded: SELECT Elsewhere" in part(
        errors, "ERROR at teardown of test_passes"
    )
    assert "Record it anew: --imap-mode all" in part(errors, "ERROR at teardown of test_passes")
    assert "Traceback" not in text
    assert "During handling" not in text
    assert "mailbox: recorded INBOX, asked Elsewhere" in part(errors, "ERROR at teardown of test_never_begins")
    failure = part(failures, "test_fails")
    assert "Captured imap_cassette teardown" in failure
    assert "Connection 1 asked what is not recorded: FETCH 1 " in failure
    assert "test_may_pass" not in text
    assert "test_skips" not in text
    assert "test_misses_nothing" not in text


def part(text: str, title: str) -> str:
    """What stands below a title between underscores, up to the next one."""
    behind = text.partition(f"_ {title} _")[2]
    assert behind, f"{title} is not in:\n{text}"
    return behind.partition("\n____")[0]


def test_cassettes_that_are_none(pytester: pytest.Pytester) -> None:
    """Each is an error with what `imaptap` or the plugin says of it."""
    (pytester.path / "broken.cassette").write_text("imaptap cassette 1\nS: * OK hi\nX: what\n")
    pytester.makepyfile(START + BROKEN)
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider")
    result.assert_outcomes(errors=2)
    text = "\n".join(result.outlines)
    assert "`imaptap serve` ended with 2 at once.\nimaptap: " in text
    assert "The cassette cannot be read at line 3, column 1" in text
    assert "none.cassette, and no server is given.\nGive the server: --imap-upstream" in text
