"""Rules files: what a comparison lets pass, in TOML, for people to edit."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from storage.diff.noise import ANYTHING, NoiseRule
from storage.diff.values import Kind
from storage.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

SIZE_MOST = 4 * 1024 * 1024
_KINDS = (ANYTHING, *(kind.value for kind in Kind))
_TEXTS = ("where", "command", "kind", "example")
_COUNTS = ("seen", "of")
_UNSAFE = re.compile(r'[\\"\x00-\x1f\x7f]')
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t"}

HEADER = """\
# Rules for `imaptap diff --rules`: what is let pass when two recordings are compared.
#
# off: built-in rules that are switched off; `imaptap diff --explain` lists them.
# text, timing: true compares words for people, and how long answers took.
# Each [[noise]] lets differences pass: of this command and kind, at this place. * stands for anything.
# seen, of and example say where a rule comes from, and are not needed: it was learned when so many of so many such
# commands differed like the example (left / right) although the server was the same.
"""


class RulesError(StorageError):
    """A rules file that cannot be used."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What a rules file says."""

    off: tuple[str, ...] = ()
    text: bool = False
    timing: bool = False
    noise: tuple[NoiseRule, ...] = ()


def read_rules(path: Path) -> Rules:
    """A rules file. Raises RulesError."""
    try:
        with path.open("rb") as file:
            data = file.read(SIZE_MOST + 1)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise RulesError(f"The rules file {path} cannot be read: {reason}.", "Name another one.") from error
    if len(data) > SIZE_MOST:
        raise RulesError(f"The rules file {path} is larger than {SIZE_MOST} bytes.", "It is not one of imaptap.")
    try:
        return _rules(tomllib.loads(data.decode()))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RulesError(f"The rules file {path} is no TOML: {error}.", "Correct it, or make it anew.") from error
    except ValueError as error:
        raise RulesError(f"The rules file {path}: {error}.", "docs/diff.md says what may stand there.") from error


def written(rules: Rules) -> str:
    """The text of a rules file."""
    return "\n".join((HEADER, *_lines(rules))) + "\n"


def _lines(rules: Rules) -> Iterator[str]:
    yield f"off = [{', '.join(map(_quoted, rules.off))}]"
    yield f"text = {str(rules.text).lower()}"
    yield f"timing = {str(rules.timing).lower()}"
    for rule in rules.noise:
        yield ""
        yield "[[noise]]"
        yield f"command = {_quoted(rule.command)}"
        yield f"kind = {_quoted(rule.kind)}"
        yield f"where = {_quoted(rule.where)}"
        if rule.of:
            yield f"seen = {rule.seen}"
            yield f"of = {rule.of}"
        if rule.example:
            yield f"example = {_quoted(rule.example)}"


def _quoted(text: str) -> str:
    """A basic string (TOML 1.0). What is no Unicode, which it cannot hold, is shown as an escape."""
    clean = text.encode("utf-8", "backslashreplace").decode()
    return f'"{_UNSAFE.sub(_escape, clean)}"'


def _escape(found: re.Match[str]) -> str:
    return _ESCAPES.get(found[0]) or f"\\u{ord(found[0]):04x}"


def _rules(document: dict[str, Any]) -> Rules:
    _known(document, ("off", "text", "timing", "noise"), "")
    off, noise = document.get("off", []), document.get("noise", [])
    if not isinstance(off, list) or not all(isinstance(name, str) for name in cast("list[object]", off)):
        raise ValueError("`off` is a list of rules' names")
    if not isinstance(noise, list) or not all(isinstance(table, dict) for table in cast("list[object]", noise)):
        raise ValueError("`noise` is a table of its own for each rule, under [[noise]]")
    tables = enumerate(cast("list[dict[str, Any]]", noise), 1)
    return Rules(
        tuple(cast("list[str]", off)),
        _flag(document, "text"),
        _flag(document, "timing"),
        tuple(_noise(table, f"the noise rule number {number}") for number, table in tables),
    )


def _flag(document: Mapping[str, Any], name: str) -> bool:
    value = document.get(name, False)
    if not isinstance(value, bool):
        raise ValueError(f"`{name}` is true or false")
    return value


def _noise(table: dict[str, Any], place: str) -> NoiseRule:
    _known(table, (*_TEXTS, *_COUNTS), f" in {place}")
    for name in _TEXTS:
        if not isinstance(table.get(name, ""), str):
            raise ValueError(f"`{name}` in {place} is text")
    for name in _COUNTS:
        if type(table.get(name, 0)) is not int:
            raise ValueError(f"`{name}` in {place} is a number")
    if not table.get("where"):
        raise ValueError(f'{place} has no `where`; write "*" if any place is meant')
    rule = NoiseRule(**table)
    if rule.kind not in _KINDS:
        raise ValueError(f"`kind` in {place} is one of {', '.join(_KINDS)}")
    return rule


def _known(table: Mapping[str, Any], names: tuple[str, ...], place: str) -> None:
    for name in table:
        if name not in names:
            raise ValueError(f"there is no `{name}`{place}, only {', '.join(names)}")
