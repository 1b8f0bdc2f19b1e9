"""`key=value` behind the word that a statement begins with: how values are written and read.

A value is a word without blanks, or JSON: a string in quotes, a list, an object. Bytes are strings where they are text,
else `hex:` and their digits.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from storage.cassette.errors import WrongError
from storage.cassette.escapes import read_later, seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_KEY = re.compile(r" +([a-z][a-z0-9-]*)=")
_WORD = re.compile(r"[A-Za-z0-9_.:/+*@-]+")
_NUMBER = re.compile(r"-?[0-9]{1,18}")
_HEX = re.compile(r"hex:((?:[0-9a-f]{2})*)")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOMENT = "%Y-%m-%dT%H:%M:%S.%fZ"
_DECODER = json.JSONDecoder()


class Field(NamedTuple):
    """A value as it stands there, and in which column; what it may be, whoever asks for it knows."""

    value: Any
    column: int


def read_fields(text: str, column: int) -> dict[str, Field]:
    """The fields in `text`, which begins at that column of its line. Raises WrongError."""
    fields: dict[str, Field] = {}
    position, text = 0, text.rstrip(" ")
    while position < len(text):
        key = _KEY.match(text, position)
        if not key:
            raise WrongError(column + position + 1, "key=value is expected here")
        if key[1] in fields:
            raise WrongError(column + key.start(1), f"{key[1]} is said twice", "Say it once.")
        value, position = _value(text, key.end(), column)
        fields[key[1]] = Field(value, column + key.end())
    return fields


def _value(text: str, start: int, column: int) -> tuple[Any, int]:
    word = _WORD.match(text, start)
    if word:
        return word[0], word.end()
    try:
        value, end = _DECODER.raw_decode(text, start)
    except (ValueError, RecursionError) as error:
        place = error.pos if isinstance(error, json.JSONDecodeError) else start
        raise WrongError(column + place, "the value is neither a word nor JSON") from error
    return value, end


class Reader:
    """Takes the fields of a statement one by one; what is left in the end is unknown."""

    def __init__(self, fields: dict[str, Field], column: int) -> None:
        """`column` is where the statement's word stands."""
        self._fields = fields
        self._column = column
        self._known: list[str] = []

    def may(self, key: str, kind: Callable[[Any], Any], default: Any = None) -> Any:
        """The value of `key`, read by `kind`, which raises ValueError; `default` where it is not there."""
        self._known.append(key)
        field = self._fields.pop(key, None)
        if field is None:
            return default
        try:
            return kind(field.value)
        except ValueError as error:
            raise WrongError(field.column, f"the value of {key} is no {error}") from error

    def must(self, key: str, kind: Callable[[Any], Any]) -> Any:
        """The value of `key`, which has to be there."""
        if key not in self._fields:
            raise WrongError(self._column, f"{key}= is missing here")
        return self.may(key, kind)

    def done(self) -> None:
        """Raises WrongError for a field that nobody took."""
        for key, field in self._fields.items():
            hint = f"Known here: {', '.join(self._known)}."
            raise WrongError(field.column - len(key) - 1, f"{key} is not known here", hint)


# --- kinds of values: each reads what stands there; its ValueError says what it should be -------------------------


def text(value: Any) -> str:
    """Any string."""
    if not isinstance(value, str) or any("\ud800" <= character <= "\udfff" for character in value):
        raise ValueError("text")
    return value


def number(value: Any) -> int:
    """A whole number that a database can count."""
    if not isinstance(value, str) or not _NUMBER.fullmatch(value):
        raise ValueError("whole number")
    return int(value)


def count(value: Any) -> int:
    """A number from 0 on."""
    found = number(value)
    if found < 0:
        raise ValueError("number from 0 on")
    return found


def moment(value: Any) -> int:
    """Seconds with six decimals, as microseconds."""
    found = read_later(value if str(value).startswith("-") else f"+{value}") if isinstance(value, str) else None
    if found is None:
        raise ValueError("time in seconds with six decimals")
    return found


def wall(value: Any) -> int:
    """A date and a time (UTC), or microseconds, as microseconds since 1970."""
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return int(value)
    try:
        return (datetime.strptime(value, _MOMENT).replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
    except (ValueError, TypeError) as error:
        raise ValueError("date and time such as 2026-01-31T23:59:59.000000Z") from error


def octets(value: Any) -> bytes:
    """Bytes."""
    found = _HEX.fullmatch(text(value))
    return bytes.fromhex(found[1]) if found else text(value).encode()


def digest(value: Any) -> bytes:
    """A SHA-256 in hex."""
    if not isinstance(value, str) or not re.fullmatch(r"[0-9a-f]{64}", value):
        raise ValueError("SHA-256 in hex")
    return bytes.fromhex(value)


def numbers(value: Any) -> tuple[int, ...]:
    """A list of whole numbers."""
    if not isinstance(value, list) or not all(_is_count(each) for each in value):
        raise ValueError("list of numbers")
    return tuple(value)


def pairs(value: Any) -> tuple[tuple[int, int], ...]:
    """A list of pairs of numbers."""
    if not isinstance(value, list) or not value or not all(isinstance(each, list) and len(each) == 2 for each in value):
        raise ValueError("list of pairs of numbers")
    return tuple((first, last) for first, last in map(numbers, value))


def texts(value: Any) -> tuple[str, ...]:
    """A list of strings."""
    if not isinstance(value, list):
        raise ValueError("list of text")
    return tuple(map(text, value))


def counts(value: Any) -> tuple[tuple[str, int], ...]:
    """An object of numbers."""
    if not isinstance(value, dict) or not all(_is_count(each) for each in value.values()):
        raise ValueError("object of numbers")
    return tuple((text(key), each) for key, each in value.items())


def one_of(words: Mapping[str, Any]) -> Callable[[Any], Any]:
    """One of these words, as what it stands for."""

    def read(value: Any) -> Any:
        if not isinstance(value, str) or value not in words:
            raise ValueError(f"one of: {', '.join(words)}")
        return words[value]

    return read


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**63


# --- writing --------------------------------------------------------------------------------------------------------


def write_fields(fields: Iterable[tuple[str, Any]]) -> str:
    """Those that are not None, each with a blank in front."""
    return "".join(f" {key}={_written(value)}" for key, value in fields if value is not None)


def _written(value: Any) -> str:
    if isinstance(value, bytes):
        value = _octets(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str) and _WORD.fullmatch(value):
        return value
    return "".join(map(_shown, json.dumps(value, ensure_ascii=False)))


def _octets(value: bytes) -> str:
    try:
        decoded = value.decode()
    except UnicodeDecodeError:
        return f"hex:{value.hex()}"
    return f"hex:{value.hex()}" if decoded.startswith("hex:") else decoded


def _shown(character: str) -> str:
    return character if character.isprintable() else json.dumps(character)[1:-1]


def date(microseconds: int) -> str:
    """A date and a time for `wall`; a number where no calendar has it."""
    if not 0 <= microseconds < 253_402_300_800_000_000:
        return str(microseconds)
    return (_EPOCH + timedelta(microseconds=microseconds)).strftime(_MOMENT)


def time(microseconds: int) -> str:
    """Seconds for `moment`."""
    return seconds(microseconds)
