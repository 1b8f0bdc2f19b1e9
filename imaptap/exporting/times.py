"""Times as exports write them."""

from __future__ import annotations

import datetime as dt


def moment(wall: int) -> str:
    """Microseconds since 1970 in ISO 8601, UTC, to the microsecond."""
    seconds, micros = divmod(wall, 1_000_000)
    return f"{dt.datetime.fromtimestamp(seconds, dt.UTC):%Y-%m-%dT%H:%M:%S}.{micros:06}Z"
