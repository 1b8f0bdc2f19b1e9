"""A client of the testbed, whose letters are private, recorded and anonymised; `make anonymised` has all of them."""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from imaptap.scanning.detectors import Detectors
from imaptap.scanning.needles import Needles
from imaptap.scanning.search import Search
from tests.end_to_end.anonymised import outcome_of
from tests.end_to_end.anonymised_page import PAGE, Outcome, page
from tests.end_to_end.canaries import COUNT, FORMS, listed, parts
from tests.end_to_end.planted_testbed import private_testbed
from tests.end_to_end.testbed import CLIENTS
from tests.need import shared

FOLDER = shared()
GOOD = Outcome("curl", "", COUNT, len(FORMS), 1, 0, (), 1, 1, True, Counter(sent=1))


@pytest.mark.timeout(400)
@pytest.mark.skipif(FOLDER is None, reason="no testbed beside the repository (../shared)")
def test_nothing_is_left_and_it_is_served_as_before() -> None:
    assert FOLDER is not None
    with tempfile.TemporaryDirectory(prefix="tb-anonymised-") as place:  # not pytest's: the server's user must walk in
        work = Path(place)
        work.chmod(0o755)
        outcome = outcome_of(private_testbed(FOLDER / "testbed", work / "testbed"), "openssl", work)
    assert outcome.problems == []
    assert outcome.exchanges > 30


def test_letters_have_every_string_in_every_form() -> None:
    search = Search(Needles(listed()), Detectors(frozenset()))
    assert len(set(listed())) == COUNT
    for form, (_, lines) in zip(FORMS, parts(), strict=True):
        hits = [hit for line in lines for hit in search.through([line])]
        assert {hit.what for hit in hits} == {f"canary {number}" for number in range(1, COUNT + 1)}, form
        assert form in {hit.how.partition(",")[0] for hit in hits}


@pytest.mark.parametrize(
    "bad",
    [
        replace(GOOD, trouble="its job failed"),
        replace(GOOD, strings=COUNT - 1),
        replace(GOOD, forms=1),
        replace(GOOD, left=1),
        replace(GOOD, same=False),
        replace(GOOD, steps=Counter(sent=1, cut=1)),
        replace(GOOD, steps=Counter(skipped=1)),
        replace(GOOD, missed=("NOOP (nothing recorded)",)),
        replace(GOOD, reasons=Counter(["skipped: it rains"])),
        replace(GOOD, differences=Counter(["value FETCH 1 FLAGS () (\\Seen)"])),
    ],
)
def test_whatever_is_wrong_is_told(bad: Outcome) -> None:
    assert len(bad.problems) == 1
    assert GOOD.problems == []


def test_the_page_has_a_row_for_every_client() -> None:
    text = PAGE.read_text()
    assert text.startswith(page([]).partition("| client |")[0])
    rows = [re.split(r" *\| *", line.strip("| ")) for line in text.splitlines() if line.startswith("| ")][1:]
    assert [row[0] for row in rows] == list(CLIENTS)
    assert {(row[3], row[4], row[6]) for row in rows} == {(str(COUNT), str(len(FORMS)), "0")}
    assert "unknown" not in text
