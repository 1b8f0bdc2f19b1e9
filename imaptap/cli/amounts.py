"""Durations and sizes as people write them: 30d, 12h, 500M, 1G."""

import re
from typing import Any

import click

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_BYTES = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_LONGEST = 10_000 * 365 * 86_400


class Duration(click.ParamType[float]):
    """A number with one of the units s, m, h, d, w: seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read it."""
        match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhdw])", str(value), re.ASCII)
        seconds = float(match[1]) * _SECONDS[match[2]] if match else _LONGEST + 1.0
        if seconds > _LONGEST:
            self.fail(f"{value!r} is no duration: write 90m, 12h, 30d or 8w.", param, ctx)
        return seconds


class Size(click.ParamType[int]):
    """A number, with one of the units K, M, G, T where it is meant in thousands: bytes."""

    name = "size"

    def __init__(self, least: int = 0, why: str = "") -> None:
        """Not less than `least` bytes; `why` is a sentence."""
        self._least, self._why = least, why

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read it."""
        match = re.fullmatch(r"(\d{1,15}(?:\.\d+)?)([KMGT]?)B?", str(value).upper(), re.ASCII)
        if not match:
            self.fail(f"{value!r} is no size: write 500M or 1.5G.", param, ctx)
        size = int(float(match[1]) * _BYTES[match[2]])
        if size < self._least:
            self.fail(f"{value!r} is less than {self._least} bytes. {self._why}".rstrip(), param, ctx)
        return size
