"""A comparison as one JSON object; docs/cli.md describes its keys."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from storage.diff.report.words import plain, verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from storage.diff.report.values import Entry, Noisy, Result, Said, Side, Word
    from storage.diff.values import Difference

Object = dict[str, object]


def parts(result: Result) -> Iterator[str]:
    """The text of the object, a pair of exchanges a line."""
    yield "{\n"
    for name, value in _head(result).items():
        yield f"  {json.dumps(name)}: {json.dumps(value)},\n"
    yield '  "sessions": ['
    separator = ""
    for talk, entries in result.sessions():
        yield f'{separator}\n    {{"left": {json.dumps(talk.left)}, "right": {json.dumps(talk.right)}, "exchanges": ['
        yield from _lines(entries)
        yield "]}"
        separator = ","
    yield "\n  ]\n}\n"


def _lines(entries: Iterable[Entry]) -> Iterator[str]:
    separator = "\n      "
    for entry in entries:
        yield separator + json.dumps(_entry(entry))
        separator = ",\n      "


def _head(result: Result) -> Object:
    totals = result.totals
    return {
        "left": _side(result.left),
        "right": _side(result.right),
        "equal": not totals.different and totals.compared > 0,
        "verdict": verdict(totals),
        "states": {state.value: count for state, count in sorted(totals.states.items())},
        "session_states": {
            "paired" if state.value == "equal" else state.value: count
            for state, count in sorted(totals.sessions.items())
        },
        "kinds": {kind.value: count for kind, count in sorted(totals.kinds.items())},
        "moved": totals.moved,
        "not_kept": totals.not_kept,
        "reasons": dict(sorted(totals.reasons.items())),
        "capabilities": [_word(word) for word in result.words],
        "rules": [_rule(name, count, result) for name, count in sorted(totals.rules.items())],
        "noise": [_noisy(noisy) for noisy in result.noise],
    }


def _side(side: Side) -> Object:
    return {"address": side.address, "server": plain(side.server)}


def _word(word: Word) -> Object:
    return {
        "name": word.name,
        "left": {"before_login": word.left[0], "after_login": word.left[1]},
        "right": {"before_login": word.right[0], "after_login": word.right[1]},
    }


def _rule(name: str, count: int, result: Result) -> Object:
    example = result.totals.examples.get(name)
    shown = {"where": example.where, "left": example.left, "right": example.right} if example else None
    return {"rule": name, "count": count, "example": shown}


def _noisy(noisy: Noisy) -> Object:
    (seen, of), (hits, compared) = noisy.seen, noisy.here
    return {
        "rule": noisy.rule, "seen": seen, "of": of, "passed": hits, "compared": compared, "more_often": noisy.more,
    }  # fmt: skip


def _entry(entry: Entry) -> Object:
    return {
        "state": entry.state.value,
        "left": _said(entry.left),
        "right": _said(entry.right),
        "moved": entry.moved,
        "reason": entry.reason,
        "nearest": _said(entry.nearest),
        "passes": entry.passed,
        "differences": [_difference(each) for each in entry.differences],
    }


def _said(said: Said | None) -> Object | None:
    if said is None:
        return None
    ms = None if said.took is None else said.took / 1000
    return {"exchange": said.number, "command": said.command, "result": said.result, "ms": ms}


def _difference(difference: Difference) -> Object:
    return {
        "kind": difference.kind.value,
        "where": difference.where,
        "left": difference.left,
        "right": difference.right,
        "cause": difference.cause,
    }
