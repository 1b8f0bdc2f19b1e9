"""A comparison as one HTML page: nothing is loaded, nothing runs, dark and light as the reader likes it."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from storage.diff.report.style import STYLE
from storage.diff.report.values import State
from storage.diff.report.words import Folded, folded, noise_line, offered, only, plain, sides, tallies, title, verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from storage.diff.report.values import Entry, Result, Said
    from storage.diff.values import Difference

_SIGNS = {
    State.EQUAL: "=", State.DIFFERENT: "≠", State.MISSING: "-", State.EXTRA: "+", State.NOT_COMPARED: "?",
}  # fmt: skip


def parts(result: Result) -> Iterator[str]:
    """The text of the page."""
    names = f"{result.left.address} and {result.right.address}"
    yield f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{_text(names)}</title>\n'
    # No page of letters may load or run anything, whatever slips through.
    yield (
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta name="color-scheme" content="light dark">\n<style>\n{STYLE}</style>\n</head>\n<body>\n'
    )
    yield from _head(result)
    yield from _capabilities(result)
    for talk, entries in result.sessions():
        one, other = map(_text, sides(talk))
        yield f'<section>\n<h2><span class="a">{one}</span><span class="b">{other}</span></h2>\n'
        for entry in folded(entries):
            yield _equal(entry) if isinstance(entry, Folded) else _entry(entry)
        yield "</section>\n"
    yield from _passed(result)
    yield "</body>\n</html>\n"


def _head(result: Result) -> Iterator[str]:
    totals, left, right = result.totals, result.left, result.right
    yield "<header>\n<h1>imaptap diff</h1>\n"
    yield f'<p class="verdict {"bad" if totals.different else "good"}">{_text(verdict(totals))}</p>\n'
    yield '<div class="pair">\n'
    for name, side in (("A", left), ("B", right)):
        address, server = _text(side.address), _text(side.server)
        yield f'<div><b class="side">{name}</b> <b>{address}</b><br><small>{server}</small></div>\n'
    yield "</div>\n<dl>\n"
    for what, counts in tallies(totals):
        yield f"<dt>{_text(what)}</dt><dd>{_text(counts)}</dd>\n"
    yield "</dl>\n</header>\n"


def _capabilities(result: Result) -> Iterator[str]:
    yield "<section>\n<h2>Capabilities</h2>\n"
    differing = [word for word in result.words if word.left != word.right]
    if differing:
        yield "<table>\n<tr><th>capability</th><th>A</th><th>B</th></tr>\n"
    for word in differing:
        cells = "".join(f'<td class="{_had(times)}">{offered(times)}</td>' for times in (word.left, word.right))
        yield f"<tr><td><code>{_text(word.name)}</code></td>{cells}</tr>\n"
    if differing:
        yield "</table>\n"
    both = only(result)[2]
    yield f"<details><summary>{len(both)} in both</summary><p><code>{_text(' '.join(both))}</code></p></details>\n"
    yield "</section>\n"


def _equal(run: Folded) -> str:
    shown = ", ".join(run.commands[:6]) + (", …" if len(run.commands) > 6 else "")
    first, last = (entry.left.number if entry.left else 0 for entry in (run.first, run.last))
    numbers = str(first) if first == last else f"{first} to {last}"
    return f'<p class="equal">= {run.size} equal ({numbers}): {_text(shown)}</p>\n'


def _entry(entry: Entry) -> str:
    kind = entry.state.value.replace(" ", "-")
    lines = [f'<article class="{kind}">\n<div class="pair">']
    lines += [_said(entry.left, entry.state), _said(entry.right, entry.state), "</div>\n"]
    if entry.reason:
        lines.append(f'<p class="reason">{_text(entry.reason)}</p>\n')
    lines += map(_difference, entry.differences)
    if entry.nearest is not None:
        side = "B" if entry.right is None else "A"
        lines.append(f'<p class="cause">nearest in {side}: <code>{_text(title(entry.nearest))}</code></p>\n')
    return "".join([*lines, "</article>\n"])


def _said(said: Said | None, state: State) -> str:
    if said is None:
        return '<div class="none">nothing</div>'
    sign = f'<span class="sign">{_SIGNS[state]}</span>'
    return f"<div>{sign} <code>{_text(title(said))}</code> <small>{_text(said.result)}</small></div>"


def _difference(difference: Difference) -> str:
    kind = difference.kind.value
    sides_shown = "".join(
        '<div class="none">nothing</div>' if side is None else f'<div class="{name}"><code>{_text(side)}</code></div>'
        for name, side in (("left", difference.left), ("right", difference.right))
    )
    cause = f'<p class="cause">{_text(difference.cause)}</p>' if difference.cause else ""
    return (
        f'<div class="difference"><p><b class="kind {kind}">{kind}</b> {_text(difference.where)}</p>'
        f'<div class="pair">{sides_shown}</div>{cause}</div>\n'
    )


def _passed(result: Result) -> Iterator[str]:
    rules = result.totals.rules
    if rules:
        yield f"<section>\n<details><summary>Let pass by {len(rules)} rules</summary>\n<table>\n"
        yield "<tr><th>rule</th><th>times</th><th>for example</th><th>A</th><th>B</th></tr>\n"
        for name, count in sorted(rules.items()):
            example = result.totals.examples.get(name)
            shown = (example.where, example.left or "", example.right or "") if example else ("", "", "")
            cells = "".join(f"<td><code>{_text(cell)}</code></td>" for cell in shown)
            yield f"<tr><td>{_text(name)}</td><td>{count}</td>{cells}</tr>\n"
        yield "</table>\n</details>\n</section>\n"
    if result.noise:
        yield "<section>\n<h2>Noise</h2>\n<ul>\n"
        for noisy in result.noise:
            yield f'<li class="{"more" if noisy.more else ""}">{_text(noisy.rule)}: {_text(noise_line(noisy))}</li>\n'
        yield "</ul>\n</section>\n"


def _had(times: tuple[bool, bool]) -> str:
    return "yes" if any(times) else "no"


def _text(text: str) -> str:
    return escape(plain(text))
