"""A comparison in Markdown (GitHub's, with tables), for an issue or a wiki."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from storage.diff.report.words import Folded, folded, noise_line, offered, only, plain, sides, tallies, title, verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from storage.diff.report.values import Entry, Result
    from storage.diff.values import Difference

_SPECIAL = re.compile(r"([\\`*_\[\]#|<>~&@:])")
_TICKS = re.compile(r"`+")


def parts(result: Result) -> Iterator[str]:
    """The text."""
    left, right = _text(result.left.address), _text(result.right.address)
    yield f"# {left} and {right}\n\n**{_text(verdict(result.totals))}**\n\n"
    yield f"| | A: {left} | B: {right} |\n|---|---|---|\n"
    yield f"| server | {_text(result.left.server)} | {_text(result.right.server)} |\n"
    for what, counts in tallies(result.totals):
        yield f"\n- {what}: {_text(counts)}"
    yield "\n\n## Capabilities\n\n"
    yield from _capabilities(result)
    for talk, entries in result.sessions():
        yield "\n## {} and {}\n\n".format(*map(_text, sides(talk)))
        for entry in folded(entries):
            yield from _equal(entry) if isinstance(entry, Folded) else _entry(entry)
    yield from _passed(result)


def _capabilities(result: Result) -> Iterator[str]:
    differing = [word for word in result.words if word.left != word.right]
    if differing:
        yield "| | A | B |\n|---|---|---|\n"
    for word in differing:
        yield f"| {_text(word.name)} | {offered(word.left)} | {offered(word.right)} |\n"
    both = only(result)[2]
    yield f"\nIn both: {_text(' '.join(both)) or 'none'}\n"


def _equal(run: Folded) -> Iterator[str]:
    yield f"- {run.size} equal: {_text(', '.join(run.commands[:6]))}\n"


def _entry(entry: Entry) -> Iterator[str]:
    heads = (_code(title(said)) if said else "nothing" for said in (entry.left, entry.right))
    one, other = heads
    yield f"\n### {entry.state.value}: {one} / {other}\n\n"
    if entry.reason:
        yield f"{_text(entry.reason)}\n\n"
    if entry.differences:
        yield "| class | where | A | B | cause |\n|---|---|---|---|---|\n"
        for difference in entry.differences:
            yield _row(difference)
    if entry.nearest is not None:
        yield f"\nNearest: {_code(title(entry.nearest))}\n"
    yield "\n"


def _row(difference: Difference) -> str:
    shown = ("" if side is None else _code(side) for side in (difference.left, difference.right))
    one, other = shown
    cells = (difference.kind.value, _code(difference.where), one, other, _text(difference.cause))
    return f"| {' | '.join(cells)} |\n"


def _passed(result: Result) -> Iterator[str]:
    if result.totals.rules:
        yield "\n## Let pass\n\n| rule | times |\n|---|---|\n"
        for name, count in sorted(result.totals.rules.items()):
            yield f"| {_text(name)} | {count} |\n"
    for noisy in result.noise:
        yield f"\n- {_text(noisy.rule)}: {_text(noise_line(noisy))}"
    if result.noise:
        yield "\n"


def _text(text: str) -> str:
    """Text in which nothing is Markdown or HTML."""
    return _SPECIAL.sub(r"\\\1", plain(text))


def _code(text: str) -> str:
    """Text as code, in a table too: a bar would end the cell even there, so it is shown as what looks like one."""
    shown = plain(text).replace("|", "¦")
    fence = "`" * (1 + max(map(len, _TICKS.findall(shown)), default=0))
    pad = " " if shown.startswith("`") or shown.endswith("`") or not shown else ""
    return f"{fence}{pad}{shown}{pad}{fence}"
