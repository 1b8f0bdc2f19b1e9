"""Quirks: what the wild does and the grammar forbids, each by its name (M 2.8, 11); docs/grammar.md lists them."""

from __future__ import annotations

import enum
from typing import NamedTuple

NOTES_MOST = 1000
"""So many quirks of one unit are told; a unit may have more."""


class Quirk(enum.StrEnum):
    """A departure from the RFCs that is read all the same. The value is what it is called in reports."""

    DOUBLED_SPACE = "doubled space"
    EXTRA_SPACE = "space where none belongs"
    TAB = "tab where a space belongs"
    TRAILING_SPACE = "space before the line end"
    MISSING_SPACE = "no space where one belongs"
    BARE_LF = "line end without CR"
    CUT = "no line end"
    EIGHT_BIT = "8-bit bytes outside a literal"
    ODD_ATOM = "characters an atom may not hold"
    ODD_ESCAPE = "backslash that escapes nothing"
    ATOM_FOR_STRING = "atom where a string belongs"
    STRING_FOR_ATOM = "string where an atom belongs"
    NIL_FOR_STRING = "NIL where a string belongs"
    NIL_FOR_LIST = "NIL where a list belongs"
    MISSING_LIST = "no parentheses where they belong"
    NEGATIVE = "negative number"
    BIG_NUMBER = "number beyond its range"
    ODD_DATE = "date that is none"
    ODD_TAG = "characters a tag may not hold"
    TAGGED_BYE = "BYE with a tag"
    NO_TEXT = "status without text"
    NO_STATUS = "response code without OK, NO or BAD"
    UNKNOWN_STATUS = "tagged line without OK, NO or BAD"
    CODE_ARGUMENTS = "response code with unexpected arguments"
    OPEN_CODE = "response code that is never closed"
    SHORT_ENVELOPE = "ENVELOPE with fields missing"
    BARE_ADDRESS = "address that is no list"
    SHORT_ADDRESS = "address with fields missing"
    NO_PARTS = "multipart without parts"
    NO_SUBTYPE = "part without subtype"
    EMPTY_PART = "body part that is NIL or ()"
    BASIC_MESSAGE = "message/rfc822 without its envelope"
    MISSING_LINES = "text part without lines"
    ODD_DISPOSITION = "disposition that is no list"
    ODD_FIELD = "body field of another kind"
    ODD_ORIGIN = "origin with a length"
    SECTION_SUFFIX = "brackets after RFC822"
    UNREAD_ITEM = "FETCH item kept as it stands"
    WRAPPED_ITEM = "FETCH item in parentheses of its own"
    NO_VALUE = "FETCH item without a value"
    UNEXPECTED = "known word with arguments of another kind"


class Noted(NamedTuple):
    """A quirk and where it is: offsets of its first byte and of the byte behind it, from the start of the unit.

    `detail` says what had been expected where that is not in the name.
    """

    quirk: Quirk
    start: int
    end: int
    detail: str = ""
