"""A comparison on the terminal: side by side, in colour, what is equal folded, as wide as the terminal is."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

from rich.cells import cell_len, chop_cells
from rich.text import Text

from storage.diff.report.values import State
from storage.diff.report.words import Folded, folded, noise_line, offered, only, plain, sides, tallies, title, verdict
from storage.diff.values import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from storage.diff.report.values import Entry, Result, Said
    from storage.diff.values import Difference

WIDTH_LEAST = 40
_SEPARATOR = " │ "
_INDENT = 4
_SIGNS = {
    State.EQUAL: ("=", "dim"), State.DIFFERENT: ("≠", "yellow"), State.MISSING: ("-", "red"),
    State.EXTRA: ("+", "green"), State.NOT_COMPARED: ("?", "magenta"),
}  # fmt: skip
_KINDS = {
    Kind.MISSING: "red", Kind.EXTRA: "green", Kind.STATUS: "bold red", Kind.CODE: "red", Kind.ORDER: "magenta",
    Kind.CAPABILITY: "cyan", Kind.TEXT: "dim", Kind.TIMING: "dim",
}  # fmt: skip


def lines(result: Result, width: int, *, everything: bool = False) -> Iterator[Text]:
    """The report, none of its lines wider than `width` cells. With `everything`, equal exchanges one by one."""
    page = _Page(max(width, WIDTH_LEAST))
    yield from page.head(result)
    for talk, entries in result.sessions():
        yield Text()
        yield from page.row(*sides(talk), "bold")
        for entry in entries if everything else folded(entries):
            yield from page.folded(entry) if isinstance(entry, Folded) else page.entry(entry)
    yield Text()
    yield from page.foot(result)


class _Page:
    """Two columns."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._column = (width - len(_SEPARATOR)) // 2

    def head(self, result: Result) -> Iterator[Text]:
        """Who is compared, and what their servers can do."""
        left, right = result.left, result.right
        yield from self.row(f"A {left.address}", f"B {right.address}", "bold")
        yield from self.row(left.server, right.server, "dim")
        ours, theirs, both = only(result)
        yield Text()
        yield from self._paragraph("capabilities of both: ", " ".join(both) or "none", "dim")
        for word in result.words:
            if word.left != word.right:
                style = "cyan" if word.same else "yellow"
                one, other = (f"{word.name}: {offered(times)}" for times in (word.left, word.right))
                yield from self.row(one, other, style)
        if ours or theirs:
            yield from self._paragraph("", f"only A: {len(ours)}, only B: {len(theirs)}", "yellow")

    def folded(self, run: Folded) -> Iterator[Text]:
        """Exchanges that are equal."""
        what = ", ".join(run.commands[:6]) + (", …" if len(run.commands) > 6 else "")
        yield from self._paragraph("  = ", f"{run.size} equal: {what}", "dim")

    def entry(self, entry: Entry) -> Iterator[Text]:
        """An exchange and its counterpart, with what differs."""
        sign, style = _SIGNS[entry.state]
        yield from self.row(_titled(sign, entry.left), _titled(sign, entry.right), style)
        if entry.reason:
            yield from self._below(entry.reason, "magenta")
        for difference in entry.differences:
            yield from self._difference(difference)
        if entry.nearest is not None:
            side = "B" if entry.right is None else "A"
            yield from self._below(f"nearest in {side}: {title(entry.nearest)}", "dim")

    def foot(self, result: Result) -> Iterator[Text]:
        """The verdict, and the counts behind it."""
        for noisy in result.noise:
            yield from self._paragraph("", f"{noisy.rule}: {noise_line(noisy)}", "yellow" if noisy.more else "dim")
        for what, counts in tallies(result.totals):
            yield from self._paragraph(f"{what}: ", counts, "")
        yield from self._paragraph("", verdict(result.totals), "bold red" if result.totals.different else "bold green")

    def row(self, left: str, right: str, style: str) -> Iterator[Text]:
        """A line of both columns, or as many as its text needs."""
        columns = (chop_cells(plain(side), self._column) for side in (left, right))
        for one, other in zip_longest(*columns, fillvalue=""):
            blank = " " * (self._column - cell_len(one))
            line = Text.assemble((one, style), blank, (_SEPARATOR, "dim"), (other, style))
            line.rstrip()
            yield line

    def _difference(self, difference: Difference) -> Iterator[Text]:
        style = _KINDS.get(difference.kind, "yellow")
        yield from self._below(f"{difference.kind.value} {difference.where}", style)
        left, right = (_valued(side) for side in (difference.left, difference.right))
        yield from self.row(left, right, style)
        if difference.cause:
            yield from self._below(f"  because {difference.cause}", "dim")

    def _paragraph(self, name: str, text: str, style: str) -> Iterator[Text]:
        """A line over both columns, or as many as its text needs."""
        return self._lines(name + plain(text), 0, style)

    def _below(self, text: str, style: str) -> Iterator[Text]:
        """The same for what is said of an exchange."""
        return self._lines(plain(text), _INDENT, style)

    def _lines(self, text: str, indent: int, style: str) -> Iterator[Text]:
        for part in chop_cells(text, self._width - indent):
            yield Text(" " * indent + part, style)


def _valued(side: str | None) -> str:
    return "" if side is None else " " * (_INDENT + 2) + side


def _titled(sign: str, said: Said | None) -> str:
    return "" if said is None else f"  {sign} {title(said)}  {said.result}"
