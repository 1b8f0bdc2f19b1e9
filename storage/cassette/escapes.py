"""Bytes as a line of text, and back.

`{{` is the only sign that means something: `{{=0d0a}}` are bytes in hex, `{{name:text}}` and `{{name=hex}}` bytes that
vary, `{{+0.000120}}` says that a new chunk begins so many seconds later, and `{{-}}` at the end that no CRLF follows.
"""

from __future__ import annotations

import itertools
import re
from typing import NamedTuple

from storage.cassette.errors import WrongError
from storage.cassette.values import Placeholder

NO_LINE_END = "{{-}}"
_HINT = "Forms are {{=hex}}, {{name:text}}, {{name=hex}}, {{+seconds}} and {{-}}; {{=7b7b}} stands for two braces."
_TOKEN = re.compile(r"\{\{((?:(?!\{\{|\}\}).)*)\}\}")
_NAMED = re.compile(r"([a-z][a-z0-9_-]*)([:=])(.*)")
_NAME = re.compile(r"[a-z][a-z0-9_-]*")
_HEX = re.compile(r"(?:[0-9a-f]{2})*")
_LATER = re.compile(r"([+-])([0-9]{1,12})\.([0-9]{6})")
_END_BLANK = re.compile(r"[ \t]\Z")


class Mark(NamedTuple):
    """A new chunk begins at byte `start` of the line, `later` microseconds after the one before."""

    start: int
    later: int


class Line(NamedTuple):
    """What a line of text stands for, its CRLF included."""

    data: bytes
    varies: tuple[Placeholder, ...] = ()
    marks: tuple[Mark, ...] = ()


def seconds(microseconds: int) -> str:
    """With six decimals."""
    whole, rest = divmod(abs(microseconds), 1_000_000)
    return f"{'-' if microseconds < 0 else ''}{whole}.{rest:06}"


def signed(microseconds: int) -> str:
    """The same with a sign in front."""
    return seconds(microseconds) if microseconds < 0 else f"+{seconds(microseconds)}"


def read_later(text: str) -> int | None:
    """Microseconds; None for what is no time."""
    found = _LATER.fullmatch(text)
    if not found:
        return None
    moment = int(found[2]) * 1_000_000 + int(found[3])
    return -moment if found[1] == "-" else moment


def named(name: str) -> bool:
    """Whether a placeholder can be called so."""
    return _NAME.fullmatch(name) is not None


# --- writing --------------------------------------------------------------------------------------------------------


def awkward(data: bytes) -> int:
    """How many characters or bytes of it no line of text can hold as they are."""
    text = data.decode("utf-8", "surrogateescape")
    return 0 if _plain(text) else sum(not _ordinary(character) for character in text)


def write_line(line: Line) -> str:
    """The text of a line; what is between its `marks` and `varies` is escaped where it must be."""
    ends = line.data.endswith(b"\r\n")
    size = len(line.data) - 2 if ends else len(line.data)
    if any(mark.start > size for mark in line.marks):
        ends, size = False, len(line.data)
    text = _placed(line, size) if line.marks or line.varies else _escaped(line.data[:size])
    if not ends:
        return text + NO_LINE_END
    return _END_BLANK.sub(lambda blank: _hex(blank[0].encode()), text)


def _placed(line: Line, size: int) -> str:
    """The first `size` bytes of a line with what stands in it."""
    parts: list[str] = []
    position = 0
    places: list[Mark | Placeholder] = [*line.marks, *line.varies]
    for place in sorted(places, key=_order):
        parts.append(_escaped(line.data[position : place.start]))
        position = place.start
        if isinstance(place, Mark):
            parts.append(f"{{{{{signed(place.later)}}}}}")
        else:
            position += place.length
            parts.append(_placeholder(place.name, line.data[place.start : position]))
    parts.append(_escaped(line.data[position:size]))
    return "".join(parts)


def _order(place: Mark | Placeholder) -> tuple[int, bool]:
    return (place.start, isinstance(place, Placeholder))


def _placeholder(name: str, example: bytes) -> str:
    text = example.decode("utf-8", "surrogateescape")
    if _plain(text) and "{{" not in text and "}}" not in text and not text.endswith("}"):
        return f"{{{{{name}:{text}}}}}"
    return f"{{{{{name}={example.hex()}}}}}"


def _escaped(data: bytes) -> str:
    text = data.decode("utf-8", "surrogateescape")
    if _plain(text) and "{{" not in text and not text.endswith("{"):
        return text
    runs = itertools.groupby(range(len(text)), lambda place: _doubtful(text, place))
    parts = ((doubtful, "".join(text[place] for place in run)) for doubtful, run in runs)
    return "".join(_hex(part.encode("utf-8", "surrogateescape")) if doubtful else part for doubtful, part in parts)


def _doubtful(text: str, place: int) -> bool:
    """Whether it cannot stand as it is: no ordinary character, or a brace that would meet another."""
    character, after = text[place], text[place + 1 : place + 2]
    if character != "{":
        return not _ordinary(character)
    return after in {"", "{"} or not _ordinary(after) or text[place - 1 : place] == "{"


def _plain(text: str) -> bool:
    """Whether all of it may stand as it is (braces aside)."""
    return text.isprintable() or text.replace("\t", "").isprintable()


def _ordinary(character: str) -> bool:
    return character == "\t" or character.isprintable()


def _hex(data: bytes) -> str:
    return f"{{{{={data.hex()}}}}}"


# --- reading --------------------------------------------------------------------------------------------------------


def read_line(text: str, column: int) -> Line:
    """What the text stands for, which begins at that column of its line. Raises WrongError."""
    ends = not text.endswith(NO_LINE_END)
    if not ends:
        text = text[: -len(NO_LINE_END)]
    data = bytearray()
    varies: list[Placeholder] = []
    marks: list[Mark] = []
    position = 0
    for token in _TOKEN.finditer(text):
        data += _literally(text[position : token.start()], column + position)
        position = token.end()
        what = _token(token[1], column + token.start())
        if isinstance(what, int):
            marks.append(Mark(len(data), what))
        else:
            name, example = what
            if name:
                varies.append(Placeholder(name, len(data), len(example)))
            data += example
    data += _literally(text[position:], column + position)
    if ends:
        data += b"\r\n"
    return Line(bytes(data), tuple(varies), tuple(marks))


def _literally(text: str, column: int) -> bytes:
    if "{{" in text:
        raise WrongError(column + text.index("{{"), "two braces are opened that are not closed", _HINT)
    for place, character in enumerate(text if not _plain(text) else ""):
        if not _ordinary(character):
            what = f"the character U+{ord(character):04X} cannot stand here as it is"
            raise WrongError(column + place, what, f"Write {_hex(character.encode())}.")
    return text.encode()


def _token(inside: str, column: int) -> int | tuple[str, bytes]:
    """Microseconds, or a name (empty for bytes that do not vary) with its bytes."""
    later = read_later(inside)
    if later is not None:
        return later
    if inside.startswith("="):
        return "", _from_hex(inside[1:], column + 3)
    found = _NAMED.fullmatch(inside)
    if not found:
        raise WrongError(column, f"{{{{{inside}}}}} is none of the forms that two braces open", _HINT)
    if not found[3]:
        raise WrongError(column, f"the placeholder {found[1]} has no example", "Write one: {{name:example}}.")
    if found[2] == "=":
        return found[1], _from_hex(found[3], column + 2 + found.start(3))
    return found[1], _literally(found[3], column + 2 + found.start(3))


def _from_hex(digits: str, column: int) -> bytes:
    if not _HEX.fullmatch(digits):
        raise WrongError(column, f"{digits!r} is not an even number of digits 0-9 and a-f", _HINT)
    return bytes.fromhex(digits)
