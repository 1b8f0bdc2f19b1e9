"""The secrets of one stream: where they are masked, and how that is shown."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from rich.text import Text

from proxy.imap.transcript import readable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from imaptap.reading.values import Run
    from proxy.imap.transcript import Event


class Masks:
    """Made from the events of the secrets of one direction."""

    def __init__(self, secrets: Iterable[Event]) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._names: list[str] = []
        for start, end, name in sorted((e.offset or 0, (e.offset or 0) + (e.length or 0), e.name) for e in secrets):
            if self._ends and start < self._ends[-1]:
                self._ends[-1] = max(end, self._ends[-1])
            else:
                self._starts.append(start)
                self._ends.append(end)
                self._names.append(name)

    def applied(self, run: Run) -> Iterator[Text]:
        """The run, escaped, with the class of each secret in its place: a mask of x could be text."""
        position, end = run.start, run.start + len(run.data)
        index = bisect_left(self._ends, position + 1)
        while index < len(self._starts) and self._starts[index] < end:
            yield Text(readable(run.data[position - run.start : max(0, self._starts[index] - run.start)]))
            yield Text(f"<masked {readable(self._names[index].encode())}>", "reverse")
            position = min(self._ends[index], end)
            index += 1
        yield Text(readable(run.data[position - run.start :]))
