"""APPEND and REPLACE, followed line by line: which of their strings are of a letter.

RFC 9051 section 6.3.12, RFC 3502 (several messages), RFC 4469 (CATENATE), RFC 6855 (UTF8), RFC 8508 (REPLACE).
Behind the mailbox, everything that is not known to be something else is taken for a part of a letter.
"""

from __future__ import annotations

import re

from proxy.imap.letters.policy import ANNOUNCED, Found, What, end_of_text

_MAILBOX = re.compile(rb' *(?:"(?:[^"\\\r\n]|\\.)*+"|[^ \r\n(){"]+)')
_NUMBER = re.compile(rb" *[0-9*]+ +")
_TOKEN = re.compile(rb' +|"(?:[^"\\\r\n]|\\.)*+"|[()]|[^ ()"{\r\n]+')
_DATE = re.compile(rb'"[ 0-9][0-9]?-[A-Za-z]{3}-[0-9]{4}[ 0-9:+-]{0,20}"')
_GROUPS = frozenset({b"CATENATE", b"UTF8"})
_PARTS = frozenset({b"TEXT", b"URL"})


class AppendCommand:
    """One command. Feed it its lines; its literals are what `literal` said after the line that announced them."""

    literal = What.OTHER
    """What the literal is that the line last fed announces."""

    def __init__(self, arguments: int, *, numbered: bool) -> None:
        """Its arguments begin there in its first line; `numbered`: with the number of a message."""
        self._pos, self._numbered = arguments, numbered
        self._named = False
        self._depth = self._parts = 0
        self._word = self._group = b""
        self._found: list[Found] = []

    def lose(self) -> None:
        """What comes was not read: nobody knows what it is."""
        self._named, self.literal = True, What.TEXT

    def line(self, line: bytes) -> list[Found]:
        """Read the next line. Returns what of it is of a letter, or was not understood."""
        self._found = []
        pos, self._pos = self._pos, 0
        if not self._named:
            pos = self._mailbox(line, pos)
        elif not self._depth:  # behind a message another one may begin, with its flags
            self._word = b""
        while pos < len(line) and not ANNOUNCED.match(line, pos):
            match = _TOKEN.match(line, pos)
            if match is None:  # the line end, or an open quote
                self._found.append(Found(pos, end_of_text(line, pos), What.UNREAD))
                return self._found
            self._token(pos, match[0])
            pos = match.end()
        if pos < len(line):
            self.literal = What.TEXT if self._depth and self._parts > 1 else What.MESSAGE
            self._parts += 1
        return self._found

    def _mailbox(self, line: bytes, pos: int) -> int:
        if self._numbered and (number := _NUMBER.match(line, pos)):
            pos = number.end()
        self._numbered, self._named = False, True
        if ANNOUNCED.match(line, pos):
            self.literal = What.OTHER
            return len(line)
        mailbox = _MAILBOX.match(line, pos)
        return mailbox.end() if mailbox else pos

    def _token(self, pos: int, token: bytes) -> None:
        if not token.strip():
            return
        word = token.upper()
        if token == b"(":
            self._depth, self._parts = self._depth + 1, 0
            self._group = self._word if self._depth == 1 else b"?"
        elif token == b")":
            self._depth = max(0, self._depth - 1)
        elif not self._known(token, word):
            quote = token.startswith(b'"')
            self._found.append(Found(pos + quote, pos + len(token) - quote, What.TEXT))
        self._parts += word in _PARTS
        self._word = word

    def _known(self, token: bytes, word: bytes) -> bool:
        if not self._depth:
            return word in _GROUPS or _DATE.fullmatch(token) is not None
        if self._group in _GROUPS:
            return word in _PARTS or self._word == b"URL"
        return not self._group and not token.startswith(b'"')
