"""Where in a command or a response one is: which argument, in which list, which item of a FETCH."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from imaptap.privacy.letters import Start
from proxy.imap.transcript import Direction

if TYPE_CHECKING:
    from collections.abc import Container

_ASKED: Final = {
    "SELECT": (0,), "EXAMINE": (0,), "CREATE": (0,), "DELETE": (0,), "SUBSCRIBE": (0,), "UNSUBSCRIBE": (0,),
    "RENAME": (0, 1), "APPEND": (0,), "GETQUOTAROOT": (0,), "GETACL": (0,),
    "SETACL": (0,), "DELETEACL": (0,), "LISTRIGHTS": (0,), "MYRIGHTS": (0,), "GETMETADATA": (0,), "SETMETADATA": (0,),
    "COPY": (1,), "MOVE": (1,), "REPLACE": (1,), "STATUS": (0,), "GETANNOTATION": (0,), "SETANNOTATION": (0,),
    "RESETKEY": (0,), "LIST": (0, 1), "LSUB": (0, 1), "XLIST": (0, 1), "RLIST": (0, 1), "RLSUB": (0, 1),
}  # fmt: skip
"""Which arguments of a command are names of mailboxes, or patterns of them."""
_TOLD: Final = {
    "LIST": (1, 2), "LSUB": (1, 2), "XLIST": (1, 2), "STATUS": (0,), "QUOTAROOT": (0,),
    "ACL": (0,), "LISTRIGHTS": (0,), "MYRIGHTS": (0,), "METADATA": (0,), "ANNOTATION": (0,),
}  # fmt: skip
"""The same of responses."""
_USERS: Final = {
    "LOGIN": (0, 1), "PROXYAUTH": (0,), "ACL": range(1, 1000, 2), "SETACL": (1,), "DELETEACL": (1,), "LISTRIGHTS": (1,),
    "QUOTAROOT": range(1, 1000), "QUOTA": (0,), "GETQUOTA": (0,), "SETQUOTA": (0,),
}  # fmt: skip
_WORDS: Final = {
    "ACL": range(2, 1000, 2), "SETACL": (2,), "MYRIGHTS": (1,), "LISTRIGHTS": range(2, 1000), "AUTHENTICATE": (0,),
    "COMPRESS": (0,), "LANGUAGE": (0,), "CAPABILITY": range(10_000), "ENABLED": range(10_000), "ENABLE": range(10_000),
}  # fmt: skip
"""Arguments that are words of the protocol, whichever they are."""
_SEARCHES: Final = frozenset("SEARCH SORT THREAD ESEARCH".split())
_VALUED: Final = frozenset(b"from to cc bcc subject body text x-gm-raw keyword unkeyword header-value".split())
"""Search keys that have a string behind them."""
_LETTERS: Final = {
    b"RFC822": Start.LETTER, b"RFC822.PEEK": Start.LETTER, b"RFC822.HEADER": Start.HEADER, b"RFC822.TEXT": Start.BODY,
    b"PREVIEW": Start.BODY, b"SNIPPET": Start.BODY,
}  # fmt: skip
_APPENDING: Final = frozenset(("APPEND", "REPLACE"))
_CONTENTS: Final = frozenset((b"catenate", b"utf8"))
"""What the list of a letter's parts stands behind, and that of its data in UTF-8 (RFC 4469, RFC 6855)."""
_FILTERED: Final = frozenset(("NOTIFY", "ESEARCH"))
_MAILBOXES: Final = frozenset((b"mailboxes", b"subtree", b"subtree-one"))
_NONE: Final = ()


class Place:
    """Follows one unit behind its first words, token by token."""

    def __init__(self, direction: Direction, name: str) -> None:
        """`name` is the command's, in capitals and without UID, or the response's."""
        self.name = name
        self.argument = -1  # the blank in front of it begins the first one
        self.stack: list[bytes] = []
        """What is open: "(" and "["."""
        self.counts: list[int] = []
        """How many values each open list has had."""
        self.firsts: list[bytes] = []
        """The first of them, in small letters, if that was no list."""
        self.heads: list[bytes] = []
        """What stood in front of each open list, in small letters, if that was no list."""
        self.before = b""
        """The value before, in small letters; nothing, where it was told by the one before it what it is."""
        self.item = b""
        """The item of a FETCH whose value comes, or is coming."""
        self.section = b""
        """What stands in its brackets."""
        self._bracketed = False
        self._naming = self._named = False
        self._asked = direction is Direction.CLIENT
        self._fetches = name in {"FETCH", "UIDFETCH"}
        self._shift = 0
        self._sorting = self._sorted = False
        """Whether these are the criteria of a SORT, and whether they have been: SUBJECT there has no value."""

    # --- what comes -------------------------------------------------------------------------------------------------

    def space(self) -> None:
        """Blanks."""
        if not self.stack:
            self.argument += 1
        elif len(self.stack) == 1 and self.tells_items:
            self._naming, self._named = not self._naming, False

    def mark(self, mark: bytes) -> None:
        """A parenthesis or a bracket."""
        if mark in b"([":
            self._open(mark)
        elif mark in b")]" and self.stack:
            self.stack.pop()
            self.counts.pop()
            self.firsts.pop()
            self.heads.pop()
            if self.counts and mark == b")":
                self.counts[-1] += 1
            self._sorting &= bool(self.stack)
            self.before = b""

    def value(self, value: bytes) -> None:
        """A string, or an atom that is none of the names of items."""
        small = value.lower()
        if self.counts:
            if not self.counts[-1]:
                self.firsts[-1] = small
            self.counts[-1] += 1
        if self.before == b"header" and self.searches:
            self.before = b"header-value"
        elif self.valued:
            self.before = b""
        else:
            self.before = small

    def name_item(self, upper: bytes) -> None:
        """The name of an item of a FETCH, or of what it asks for."""
        self.item, self.section, self._bracketed, self._named = upper, b"", False, True
        self.before = upper.lower()

    def name_section(self, upper: bytes) -> None:
        """A word of what stands in brackets behind it."""
        self.section += upper + b" "

    # --- what it is -------------------------------------------------------------------------------------------------

    @property
    def tells_items(self) -> bool:
        """Whether it is a server's FETCH."""
        return self._fetches and not self._asked

    @property
    def names_item(self) -> bool:
        """Whether the next atom is the name of an item."""
        return len(self.stack) == 1 and self.tells_items and self._naming and not self._named

    @property
    def in_section(self) -> bool:
        """Whether it stands within the brackets of an item."""
        return self._fetches and b"[" in self.stack

    @property
    def searches(self) -> bool:
        """Whether it is a search."""
        return self._asked and self.name in _SEARCHES

    @property
    def valued(self) -> bool:
        """Whether the next string is what is looked for."""
        return self.searches and not self._sorting and self.before in _VALUED

    @property
    def of_mailbox(self) -> bool:
        """Whether the next string is the name of a mailbox, or a pattern of names."""
        if self.stack:
            return self._asked and (self._in_patterns or self._in_mailboxes)
        if self._asked and self.name in _FILTERED and self.before in _MAILBOXES:
            return True
        table = _ASKED if self._asked else _TOLD
        return self._at(table.get(self.name, _NONE), self._shift)

    @property
    def _in_patterns(self) -> bool:
        """Whether it stands among several patterns of a LIST (RFC 5258 section 3)."""
        return self.name == "LIST" and len(self.stack) == 1 and self.argument - self._shift == 1

    @property
    def _in_mailboxes(self) -> bool:
        """Whether it stands where a NOTIFY or an ESEARCH says which mailboxes (RFC 5465 section 6, RFC 7377)."""
        return self.name in _FILTERED and (self.before in _MAILBOXES or self.heads[-1] in _MAILBOXES)

    @property
    def appended_flags(self) -> bool:
        """Whether it stands among the flags of a letter that is appended (RFC 9051 section 6.3.12)."""
        return self._asked and self.name in _APPENDING and len(self.stack) == 1 and self.heads[0] not in _CONTENTS

    @property
    def envelope(self) -> int:
        """How many lists are open where the fields of an envelope stand; 0 outside of one.

        A letter within a letter has its envelope in its body structure (RFC 9051 section 7.5.2).
        """
        if self.item == b"ENVELOPE":
            return 2
        lists = zip(self.firsts[:-1], self.counts, strict=False)
        return next((depth for depth, each in enumerate(lists, 2) if each == (b"message", 7)), 0)

    @property
    def of_user(self) -> bool:
        """Whether it is the name of a user."""
        return self._at(_USERS.get(self.name, _NONE))

    @property
    def of_word(self) -> bool:
        """Whether it is a word of the protocol, even if it is not known."""
        return self._at(_WORDS.get(self.name, _NONE))

    def letter(self) -> Start | None:
        """What a string here is, if it is a letter or a part of one."""
        if self._asked:
            appends = self.name in _APPENDING and self.argument > (1 if self.name == "REPLACE" else 0)
            return Start.LETTER if appends and self.before != b"url" else None
        if not self._fetches or len(self.stack) != 1:
            return None
        return _start(self.section) if self._bracketed else _LETTERS.get(self.item)

    def _at(self, arguments: Container[int], shift: int = 0) -> bool:
        return not self.stack and self.argument - shift in arguments

    def _open(self, mark: bytes) -> None:
        if not self.stack and not self.argument and self._asked and self.name in {"LIST", "GETMETADATA"}:
            self._shift = 1  # options stand in front of the arguments
        if self._asked and self.name == "SORT" and not self.stack and not self._sorted and self.before != b"return":
            self._sorting = self._sorted = True
        if mark == b"[" and len(self.stack) == 1 and self.tells_items:
            self._bracketed = True
        if mark == b"(" and not self.stack and self.tells_items:
            self._naming = True
        self.stack.append(mark)
        self.counts.append(0)
        self.firsts.append(b"")
        self.heads.append(self.before)


def _start(section: bytes) -> Start:
    """What `BODY[section]` begins with."""
    word = re.split(rb"[ (]", section.strip(), maxsplit=1)[0]
    if not word:
        return Start.LETTER
    return Start.HEADER if word.endswith(b"MIME") or b"HEADER" in word else Start.BODY
