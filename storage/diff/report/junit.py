"""A comparison as JUnit XML, for those who watch builds: a suite a pair of sessions, a test case an exchange."""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from storage.diff.report.values import State
from storage.diff.report.words import plain, sides, title, verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import TextIO

    from storage.diff.report.values import Entry, Result, Talk
    from storage.diff.values import Difference

_IN_MEMORY = 4 * 1024 * 1024
_BLOCK = 64 * 1024
_LONE = "session"
# XML 1.0 section 2.2: what no document may hold, not even escaped, and what `plain` takes for printable.
_FORBIDDEN = re.compile("[\ud800-\udfff\ufffe\uffff]")


def parts(result: Result) -> Iterator[str]:
    """The text of the document."""
    totals = result.totals
    cases = totals.states.total() + totals.sessions[State.MISSING] + totals.sessions[State.EXTRA]
    skipped = totals.states[State.NOT_COMPARED]
    failed = cases - skipped - totals.states[State.EQUAL]
    name = f"{result.left.address} and {result.right.address}: {verdict(totals)}"
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield f'<testsuites name={_attribute(name)} tests="{cases}" failures="{failed}" errors="0" skipped="{skipped}">\n'
    for talk, entries in result.sessions():
        yield from _suite(talk, entries)
    yield "</testsuites>\n"


def _suite(talk: Talk, entries: Iterable[Entry]) -> Iterator[str]:
    """Counts stand in front of what they count, which may not fit into memory."""
    counts: Counter[State] = Counter()
    name = " and ".join(sides(talk))
    with tempfile.SpooledTemporaryFile(_IN_MEMORY, "w+", encoding="utf-8") as file:
        for entry in entries:
            counts[entry.state] += 1
            file.writelines(_case(entry, name))
        if talk.left is None or talk.right is None:
            counts[State.MISSING] += 1
            file.write(f"    <testcase classname={_attribute(name)} name={_attribute(_LONE)}>\n")
            file.write(f"      <failure type={_attribute(_LONE)} message={_attribute(name)}/>\n    </testcase>\n")
        skipped = counts[State.NOT_COMPARED]
        failed = counts.total() - skipped - counts[State.EQUAL]
        yield (
            f'  <testsuite name={_attribute(name)} tests="{counts.total()}" failures="{failed}" errors="0" '
            f'skipped="{skipped}">\n'
        )
        yield from _again(file)
    yield "  </testsuite>\n"


def _again(file: tempfile.SpooledTemporaryFile[str] | TextIO) -> Iterator[str]:
    file.seek(0)
    while block := file.read(_BLOCK):
        yield block


def _case(entry: Entry, suite: str) -> Iterator[str]:
    said = entry.left or entry.right
    took = f' time="{said.took / 1_000_000:.6f}"' if said and said.took is not None else ""
    name = title(said) if entry.left else f"B {title(said)}"
    yield f"    <testcase classname={_attribute(suite)} name={_attribute(name)}{took}"
    if entry.state is State.EQUAL:
        yield f"><system-out>{_text(entry.reason)}</system-out></testcase>\n" if entry.reason else "/>\n"
        return
    yield ">\n"
    if entry.state is State.NOT_COMPARED:
        yield f"      <skipped message={_attribute(entry.reason)}/>\n"
    else:
        kinds = dict.fromkeys(each.kind.value for each in entry.differences)
        message = "; ".join(f"{each.kind.value} {each.where}" for each in entry.differences)
        yield f"      <failure type={_attribute(', '.join(kinds))} message={_attribute(message)}>"
        yield "\n".join(_text(_sentence(each)) for each in entry.differences)
        if entry.nearest is not None:
            yield _text(f"\nnearest: {title(entry.nearest)}")
        yield "</failure>\n"
    yield "    </testcase>\n"


def _sentence(difference: Difference) -> str:
    left, right = ("nothing" if side is None else side for side in (difference.left, difference.right))
    cause = f" ({difference.cause})" if difference.cause else ""
    return f"{difference.kind.value} {difference.where}: {left} / {right}{cause}"


def _attribute(text: str) -> str:
    return quoteattr(_clean(text))


def _text(text: str) -> str:
    return "\n".join(escape(_clean(line)) for line in text.split("\n"))


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", plain(text))
