"""Quirks in rows, each with the bytes it is about and what is read in spite of it (M 2.8, 11)."""

from __future__ import annotations

import re
from typing import Any

import pytest

from proxy.imap.grammar import Parsed, Quirk, Raw, cut, joined, parse_command, parse_response, write
from proxy.imap.transcript import Direction
from tests.need import ROOT

SERVER, CLIENT = Direction.SERVER, Direction.CLIENT
NIL8 = b"NIL NIL NIL NIL NIL NIL NIL NIL"

ROWS: list[tuple[Quirk, Direction, bytes, bytes, bytes]] = [
    # quirk, side, line, the bytes it is about, the line without it
    (Quirk.DOUBLED_SPACE, SERVER, b"* 3  EXISTS\r\n", b"  ", b"* 3 EXISTS"),
    (Quirk.DOUBLED_SPACE, CLIENT, b"a  noop\r\n", b"  ", b"a NOOP"),
    (Quirk.EXTRA_SPACE, SERVER, b"* FLAGS ( \\Seen )\r\n", b" ", b"* FLAGS (\\Seen)"),
    (Quirk.EXTRA_SPACE, SERVER, b"* 1 FETCH (UID 5 )\r\n", b" ", b"* 1 FETCH (UID 5)"),
    (
        Quirk.EXTRA_SPACE,
        SERVER,
        b"* 1 FETCH (ENVELOPE (NIL NIL ((NIL NIL NIL NIL) (NIL NIL NIL NIL)) NIL NIL NIL NIL NIL NIL NIL))\r\n",
        b" ",
        b"* 1 FETCH (ENVELOPE (NIL NIL ((NIL NIL NIL NIL)(NIL NIL NIL NIL)) NIL NIL NIL NIL NIL NIL NIL))",
    ),
    (Quirk.EXTRA_SPACE, SERVER, b"* THREAD (1) (2)\r\n", b" ", b"* THREAD (1)(2)"),
    (Quirk.EXTRA_SPACE, CLIENT, b"a SEARCH (NEW OLD )\r\n", b" ", b"a SEARCH (NEW OLD)"),
    (Quirk.TAB, SERVER, b"* 270\tEXISTS\r\n", b"\t", b"* 270 EXISTS"),
    (Quirk.TRAILING_SPACE, SERVER, b"* SEARCH \r\n", b" ", b"* SEARCH"),
    (Quirk.TRAILING_SPACE, SERVER, b"* STATUS x (MESSAGES 1) \r\n", b" ", b"* STATUS x (MESSAGES 1)"),
    (Quirk.TRAILING_SPACE, SERVER, b"* THREAD \r\n", b" ", b"* THREAD"),
    (Quirk.TRAILING_SPACE, CLIENT, b"a NOOP  \r\n", b"  ", b"a NOOP"),
    (Quirk.MISSING_SPACE, SERVER, b'* LIST(\\Noselect) "/" x\r\n', b"", b'* LIST (\\Noselect) "/" x'),
    (
        Quirk.MISSING_SPACE,
        SERVER,
        b'* 1 FETCH (BODY (("A" "B" NIL NIL NIL "7BIT" 1)"MIXED"))\r\n',
        b"",
        b'* 1 FETCH (BODY (("A" "B" NIL NIL NIL "7BIT" 1) "MIXED"))',
    ),
    (Quirk.MISSING_SPACE, SERVER, b"* OK[ALERT] x\r\n", b"", b"* OK [ALERT] x"),
    (Quirk.MISSING_SPACE, SERVER, b"+go\r\n", b"", b"+ go"),
    (Quirk.BARE_LF, SERVER, b"* 3 EXISTS\n", b"\n", b"* 3 EXISTS"),
    (Quirk.CUT, SERVER, b"* OK half", b"", b"* OK half"),
    (Quirk.CUT, CLIENT, b"a APPEND x {2}\r\nhi", b"", b"a APPEND x {2}\r\nhi"),
    (Quirk.EIGHT_BIT, SERVER, b'* LIST () "/" \xc3\xa4\r\n', b"\xc3\xa4", b'* LIST () "/" {2}\r\n\xc3\xa4'),
    (Quirk.ODD_ATOM, SERVER, b'* LIST () "/" a\tb\r\n', b"a\tb", b'* LIST () "/" "a\tb"'),
    (
        Quirk.ODD_ATOM,
        SERVER,
        b'* OK [PERMANENTFLAGS (${"$"}A)] x\r\n',
        b'${"$"}A',
        b'* OK [PERMANENTFLAGS (${"$"}A)] x',
    ),
    (Quirk.ODD_ATOM, SERVER, b"* OK [PERMANENTFLAGS ([css3])] x\r\n", b"[css3]", b"* OK [PERMANENTFLAGS ([css3])] x"),
    (Quirk.ODD_ATOM, CLIENT, b"a SELECT a*\r\n", b"a*", b'a SELECT "a*"'),
    (Quirk.ODD_ESCAPE, SERVER, b'* LIST () "/" "a\\b"\r\n', b'"a\\b"', b'* LIST () "/" "a\\\\b"'),
    (Quirk.ATOM_FOR_STRING, SERVER, b"* ID (name x)\r\n", b"name", b'* ID ("name" "x")'),
    (
        Quirk.STRING_FOR_ATOM,
        CLIENT,
        b'a AUTHENTICATE "PLAIN" {8+}\r\nAGEAYg==\r\n',
        b"{8+}\r\nAGEAYg==",
        b"a AUTHENTICATE PLAIN AGEAYg==",
    ),
    (Quirk.STRING_FOR_ATOM, CLIENT, b'a STORE 1 FLAGS ("a b")\r\n', b"", b'a STORE 1 FLAGS ("a b")'),
    (Quirk.STRING_FOR_ATOM, CLIENT, b'a SEARCH KEYWORD "x"\r\n', b"", b"a SEARCH KEYWORD x"),
    (
        Quirk.NIL_FOR_STRING,
        SERVER,
        b'* 1 FETCH (BODY ("A" "B" ("C" "D" NIL "E") NIL NIL "7BIT" 1))\r\n',
        b"NIL",
        b'* 1 FETCH (BODY ("A" "B" ("C" "D" "" "E") NIL NIL "7BIT" 1))',
    ),
    (Quirk.NIL_FOR_LIST, SERVER, b'* LIST NIL "/" x\r\n', b"NIL", b'* LIST () "/" x'),
    (Quirk.NIL_FOR_LIST, SERVER, b"* 1 FETCH (ENVELOPE NIL)\r\n", b"NIL", b"* 1 FETCH (ENVELOPE NIL)"),
    (Quirk.MISSING_LIST, SERVER, b"* 1 FETCH (MODSEQ 5)\r\n", b"5", b"* 1 FETCH (MODSEQ (5))"),
    (Quirk.NEGATIVE, SERVER, b"* 1 FETCH (MODSEQ (-1))\r\n", b"-1", b"* 1 FETCH (MODSEQ (-1))"),
    (
        Quirk.NEGATIVE,
        SERVER,
        b'* 1 FETCH (BODY ("A" "B" NIL NIL NIL "7BIT" -7))\r\n',
        b"-7",
        b'* 1 FETCH (BODY ("A" "B" NIL NIL NIL "7BIT" -7))',
    ),
    (
        Quirk.BIG_NUMBER,
        SERVER,
        b"* OK [APPENDUID 4294967296 1] x\r\n",
        b"4294967296",
        b"* OK [APPENDUID 4294967296 1] x",
    ),
    (Quirk.ODD_DATE, SERVER, b'* 1 FETCH (INTERNALDATE "today")\r\n', b'"today"', b'* 1 FETCH (INTERNALDATE "today")'),
    (Quirk.ODD_DATE, CLIENT, b"a SEARCH SINCE 2024-01-02\r\n", b"2024-01-02", b'a SEARCH SINCE "2024-01-02"'),
    (Quirk.ODD_TAG, CLIENT, b"+a NOOP\r\n", b"+a", b"+a NOOP"),
    (Quirk.TAGGED_BYE, SERVER, b"a BYE gone\r\n", b"BYE", b"a BYE gone"),
    (Quirk.NO_TEXT, SERVER, b"a OK\r\n", b"", b"a OK "),
    (Quirk.NO_TEXT, SERVER, b"+\r\n", b"", b"+ "),
    (Quirk.NO_STATUS, SERVER, b"[COPYUID 55 31 6] x\r\n", b"[COPYUID 55 31 6]", b"[COPYUID 55 31 6] x"),
    (Quirk.UNKNOWN_STATUS, SERVER, b"a ERROR what\r\n", b"ERROR", b"a ERROR what"),
    (Quirk.CODE_ARGUMENTS, SERVER, b"* OK [COPYUID 701  ] x\r\n", b" 701  ", b"* OK [COPYUID 701  ] x"),
    (Quirk.CODE_ARGUMENTS, SERVER, b"* OK [UIDNEXT] x\r\n", b"", b"* OK [UIDNEXT] x"),
    (Quirk.CODE_ARGUMENTS, SERVER, b"* OK [CLOSED isn't it] x\r\n", b" isn't it", b"* OK [CLOSED isn't it] x"),
    (
        Quirk.CODE_ARGUMENTS,
        SERVER,
        b'* OK [Error="a ] b" c=d] x\r\n',
        b'[Error="a ] b" c=d]',
        b'* OK [Error="a ] b" c=d] x',
    ),
    (Quirk.OPEN_CODE, SERVER, b"* OK [ALERT x\r\n", b"[ALERT x", b"* OK [ALERT x"),
    (
        Quirk.SHORT_ENVELOPE,
        SERVER,
        b"* 1 FETCH (ENVELOPE (" + NIL8 + b"))\r\n",
        b"(" + NIL8 + b")",
        b"* 1 FETCH (ENVELOPE (" + NIL8 + b" NIL NIL))",
    ),
    (
        Quirk.BARE_ADDRESS,
        SERVER,
        b'* 1 FETCH (ENVELOPE (NIL NIL "x@y" NIL NIL NIL NIL NIL NIL NIL))\r\n',
        b'"x@y"',
        b'* 1 FETCH (ENVELOPE (NIL NIL ((NIL NIL "x@y" NIL)) NIL NIL NIL NIL NIL NIL NIL))',
    ),
    (
        Quirk.BARE_ADDRESS,
        SERVER,
        b"* 1 FETCH (ENVELOPE (NIL NIL (NIL) NIL NIL NIL NIL NIL NIL NIL))\r\n",
        b"NIL",
        b"* 1 FETCH (ENVELOPE (NIL NIL ((NIL NIL NIL NIL)) NIL NIL NIL NIL NIL NIL NIL))",
    ),
    (
        Quirk.SHORT_ADDRESS,
        SERVER,
        b'* 1 FETCH (ENVELOPE (NIL NIL (("a" NIL)) NIL NIL NIL NIL NIL NIL NIL))\r\n',
        b'("a" NIL)',
        b'* 1 FETCH (ENVELOPE (NIL NIL (("a" NIL NIL NIL)) NIL NIL NIL NIL NIL NIL NIL))',
    ),
    (
        Quirk.NO_PARTS,
        SERVER,
        b'* 1 FETCH (BODYSTRUCTURE ("MIXED" ("B" "x") NIL NIL NIL))\r\n',
        b'"MIXED"',
        b'* 1 FETCH (BODYSTRUCTURE ("MIXED" ("B" "x") NIL NIL NIL))',
    ),
    (
        Quirk.NO_PARTS,
        SERVER,
        b'* 1 FETCH (BODYSTRUCTURE (NIL "MIXED" ("B" "x") NIL NIL NIL))\r\n',
        b'NIL "MIXED"',
        b'* 1 FETCH (BODYSTRUCTURE ("MIXED" ("B" "x") NIL NIL NIL))',
    ),
    (
        Quirk.NO_PARTS,
        SERVER,
        b'* 1 FETCH (BODYSTRUCTURE ("RELATED" NIL ("ATTACHMENT" NIL) NIL))\r\n',
        b'"RELATED"',
        b'* 1 FETCH (BODYSTRUCTURE ("RELATED" NIL ("ATTACHMENT" NIL) NIL NIL))',
    ),
    (
        Quirk.NO_PARTS,
        SERVER,
        b'* 1 FETCH (BODY ("MIXED"))\r\n',
        b'"MIXED"',
        b'* 1 FETCH (BODY ("MIXED"))',
    ),
    (
        Quirk.NO_SUBTYPE,
        SERVER,
        b'* 1 FETCH (BODY ("TEXT" ("A" "b") NIL NIL "7BIT" 5 1))\r\n',
        b"",
        b'* 1 FETCH (BODY ("TEXT" NIL ("A" "b") NIL NIL "7BIT" 5 1))',
    ),
    (
        Quirk.ODD_DISPOSITION,
        SERVER,
        b'* 1 FETCH (BODYSTRUCTURE ("A" "B" NIL NIL NIL "7BIT" 1 NIL () NIL NIL))\r\n',
        b"()",
        b'* 1 FETCH (BODYSTRUCTURE ("A" "B" NIL NIL NIL "7BIT" 1 NIL NIL NIL NIL))',
    ),
    (
        Quirk.ODD_DISPOSITION,
        SERVER,
        b'* 1 FETCH (BODYSTRUCTURE ("A" "B" NIL NIL NIL "7BIT" 1 NIL ("inline") NIL NIL))\r\n',
        b'("inline")',
        b'* 1 FETCH (BODYSTRUCTURE ("A" "B" NIL NIL NIL "7BIT" 1 NIL ("inline" NIL) NIL NIL))',
    ),
    (
        Quirk.EXTRA_SPACE,
        SERVER,
        b'* 1 FETCH (BODY (("A" "B" NIL NIL NIL "7BIT" 1) ("C" "D" NIL NIL NIL "7BIT" 1) "M"))\r\n',
        b" ",
        b'* 1 FETCH (BODY (("A" "B" NIL NIL NIL "7BIT" 1)("C" "D" NIL NIL NIL "7BIT" 1) "M"))',
    ),
    (
        Quirk.EXTRA_SPACE,
        SERVER,
        b'* 1 FETCH (BODYSTRUCTURE ("A" "B" NIL NIL NIL "7BIT" 1 NIL NIL ))\r\n',
        b" ",
        b'* 1 FETCH (BODYSTRUCTURE ("A" "B" NIL NIL NIL "7BIT" 1 NIL NIL NIL NIL))',
    ),
    (
        Quirk.EXTRA_SPACE,
        SERVER,
        b"* OK [CAPABILITY A ] x\r\n",
        b" ",
        b"* OK [CAPABILITY A] x",
    ),
    (
        Quirk.ODD_FIELD,
        SERVER,
        b'* 1 FETCH (BODY ("A" "B" () NIL NIL "7BIT" 1))\r\n',
        b"()",
        b'* 1 FETCH (BODY ("A" "B" () NIL NIL "7BIT" 1))',
    ),
    (
        Quirk.ODD_FIELD,
        SERVER,
        b'* 1 FETCH (BODY ("A" "B" NIL NIL NIL "7BIT" 1 9))\r\n',
        b" 9",
        b'* 1 FETCH (BODY ("A" "B" NIL NIL NIL "7BIT" 1 9))',
    ),
    (
        Quirk.NO_VALUE,
        SERVER,
        b"* 1 FETCH (UID 5 (X-ODD) FLAGS ())\r\n",
        b"",
        b"* 1 FETCH (UID 5 (X-ODD) FLAGS ())",
    ),
    (
        Quirk.OPEN_CODE,
        SERVER,
        b"* OK [=? x\r\n",
        b"[=? x",
        b"* OK [=? x",
    ),
    (
        Quirk.DOUBLED_SPACE,
        SERVER,
        b"* SEARCH 1  2\r\n",
        b"  ",
        b"* SEARCH 1 2",
    ),
    (
        Quirk.TRAILING_SPACE,
        SERVER,
        b"* THREAD (1) \r\n",
        b" ",
        b"* THREAD (1)",
    ),
    (
        Quirk.ODD_FIELD,
        SERVER,
        b'* 1 FETCH (BODYSTRUCTURE ("A" "B" NIL NIL NIL "7BIT" 1 NIL ("en") ("X" ("Y" "z")) NIL))\r\n',
        b'("X" ("Y" "z"))',
        b'* 1 FETCH (BODYSTRUCTURE ("A" "B" NIL NIL NIL "7BIT" 1 NIL ("X" ("Y" "z")) "en" NIL))',
    ),
    (
        Quirk.NO_SUBTYPE,
        SERVER,
        b'* 1 FETCH (BODY (("A" "B" NIL NIL NIL "7BIT" 1)))\r\n',
        b"",
        b'* 1 FETCH (BODY (("A" "B" NIL NIL NIL "7BIT" 1) NIL))',
    ),
    (
        Quirk.NO_SUBTYPE,
        SERVER,
        b'* 1 FETCH (BODY (("A" "B" NIL NIL NIL "7BIT" 1)NIL))\r\n',
        b"NIL",
        b'* 1 FETCH (BODY (("A" "B" NIL NIL NIL "7BIT" 1) NIL))',
    ),
    (Quirk.EMPTY_PART, SERVER, b"* 1 FETCH (BODY ())\r\n", b"()", b"* 1 FETCH (BODY NIL)"),
    (
        Quirk.BASIC_MESSAGE,
        SERVER,
        b'* 1 FETCH (BODY ("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 5))\r\n',
        b"",
        b'* 1 FETCH (BODY ("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 5))',
    ),
    (
        Quirk.MISSING_LINES,
        SERVER,
        b'* 1 FETCH (BODY ("TEXT" "PLAIN" NIL NIL NIL "7BIT" 5))\r\n',
        b"",
        b'* 1 FETCH (BODY ("TEXT" "PLAIN" NIL NIL NIL "7BIT" 5))',
    ),
    (
        Quirk.ODD_DISPOSITION,
        SERVER,
        b'* 1 FETCH (BODYSTRUCTURE ("A" "B" NIL NIL NIL "7BIT" 1 NIL "inline" NIL NIL))\r\n',
        b'"inline"',
        b'* 1 FETCH (BODYSTRUCTURE ("A" "B" NIL NIL NIL "7BIT" 1 NIL ("inline" NIL) NIL NIL))',
    ),
    (
        Quirk.ODD_FIELD,
        SERVER,
        b'* 1 FETCH (BODYSTRUCTURE ("A" "B" NIL NIL NIL "7BIT" 1 NIL NIL NIL ()))\r\n',
        b"()",
        b'* 1 FETCH (BODYSTRUCTURE ("A" "B" NIL NIL NIL "7BIT" 1 NIL NIL NIL NIL))',
    ),
    (
        Quirk.ODD_FIELD,
        SERVER,
        b'* 1 FETCH (BODYSTRUCTURE ("A" "B" NIL NIL NIL "7BIT" 1 ("X" NIL) NIL NIL))\r\n',
        b"",
        b'* 1 FETCH (BODYSTRUCTURE ("A" "B" NIL NIL NIL "7BIT" 1 NIL ("X" NIL) NIL NIL))',
    ),
    (
        Quirk.ODD_FIELD,
        SERVER,
        b'* 1 FETCH (BODY ("A" "B" NIL NIL NIL "7BIT" NIL))\r\n',
        b"NIL",
        b'* 1 FETCH (BODY ("A" "B" NIL NIL NIL "7BIT" NIL))',
    ),
    (Quirk.ODD_ORIGIN, SERVER, b'* 1 FETCH (BODY[]<0.9> "x")\r\n', b"<0.9>", b'* 1 FETCH (BODY[]<0> "x")'),
    (Quirk.SECTION_SUFFIX, SERVER, b'* 1 FETCH (RFC822[] "x")\r\n', b"[]", b'* 1 FETCH (RFC822 "x")'),
    (
        Quirk.UNREAD_ITEM,
        SERVER,
        b"* 1 FETCH (UID 5 ENVELOPE (x (y)) FLAGS ())\r\n",
        b"ENVELOPE (x (y))",
        b"* 1 FETCH (UID 5 ENVELOPE (x (y)) FLAGS ())",
    ),
    (
        Quirk.UNREAD_ITEM,
        SERVER,
        b"* 1 FETCH (BODY[1 2] {1}\r\nx UID 5)\r\n",
        b"BODY[1 2] {1}\r\nx",
        b"* 1 FETCH (BODY[1 2] {1}\r\nx UID 5)",
    ),
    (
        Quirk.WRAPPED_ITEM,
        SERVER,
        b"* 1 FETCH (UID 5 (RFC822.SIZE 9) FLAGS ())\r\n",
        b"(RFC822.SIZE 9)",
        b"* 1 FETCH (UID 5 RFC822.SIZE 9 FLAGS ())",
    ),
    (Quirk.NO_VALUE, SERVER, b"* 1 FETCH (UID 5 BODY[2] )\r\n", b"", b"* 1 FETCH (UID 5 BODY[2] NIL)"),
    (Quirk.UNEXPECTED, SERVER, b"* 1 FETCH *\r\n", b" *", b"* 1 FETCH *"),
    (Quirk.UNEXPECTED, SERVER, b"* QUOTA x y {1}\r\n( z\r\n", b" x y {1}\r\n( z", b"* QUOTA x y {1}\r\n( z"),
    (Quirk.UNEXPECTED, CLIENT, b"a SEARCH NONSENSE\r\n", b" NONSENSE", b"a SEARCH NONSENSE"),
]


def parsed(side: Direction, line: bytes) -> Parsed[Any]:
    """What is read of it."""
    return (parse_response if side is SERVER else parse_command)(cut(line, side))


UNEXPECTED: list[tuple[Direction, bytes, bytes, str]] = [
    # side, what is read, what is not, what was expected in its place
    (CLIENT, b"a APPEND x CATENATE (", b"URI y)", "URL or TEXT"),
    (CLIENT, b'a LIST "" x ', b"RETURNS (y)", "RETURN"),
    (CLIENT, b"a NOTIFY ", b"GET (SELECTED NONE)", "SET or NONE"),
    (CLIENT, b"a NOTIFY SET ", b"STATE (SELECTED NONE)", "STATUS"),
    (CLIENT, b"a NOTIFY SET (SELECTED ", b"NOTHING)", "NONE"),
    (CLIENT, b"a STORE 1 ", b"FLAG (x)", "FLAGS"),
    (CLIENT, b"a STORE 1 FLAGS (x)", b" y", "the line end"),
    (CLIENT, b"a FETCH 1 FLAGS (CHANGEDSINCE", b")", "a space"),
    (CLIENT, b"a SEARCH OR ALL", b"", "a space"),
    (CLIENT, b"a SEARCH NOT ALL ", b")", "a search key"),
    (CLIENT, b"a COPY ", b"x y", "a sequence set"),
    (CLIENT, b"a COPY 1", b", x", "a space"),
    (CLIENT, b"a ESEARCH IN ", b"x ALL", "("),
    (CLIENT, b"a NOOP", b" x", "the line end"),
    (CLIENT, b"a REPLACE ", b"x y z", "a number of at most 20 digits"),
    (CLIENT, b"a FETCH 1 BODY[1.", b"", "a section"),
    (SERVER, b"* VANISHED (", b"LATER) 1", "EARLIER"),
    (SERVER, b"* SEARCH 1 (", b"MODSEC 5)", "MODSEQ"),
    (SERVER, b"* ESEARCH (", b"TOG x) ALL 1", "TAG or MAILBOX or UIDVALIDITY"),
    (SERVER, b"* THREAD ", b"1 2", "("),
    (SERVER, b"* THREAD (1)", b")", "("),
    (SERVER, b"* LIST () ", b"() x", "a string"),
    (SERVER, b"* NAMESPACE NIL NIL", b"", "a space"),
    (SERVER, b"* 5 FETCH", b"", "a space"),
    (SERVER, b"* STATUS x (MESSAGES ", b"y)", "a number of at most 20 digits"),
    (SERVER, b"* QUOTA x (STORAGE 1", b")", "a space"),
]


@pytest.mark.parametrize(("side", "read", "left", "expected"), UNEXPECTED)
def test_arguments_of_another_kind(side: Direction, read: bytes, left: bytes, expected: str) -> None:
    """The line is kept; where it is not even made of words and lists, it is raw, and says the same."""
    found = parsed(side, read + left + b"\r\n")
    if isinstance(found.value, Raw):
        assert (found.value.expected, found.value.at) == (expected, len(read))
    else:
        (noted,) = (each for each in found.quirks if each.quirk is Quirk.UNEXPECTED)
        assert noted.detail == f"{expected} at {len(read)}"
        assert joined(write(found.value)).endswith(left + b"\r\n")


@pytest.mark.parametrize(("quirk", "side", "line", "about", "clean"), ROWS)
def test_rows(quirk: Quirk, side: Direction, line: bytes, about: bytes, clean: bytes) -> None:
    found = parsed(side, line)
    noted = [each for each in found.quirks if each.quirk is quirk]
    assert noted, found
    assert about in [line[each.start : each.end] for each in noted]
    assert joined(write(found.understood)) == clean + b"\r\n"
    assert parsed(side, clean + b"\r\n").value == found.value


def test_each_has_a_row_and_a_line_in_the_documentation() -> None:
    assert {row[0] for row in ROWS} == set(Quirk)
    page = (ROOT / "docs" / "grammar.md").read_text()
    assert re.findall(r"^\| `([A-Z_]+)` \| ([^|]+?) \|", page, re.MULTILINE) == [(q.name, q.value) for q in Quirk]


def test_where_several_are_they_are_told_in_their_order() -> None:
    found = parsed(SERVER, b"*  3 fetch (UID  5 ) \r\n")
    assert [(each.quirk, each.start) for each in found.quirks] == [
        (Quirk.DOUBLED_SPACE, 1),
        (Quirk.DOUBLED_SPACE, 15),
        (Quirk.EXTRA_SPACE, 18),
        (Quirk.TRAILING_SPACE, 20),
    ]


def test_offsets_count_the_content_of_literals() -> None:
    line = b"* ID ({4}\r\n)\r\n( NIL  {1}\r\nx NIL)\r\n"
    (noted,) = parsed(SERVER, line).quirks
    assert (noted.quirk, line[noted.start : noted.end]) == (Quirk.DOUBLED_SPACE, b"  ")
    assert noted.start == line.index(b"  ")


def test_it_is_said_what_was_expected_and_where() -> None:
    line = b"* 1 FETCH (ENVELOPE (NIL NIL (x)) UID 5)\r\n"
    (noted,) = (each for each in parsed(SERVER, line).quirks if each.quirk is Quirk.UNREAD_ITEM)
    assert line[noted.start : noted.end] == b"ENVELOPE (NIL NIL (x))"
    assert noted.detail == f"( at {line.index(b'x))')}"
    line = b"a SEARCH FROM x NONSENSE y\r\n"
    (noted,) = parsed(CLIENT, line).quirks
    assert noted.detail == f"a search key at {line.index(b'NONSENSE')}"
