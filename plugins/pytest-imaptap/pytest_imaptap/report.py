"""What a served cassette could not answer: the report of `imaptap serve`, as text for the output of a test."""

from __future__ import annotations

import json
from typing import Any


def near_misses(text: str) -> str:
    """A report (JSON) in words: a paragraph for each command that matched nothing; empty if there was none."""
    return "\n".join(line for miss in json.loads(text)["missed"] for line in _miss(miss))


def _miss(miss: dict[str, Any]) -> list[str]:
    first = f"Connection {miss['connection']} asked what is not recorded: {miss['command']}"
    return [first, f"  {miss['why']}", *map(_near, miss["nearest"])]


def _near(near: dict[str, Any]) -> str:
    why = "; ".join(map(_difference, near["differences"])) or "the same, but not here and now"
    return f"  {near['session']}/{near['exchange']} {near['command']}: {why}"


def _difference(difference: dict[str, Any]) -> str:
    return f"{difference['part']}: recorded {difference['recorded']}, asked {difference['asked']}"
