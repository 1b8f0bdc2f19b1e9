"""A comparison in Markdown (GitHub's, with tables), for an issue or a wiki."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage.diff.report.marking import code, marked
from storage.diff.report.words import Folded, folded, noise_line, offered, only, sides, tallies, title, verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from storage.diff.report.values import Entry, Result
    from storage.diff.values import Difference


def parts(result: Result) -> Iterator[str]:
    """The text."""
    left, right = marked(result.left.address), marked(result.right.address)
    yield f"# {left} and {right}\n\n**{marked(verdict(result.totals))}**\n\n"
    yield f"| | A: {left} | B: {right} |\n|---|---|---|\n"
    yield f"| server | {marked(result.left.server)} | {marked(result.right.server)} |\n"
    for what, counts in tallies(result.totals):
        yield f"\n- {what}: {marked(counts)}"
    yield "\n\n## Capabilities\n\n"
    yield from _capabilities(result)
    for talk, entries in result.sessions():
        yield "\n## {} and {}\n\n".format(*map(marked, sides(talk)))
        for entry in folded(entries):
            yield from _equal(entry) if isinstance(entry, Folded) else _entry(entry)
    yield from _passed(result)


def _capabilities(result: Result) -> Iterator[str]:
    differing = [word for word in result.words if word.left != word.right]
    if differing:
        yield "| | A | B |\n|---|---|---|\n"
    for word in differing:
        yield f"| {marked(word.name)} | {offered(word.left)} | {offered(word.right)} |\n"
    both = only(result)[2]
    yield f"\nIn both: {marked(' '.join(both)) or 'none'}\n"


def _equal(run: Folded) -> Iterator[str]:
    yield f"- {run.size} equal: {marked(', '.join(run.commands[:6]))}\n"


def _entry(entry: Entry) -> Iterator[str]:
    heads = (code(title(said)) if said else "nothing" for said in (entry.left, entry.right))
    one, other = heads
    yield f"\n### {entry.state.value}: {one} / {other}\n\n"
    if entry.reason:
        yield f"{marked(entry.reason)}\n\n"
    if entry.differences:
        yield "| class | where | A | B | cause |\n|---|---|---|---|---|\n"
        for difference in entry.differences:
            yield _row(difference)
    if entry.nearest is not None:
        yield f"\nNearest: {code(title(entry.nearest))}\n"
    yield "\n"


def _row(difference: Difference) -> str:
    shown = ("" if side is None else code(side) for side in (difference.left, difference.right))
    one, other = shown
    cells = (difference.kind.value, code(difference.where), one, other, marked(difference.cause))
    return f"| {' | '.join(cells)} |\n"


def _passed(result: Result) -> Iterator[str]:
    if result.totals.rules:
        yield "\n## Let pass\n\n| rule | times |\n|---|---|\n"
        for name, count in sorted(result.totals.rules.items()):
            yield f"| {marked(name)} | {count} |\n"
    for noisy in result.noise:
        yield f"\n- {marked(noisy.rule)}: {marked(noise_line(noisy))}"
    if result.noise:
        yield "\n"
