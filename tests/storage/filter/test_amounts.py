"""Times in a filter. (Numbers with units are in test_parser.)"""

from __future__ import annotations

import datetime as dt
import time
from typing import TYPE_CHECKING

import pytest

from storage.filter.amounts import period

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = 1_700_000_000_000_000
SECOND = 1_000_000


def utc(*when: int) -> int:
    return int(dt.datetime(*when, tzinfo=dt.UTC).timestamp()) * SECOND  # type: ignore[arg-type, misc]


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Five and a half hours before UTC."""
    monkeypatch.setenv("TZ", "XXX-05:30")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("text", "start", "length"),
    [
        ("2026-11-01Z", utc(2026, 11, 1), 86400 * SECOND),
        ("2026-11-01T10Z", utc(2026, 11, 1, 10), 3600 * SECOND),
        ("2026-11-01T10:05z", utc(2026, 11, 1, 10, 5), 60 * SECOND),
        ("2026-11-01T10:05:06Z", utc(2026, 11, 1, 10, 5, 6), SECOND),
        ("2026-11-01T10:05:06.25Z", utc(2026, 11, 1, 10, 5, 6) + 250_000, 10_000),
        ("2026-11-01T10:05", utc(2026, 11, 1, 4, 35), 60 * SECOND),
        ("2026-11-01", utc(2026, 10, 31, 18, 30), 86400 * SECOND),
        ("-10m", NOW - 600 * SECOND, 0),
        ("-2d", NOW - 2 * 86400 * SECOND, 0),
    ],
)
@pytest.mark.usefixtures("elsewhere")
def test_what_a_time_means(text: str, start: int, length: int) -> None:
    assert period(text, NOW) == (start, start + length)
