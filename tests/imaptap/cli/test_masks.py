"""Secrets as people see them."""

from __future__ import annotations

import pytest

from imaptap.cli.masks import Masks
from imaptap.reading.values import Run
from proxy.imap.transcript import Direction, Event, EventKind

STREAM = b"a LOGIN bob xxxxxx and more xxxx"


def masks(*places: tuple[int, int, str]) -> Masks:
    return Masks(Event(1, 0, EventKind.SECRET, name, "", Direction.CLIENT, at, length) for at, length, name in places)


@pytest.mark.parametrize(
    ("places", "shown"),
    [
        ((), "a LOGIN bob xxxxxx and more xxxx"),
        (((12, 6, "login"),), "a LOGIN bob <masked login> and more xxxx"),
        (((28, 4, "echo"), (12, 6, "login")), "a LOGIN bob <masked login> and more <masked echo>"),
        (((12, 4, "login"), (14, 4, "echo"), (13, 1, "x")), "a LOGIN bob <masked login> and more xxxx"),
        (((12, 3, "one"), (15, 3, "two")), "a LOGIN bob <masked one><masked two> and more xxxx"),
        (((12, 1000, "overlong"),), "a LOGIN bob <masked overlong>"),
        (((900, 5, "later"),), "a LOGIN bob xxxxxx and more xxxx"),
    ],
)
def test_masks(places: tuple[tuple[int, int, str], ...], shown: str) -> None:
    assert "".join(text.plain for text in masks(*places).applied(Run(0, STREAM))) == shown


def test_a_run_that_begins_or_ends_in_a_secret() -> None:
    found = masks((12, 6, "login"))
    assert "".join(text.plain for text in found.applied(Run(14, b"xxxx and"))) == "<masked login> and"
    assert "".join(text.plain for text in found.applied(Run(8, b"bob xx"))) == "bob <masked login>"
    assert "".join(text.plain for text in found.applied(Run(18, b" and"))) == " and"
