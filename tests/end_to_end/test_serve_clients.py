"""A few clients of the testbed, recorded once, then served with the server gone; `make served` has all of them."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from tests.end_to_end import served
from tests.end_to_end.served import WAYS, Way, outcomes_of, page, steady, ways_of
from tests.end_to_end.testbed import CLIENTS
from tests.need import ROOT, shared

FOLDER = shared()

pytestmark = pytest.mark.timeout(400)


@pytest.mark.skipif(FOLDER is None, reason="no testbed beside the repository (../shared)")
@pytest.mark.parametrize(
    ("client", "ways"),
    [
        ("imaplib", [Way("implicit", "implicit"), Way("implicit", "starttls")]),
        ("curl", [Way("implicit", "implicit"), Way("implicit", "starttls")]),
        ("mbsync", [Way("implicit", "implicit")]),
    ],
)
def test_a_client_does_its_job_without_the_server(
    client: str, ways: list[Way], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the same end, and nothing is asked that is not recorded; the recording is a cassette, too."""
    assert FOLDER is not None
    monkeypatch.setattr(served, "RUNS", 1)  # `make served` does it three times, with all clients
    with tempfile.TemporaryDirectory(prefix="tb-served-") as place:  # not pytest's: the server's user must walk in
        work = Path(place)
        work.chmod(0o755)
        testbed = steady(FOLDER / "testbed", work / "testbed")
        outcomes = outcomes_of(testbed, client, ways, work, work / "recorded.db")
    assert [outcome for outcome in outcomes if not outcome.good] == []
    assert len(outcomes) == len(ways)


def test_every_client_goes_every_way_that_it_can() -> None:
    """None is left out: with TLS of both kinds, or without where there is none."""
    assert {way for client in CLIENTS for way in ways_of(client)} == set(WAYS)
    assert ways_of("telnet") == [Way("plain", "plain")]
    assert ways_of("getmail") == [Way("implicit", "implicit")]
    assert len(ways_of("mutt")) == 3


def test_the_page_has_a_row_for_every_way_of_every_client() -> None:
    text = (ROOT / "docs" / "served.md").read_text()
    head = page([]).partition("| client |")[0]
    assert text.startswith(head)
    rows = [line.split(" | ")[0].removeprefix("| ") for line in text.splitlines() if line.startswith("| ")][1:]
    assert rows == [client for client in CLIENTS for _ in ways_of(client)]
    assert text.count(" | 3 of 3 | 0 |") == len(rows)
