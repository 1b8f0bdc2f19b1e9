"""The rules that all of IMAP is built of, as methods named like them (RFC 9051 section 9, "Formal Syntax").

A method reads its rule from where the cursor stands and leaves it behind what it read, or raises `Stopped`. Each reads
more than the rule allows where servers or clients are known to write it, and notes the quirk.
"""

from __future__ import annotations

import re

from proxy.imap.grammar.dates import STRICT_DATE, STRICT_DATE_TIME, Date, DateTime
from proxy.imap.grammar.mailbox_names import Mailbox
from proxy.imap.grammar.quirks import Quirk
from proxy.imap.grammar.sets import PartialRange, SequenceSet
from proxy.imap.grammar.tape import Stopped, Tape
from proxy.imap.grammar.values import Atom, Ext, NString, Opaque, String

_ATOM = re.compile(rb"[^\x00-\x20\x7f-\xff(){%*\"\\\]]++")
_ASTRING_CHARS = re.compile(rb"[^\x00-\x20\x7f-\xff(){%*\"\\]++")
_LIST_CHARS = re.compile(rb"[^\x00-\x20\x7f-\xff(){\"\\]++")
_TAG = re.compile(rb"[^\x00-\x20\x7f-\xff(){%*\"\\+]++")
_ODD_TAG = re.compile(rb'[^ ()"\r\n]++')
"""Without a quote, which would stand open up to the line end, so that no literal behind it would count."""
_ANYTHING = re.compile(rb"[^ ()\r\n]++")
_UNQUOTED = re.compile(rb'[^ ()"{\r\n][^ ()\r\n]*+')
_QUOTED = re.compile(rb'"((?:[^"\\\n]++|\\[^\n])*+)"')
_ESCAPE = re.compile(rb'\\(["\\])')
_ODD_ESCAPE = re.compile(rb'(?:[^\\]|\\["\\])*+\\[^"\\]')
_NIL = re.compile(rb"[Nn][Ii][Ll](?=[ ()\r\n\]]|\Z)")
_NUMBER = re.compile(rb"(-?)(?:0*+([1-9][0-9]{0,19})|0++)(?![0-9])")
_SEQUENCE = rb"(?:[0-9]{1,20}|\*)(?::(?:[0-9]{1,20}|\*))?+"
_SET = re.compile(_SEQUENCE + rb"(?:," + _SEQUENCE + rb")*+(?![0-9])|\$")
_PARTIAL_RANGE = re.compile(rb"(-?[0-9]{1,20}):(-?[0-9]{1,20})")
_WORD = re.compile(rb"[A-Za-z0-9_.\-+=&#/]++")
_EXT_ATOM = re.compile(rb'[^ ()"\r\n\[]++\[[^\]\["\r\n]*+\][^ ()"\r\n]*+|[^ ()"\r\n]++')
"""A word; with brackets in it, it goes on to where they close: `BODY[HEADER.FIELDS (A B)]<0>` (M 2.7)."""
_NUMBER_32 = 2**32 - 1
_NUMBER_63 = 2**63 - 1


class Cursor(Tape):
    """Reads one unit by the RFC's rules."""

    def word(self, expected: str = "a word") -> bytes:
        """A word of the grammar itself, in capitals: a command, a data word, an attribute's name."""
        return self.take(_WORD, expected)[0].upper()

    def one_of(self, *words: bytes) -> bytes:
        """One of these words, in any case; in capitals."""
        start = self.pos
        expected = b" or ".join(words).decode()
        word = self.word(expected)
        if word not in words:
            self.stop(expected, start)
        return word

    def atom(self) -> bytes:
        """atom (RFC 9051 section 9)."""
        return self._atom(_ATOM, _ANYTHING, "an atom")

    def tag(self) -> bytes:
        """tag: ASTRING-CHARs but "+"; any other word is a quirk (M 3.3)."""
        start = self.pos
        match = self.match(_TAG)
        if match is None or not (self.at(b" ") or self.at_end()):
            self.pos = start
            match = self.take(_ODD_TAG, "a tag")
            self.note(Quirk.ODD_TAG, start)
        return match[0]

    def nil(self) -> bool:
        """NIL, if it comes next, in any case; an atom that starts so is none."""
        return self.match(_NIL) is not None

    def quoted(self) -> bytes:
        """quoted, its escapes undone: only `\\"` and `\\\\` are escapes (M 2.6)."""
        start = self.pos
        content = self.take(_QUOTED, "a quoted string")[1]
        self.spend()
        if b"\\" in content:
            if _ODD_ESCAPE.match(content):
                self.note(Quirk.ODD_ESCAPE, start)
            content = _ESCAPE.sub(rb"\1", content)
        return content

    def string(self) -> String:
        """string: quoted or literal. An atom, or NIL, is a quirk."""
        if self.at(b'"'):
            return self.quoted()
        if self.at(b"{") or self.at(b"~{"):
            return self.literal()
        start = self.pos
        if self.nil():
            self.note(Quirk.NIL_FOR_STRING, start)
            return b""
        content = self.take(_UNQUOTED, "a string")[0]
        self.spend()
        self.note(Quirk.ATOM_FOR_STRING, start)
        return content

    def nstring(self) -> NString:
        """nstring: a string or NIL."""
        if self.nil():
            self.spend()
            return None
        return self.string()

    def astring(self) -> String:
        """astring: atom characters and "]", or a string."""
        if self.at(b'"'):
            return self.quoted()
        if self.at(b"{") or self.at(b"~{"):
            return self.literal()
        return self._atom(_ASTRING_CHARS, _UNQUOTED, "an astring")

    def list_mailbox(self) -> String:
        """list-mailbox: a pattern, with "%" and "*" (RFC 9051 section 6.3.9)."""
        if self.at(b'"'):
            return self.quoted()
        if self.at(b"{") or self.at(b"~{"):
            return self.literal()
        return self._atom(_LIST_CHARS, _UNQUOTED, "a mailbox pattern")

    def mailbox(self) -> Mailbox:
        """mailbox: INBOX in any case, or an astring (RFC 9051 section 5.1)."""
        return Mailbox.of(self.astring())

    def number(self) -> int:
        """number: 32 bits. A negative one, or a larger one, is a quirk."""
        return self._number(_NUMBER_32)

    def number64(self) -> int:
        """number64, nz-number64, mod-sequence-value: 63 bits (RFC 9051 section 9, RFC 7162 section 7)."""
        return self._number(_NUMBER_63)

    def sequence_set(self) -> SequenceSet:
        """sequence-set, or "$" (RFC 9051 section 9, RFC 5182)."""
        self.spend()
        return SequenceSet(self.take(_SET, "a sequence set")[0])

    def match_set(self) -> SequenceSet | None:
        """sequence-set, if one comes next."""
        match = self.match(_SET)
        return None if match is None else SequenceSet(match[0])

    def partial_range(self) -> PartialRange:
        """partial-range (RFC 9394 section 3.1)."""
        match = self.take(_PARTIAL_RANGE, "a range")
        return PartialRange(int(match[1]), int(match[2]))

    def flag(self) -> bytes:
        """flag, flag-extension, flag-keyword, or "\\*" of flag-perm. A string is a quirk; so are odd characters."""
        start = self.pos
        if self.at(b'"') or self.at(b"{") or self.at(b"~{"):
            self.note(Quirk.STRING_FOR_ATOM, start, start)
            content = self.string()
            return content if isinstance(content, bytes) else self.stop("a flag", start)
        if not self.accept(b"\\*"):
            self.accept(b"\\")
        if self.pos - start < 2:
            self._atom(_ATOM, _ANYTHING, "a flag")
        return self.data[start : self.pos]

    def flag_list(self) -> tuple[bytes, ...]:
        """flag-list: `(flag flag …)`."""
        return self.parenthesised(self.flag)

    def date_time(self) -> DateTime:
        """date-time; any other string is a quirk."""
        start = self.pos
        content = self.string()
        if not isinstance(content, bytes):
            self.stop("a date and time", start)
        if STRICT_DATE_TIME.fullmatch(content) is None:
            self.note(Quirk.ODD_DATE, start)
        return DateTime(content)

    def date(self) -> Date:
        """date, with or without quotes."""
        start = self.pos
        content = self.astring()
        if not isinstance(content, bytes):
            self.stop("a date", start)
        if STRICT_DATE.fullmatch(content) is None:
            self.note(Quirk.ODD_DATE, start)
        return Date(content)

    def text(self) -> bytes:
        """text: the rest of the line. It announces no literals (M 2.4), so the unit may have none there."""
        start = self.pos
        if self._places and self._places[-1] > start:
            self.stop("text without a literal")
        self.pos = self.end
        return self.data[start : self.end]

    def ext(self) -> Ext:
        """tagged-ext-val, or any value of an extension; lists within lists cost no recursion, but have a limit."""
        stack: list[list[Ext]] = []
        while True:
            if self.accept(b"("):
                self.spend()
                self.enter()
                stack.append([])
                self.spaces()
                value = None
            else:
                value = self._simple_ext()
            while stack:
                if value is not None:
                    stack[-1].append(value)
                    if not self.at(b")"):
                        self.sp()
                self.spaces()
                if not self.accept(b")"):
                    break
                self.leave()
                value = tuple(stack.pop())
            if not stack and value is not None:
                return value

    def arguments(self) -> tuple[Ext, ...] | Opaque:
        """Everything up to the line end, each preceded by a space; kept as it stands where it is too deep."""
        mark = self.mark()
        values: list[Ext] = []
        try:
            while self.more():
                values.append(self.ext())
        except Stopped:
            self.back(mark)
            return self._opaque_arguments()
        return tuple(values)

    def _opaque_arguments(self) -> Opaque:
        start = self.pos
        while self.more():
            self.skip()
        return self.opaque(start)

    def _simple_ext(self) -> Ext:
        if self.at(b'"'):
            return self.quoted()
        if self.at(b"{") or self.at(b"~{"):
            mark = self.mark()
            try:
                return self.literal()
            except Stopped:
                self.back(mark)
        self.spend()
        return Atom(self.take(_EXT_ATOM, "a value")[0])

    def _atom(self, strict: re.Pattern[bytes], lenient: re.Pattern[bytes], expected: str) -> bytes:
        """A word of the strict kind; where it does not end there, of the lenient one, with a quirk."""
        start = self.pos
        self.spend()
        match = self.match(strict)
        if match is not None and (self.pos >= self.end or self.data[self.pos] in b" ()"):
            return match[0]
        self.pos = start
        match = self.take(lenient, expected)
        self.note(Quirk.ODD_ATOM if match[0].isascii() else Quirk.EIGHT_BIT, start)
        return match[0]

    def _number(self, most: int) -> int:
        start = self.pos
        match = self.take(_NUMBER, "a number of at most 20 digits")
        number = int(match[2] or 0)
        if match[1] and number:
            self.note(Quirk.NEGATIVE, start)
            return -number
        if number > most:
            self.note(Quirk.BIG_NUMBER, start)
        return number
