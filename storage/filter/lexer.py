"""A filter cut into tokens. What a word is depends on where it stands: behind a comparison it is a value."""

from __future__ import annotations

import enum
import re
from typing import Final, NamedTuple

from storage.filter.errors import FilterError

LONGEST: Final = 4096
"""Characters of a filter."""

_SPACE: Final = re.compile(r"\s*")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_OPERATOR: Final = re.compile(r"!=|>=|<=|[:=<>]")
_BARE: Final = re.compile(r'[^\s()"]+')
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_SPECIAL: Final = re.compile(r"\\(.)|(\*)", re.DOTALL)
_END_OF_VALUE: Final = re.compile(r"\s|[()]|\Z")


class Sign(enum.Enum):
    """What a token is."""

    LEFT = "("
    RIGHT = ")"
    NAME = "a name"
    OPERATOR = "a comparison"
    VALUE = "a value"
    END = "the end"


class Token(NamedTuple):
    """`column` counts from 1. `pattern` is a value's text, cut at its wildcards."""

    sign: Sign
    text: str
    column: int
    pattern: tuple[str, ...] = ()


def tokens(expression: str) -> list[Token]:
    """All tokens, END last. Raises FilterError."""
    if len(expression) > LONGEST:
        raise FilterError(f"it is longer than {LONGEST} characters", LONGEST + 1, "Write a shorter one.")
    found: list[Token] = []
    position = _SPACE.match(expression).end()  # type: ignore[union-attr]  # it matches anything
    while position < len(expression):
        value = bool(found) and found[-1].sign is Sign.OPERATOR
        token, position = _value(expression, position) if value else _token(expression, position)
        found.append(token)
        position = _SPACE.match(expression, position).end()  # type: ignore[union-attr]
    found.append(Token(Sign.END, "", len(expression) + 1))
    return found


def _token(expression: str, position: int) -> tuple[Token, int]:
    character = expression[position]
    if character in "()":
        return Token(Sign(character), character, position + 1), position + 1
    if character == '"':
        return _value(expression, position)
    for sign, form in ((Sign.NAME, _NAME), (Sign.OPERATOR, _OPERATOR)):
        if match := form.match(expression, position):
            return Token(sign, match[0], position + 1), match.end()
    hint = 'Write facts such as cmd:FETCH, put words in quotes: "over quota".'
    raise FilterError(f"{character!r} begins nothing", position + 1, hint)


def _value(expression: str, position: int) -> tuple[Token, int]:
    """A value: a quoted string with escapes, or anything up to a blank or a parenthesis."""
    if expression[position] in "()":
        raise FilterError("a value is missing", position + 1, "Write one, in quotes if it has parentheses in it.")
    if expression[position] != '"':
        match = _BARE.match(expression, position)
        text = match[0] if match else ""
        pattern = tuple(text.split("*"))
    else:
        match = _QUOTED.match(expression, position)
        if match is None:
            raise FilterError("the quotes do not end", position + 1, 'Write ", and \\" for one inside.')
        text, pattern = match[1], _unescaped(match[1])
    end = position + len(text) if match is None else match.end()
    if not _END_OF_VALUE.match(expression, end):
        raise FilterError("the value ends, and something follows it at once", end + 1, "Quote all of it, or nothing.")
    return Token(Sign.VALUE, text, position + 1, pattern), end


def _unescaped(text: str) -> tuple[str, ...]:
    parts = [""]
    end = 0
    for special in _SPECIAL.finditer(text):
        parts[-1] += text[end : special.start()] + (special[1] or "")
        if special[2]:
            parts.append("")
        end = special.end()
    parts[-1] += text[end:]
    return tuple(parts)
