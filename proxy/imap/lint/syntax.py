"""What the grammar could not read, or only by looking the other way: each quirk is a rule (docs/grammar.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.imap.commands import KNOWN
from proxy.imap.grammar import Command, Raw, Untagged
from proxy.imap.grammar.commands import COMMANDS
from proxy.imap.grammar.generic import Unknown
from proxy.imap.grammar.quirks import Quirk
from proxy.imap.grammar.responses import DATA, NUMBERED
from proxy.imap.lint.heard import FromClient
from proxy.imap.lint.literals import miscounted_literal
from proxy.imap.lint.rules import ERROR, NOTE, WARNING, Family, Severity
from proxy.imap.transcript import Direction, readable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.imap.lint.heard import Heard
    from proxy.imap.lint.known import Known
    from proxy.imap.lint.rules import Finding

QUIRKS_TOLD = 20
"""Of one unit, and one of each kind."""

FAMILY = Family("syntax")
C, S = Direction.CLIENT, Direction.SERVER

UNREADABLE = FAMILY.rule("unreadable", None, ERROR, "9051 9", "A line does not follow the grammar.")
OPEN_QUOTE = FAMILY.rule(
    "open-quote", None, ERROR, "9051 4.3", "A quoted string is not closed: a quote within it is not escaped."
)
UNKNOWN_COMMAND = FAMILY.rule("unknown-command", C, WARNING, "9051 6.5", "No RFC that imaptap knows has this command.")
UNKNOWN_DATA = FAMILY.rule("unknown-data", S, NOTE, "9051 7", "No RFC that imaptap knows has this data.")
BAD_ARGUMENTS = FAMILY.rule("bad-arguments", None, ERROR, "9051 9", "A known word has arguments of another kind.")

_TABLE: tuple[tuple[Quirk, Direction | None, Severity, str, str], ...] = (
    (Quirk.DOUBLED_SPACE, None, ERROR, "9051 9", "There are two blanks where there is one."),
    (Quirk.EXTRA_SPACE, None, ERROR, "9051 9", "There is a blank where none belongs."),
    (Quirk.TAB, None, ERROR, "9051 9", "There is a tab where a blank belongs."),
    (Quirk.TRAILING_SPACE, None, WARNING, "9051 9", "A line ends in a blank."),
    (Quirk.MISSING_SPACE, None, ERROR, "9051 9", "There is no blank where one belongs."),
    (Quirk.ODD_ATOM, None, ERROR, "9051 9", "A word has characters that atoms may not hold, and is not quoted."),
    (
        Quirk.ODD_ESCAPE,
        None,
        ERROR,
        "9051 9",
        "In a quoted string, a backslash stands before neither quote nor backslash.",
    ),
    (Quirk.ATOM_FOR_STRING, None, ERROR, "9051 9", "An atom stands where only a string may."),
    (Quirk.STRING_FOR_ATOM, None, ERROR, "9051 9", "A string stands where only an atom may."),
    (Quirk.NIL_FOR_STRING, None, ERROR, "9051 4.5", "NIL stands where only a string may."),
    (Quirk.NIL_FOR_LIST, None, ERROR, "9051 4.5", "NIL stands where only a list may."),
    (Quirk.MISSING_LIST, None, ERROR, "9051 4.4", "There are no parentheses where they belong."),
    (Quirk.NEGATIVE, None, ERROR, "9051 4.2", "A number is negative."),
    (Quirk.BIG_NUMBER, None, ERROR, "9051 4.2", "A number is larger than 32 bits hold, or 63 where that is the limit."),
    (Quirk.ODD_DATE, None, ERROR, "9051 9", "A date is none."),
    (Quirk.NO_TEXT, S, NOTE, "3501 9", "A status or + has no text, which IMAP4rev1 wants."),
    (Quirk.NO_STATUS, S, ERROR, "9051 7.1", "A response code has no OK, NO or BAD before it."),
    (Quirk.UNKNOWN_STATUS, S, ERROR, "9051 7.1", "A tagged line has a status that is neither OK nor NO nor BAD."),
    (Quirk.CODE_ARGUMENTS, S, ERROR, "9051 7.1", "A response code has arguments that are not its own."),
    (Quirk.OPEN_CODE, S, ERROR, "9051 9", "A response code is never closed."),
    (Quirk.SHORT_ENVELOPE, S, ERROR, "9051 7.5.2", "An ENVELOPE lacks fields."),
    (Quirk.BARE_ADDRESS, S, ERROR, "9051 7.5.2", "An address in an ENVELOPE is no list of four."),
    (Quirk.SHORT_ADDRESS, S, ERROR, "9051 7.5.2", "An address in an ENVELOPE lacks fields."),
    (Quirk.NO_PARTS, S, ERROR, "9051 7.5.2", "A multipart in a BODYSTRUCTURE has no parts."),
    (Quirk.NO_SUBTYPE, S, ERROR, "9051 7.5.2", "A multipart in a BODYSTRUCTURE has no subtype."),
    (Quirk.EMPTY_PART, S, ERROR, "9051 7.5.2", "A part in a BODYSTRUCTURE is NIL or empty."),
    (Quirk.BASIC_MESSAGE, S, ERROR, "9051 7.5.2", "A message/rfc822 in a BODYSTRUCTURE has no envelope of its own."),
    (Quirk.MISSING_LINES, S, ERROR, "9051 7.5.2", "A text part in a BODYSTRUCTURE does not say how many lines it has."),
    (Quirk.ODD_DISPOSITION, S, ERROR, "9051 7.5.2", "The disposition in a BODYSTRUCTURE is no list."),
    (Quirk.ODD_FIELD, S, ERROR, "9051 7.5.2", "A field in a BODYSTRUCTURE is of another kind than it should be."),
    (Quirk.ODD_ORIGIN, S, ERROR, "9051 9", "The origin of a part has a length too, which only clients give."),
    (Quirk.SECTION_SUFFIX, None, ERROR, "9051 9", "RFC822 has brackets behind it."),
    (Quirk.UNREAD_ITEM, S, ERROR, "9051 9", "A FETCH item does not follow the grammar."),
    (Quirk.WRAPPED_ITEM, S, ERROR, "9051 9", "FETCH items have parentheses of their own, as Domino writes them."),
    (Quirk.NO_VALUE, S, ERROR, "9051 9", "A FETCH item has no value."),
)

QUIRK_RULES = {
    quirk: FAMILY.rule(quirk.name.lower().replace("_", "-"), side, severity, source, text)
    for quirk, side, severity, source, text in _TABLE
}
"""Quirks whose rules are made here."""
TOLD_ELSEWHERE = frozenset(
    {Quirk.BARE_LF, Quirk.CUT, Quirk.EIGHT_BIT, Quirk.ODD_TAG, Quirk.TAGGED_BYE, Quirk.UNEXPECTED}
)
"""Quirks that other rules tell: bare-lf, cut, eight-bit, illegal-tag, tagged-bye, bad-arguments."""

_OTHERS = KNOWN | {"GETANNOTATION", "SETANNOTATION", "LANGUAGE", "COMPARATOR", "CONVERT", "CONVERSIONS"}
_DATA = frozenset(b"LANGUAGE COMPARATOR CONVERSION CONVERTED ANNOTATION JMAPACCESS MESSAGELIMIT".split())


def look(heard: Heard, _: Known) -> Iterator[Finding]:
    """What is wrong with the grammar of a unit of either side."""
    said = heard.said
    if "cut" in said.unit.flaws or "literal refused" in said.unit.flaws or not said.whole:
        return
    if "open quote" in said.unit.flaws:
        yield said.found(OPEN_QUOTE)
    if heard.parsed is None:
        return
    if isinstance(heard.parsed.value, Raw):
        # What is no line of a command has been told already, and so have a leading blank and a literal's wrong count.
        raw = heard.parsed.value
        # Where it breaks off at a mask, nobody knows what was there (`record --bodies`).
        at = said.unit.start + raw.at
        if "open quote" not in said.unit.flaws and not _told(heard) and not said.hidden(at - 1, at + 1):
            yield said.found(UNREADABLE, at, f"expected: {readable(raw.expected.encode())}")
        return
    yield from _words(heard)
    yield from _quirks(heard)


def _told(heard: Heard) -> bool:
    if miscounted_literal(heard) is not None or heard.said.line[:1] in {b" ", b"\t", b""}:
        return True
    return isinstance(heard, FromClient) and (not heard.head.name or not heard.head.legal)


def _words(heard: Heard) -> Iterator[Finding]:
    value = heard.parsed.understood if heard.parsed else None
    if isinstance(value, Command) and isinstance(value.body, Unknown):
        name = readable(value.body.word)
        if value.body.word not in COMMANDS and name.removeprefix("UID ") not in _OTHERS and not name.startswith("X"):
            yield heard.said.found(UNKNOWN_COMMAND)
    elif isinstance(value, Untagged) and isinstance(value.data, Unknown):
        word = value.data.word
        if word not in DATA and word not in NUMBERED and word not in _DATA and not word.startswith(b"X"):
            yield heard.said.found(UNKNOWN_DATA)


def _quirks(heard: Heard) -> Iterator[Finding]:
    said = heard.said
    told = set[Quirk]()
    for noted in heard.parsed.quirks if heard.parsed else ():
        rule = BAD_ARGUMENTS if noted.quirk is Quirk.UNEXPECTED else QUIRK_RULES.get(noted.quirk)
        start, end = said.unit.start + noted.start, said.unit.start + noted.end
        if rule is None or noted.quirk in told or len(told) >= QUIRKS_TOLD or said.hidden(start, end):
            continue
        told.add(noted.quirk)
        yield said.found(rule, start, readable(noted.detail.encode()))
