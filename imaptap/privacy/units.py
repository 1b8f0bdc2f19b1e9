"""A command or a response, rewritten token by token: as many bytes, the same syntax.

What a token is follows from where it stands (`imaptap.privacy.places`), and from the words that the protocol has. What
is not known to be anything is replaced (`Thing.OTHER`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from imaptap.privacy import headers
from imaptap.privacy.letters import Letter, Start
from imaptap.privacy.places import Place
from imaptap.privacy.policy import Thing
from imaptap.privacy.vocabulary import CHARSET, COMMANDS, FLAGS, IMAP, MIME, SERVER
from proxy.imap.transcript import Direction

if TYPE_CHECKING:
    from imaptap.privacy.rules import Rules

_TOKEN = re.compile(
    rb"(?P<quoted>\"(?:[^\"\\]|\\.)*+\")|(?P<literal>~?\{[0-9]+\+?\}\r?\n\Z)|(?P<space>[ \t\r\n]+)"
    rb"|(?P<mark>[()\[\]<>])|(?P<atom>[^ \t\r\n()\[\]<>\"]+)",
    re.DOTALL,
)
_HEAD = re.compile(
    rb"(?P<tag>[^ \t\r\n]*)(?P<gap>[ \t]+)(?P<uid>[Uu][Ii][Dd][ \t]+)?(?P<name>[^ \t\r\n(\[\"{]+)(?P<count>)"
)
_COUNTED = re.compile(rb"(?P<tag>\*)(?P<gap>[ \t]+)(?P<uid>)(?P<count>[0-9]+[ \t]+)(?P<name>[A-Za-z]+)")
_CODE = re.compile(rb"[ \t]*\[")
_NUMBERS = re.compile(rb"[0-9:,*.$+\-<>%]+")
_MACHINE = re.compile(rb"[0-9]{1,3}(?:\.[0-9]{1,3}){3}")
_TAG = re.compile(rb"([A-Za-z]*)([0-9]*)")
_LETTERED = re.compile(r"[A-Za-z0-9]+")
_STATUS: Final = frozenset((b"OK", b"NO", b"BAD", b"BYE", b"PREAUTH"))
_GMAIL: Final = frozenset((b"x-gm-msgid", b"x-gm-thrid"))
_STRUCTURES: Final = frozenset((b"BODY", b"BODYSTRUCTURE"))
_ENVELOPE: Final = (Thing.HEADER, Thing.SUBJECT, *(Thing.ADDRESS,) * 6, Thing.ID, Thing.ID)
_ABOUT: Final = {
    b"subject": Thing.SUBJECT, b"from": Thing.ADDRESS, b"to": Thing.ADDRESS, b"cc": Thing.ADDRESS,
    b"bcc": Thing.ADDRESS,
    b"body": Thing.TEXT, b"text": Thing.TEXT, b"x-gm-raw": Thing.TEXT, b"keyword": Thing.KEYWORD,
    b"unkeyword": Thing.KEYWORD, b"header-value": Thing.HEADER, b"emailid": Thing.ID, b"threadid": Thing.ID,
}  # fmt: skip
_PUBLIC_ID: Final = frozenset((b"name", b"version", b"os", b"os-version", b"vendor", b"date"))
_FLAG_WORDS: Final = re.compile(rb"[+-]?(?:FLAGS|X-GM-LABELS)(?:\.SILENT)?|UNCHANGEDSINCE|ANNOTATION|PERMANENTFLAGS")
_STRING_MOST: Final = 64 * 1024


class Unit:
    """Rewrites one unit of a direction: give its text runs to `text`, and its literals to `string` or `letter`."""

    def __init__(self, rules: Rules, direction: Direction) -> None:
        self._rules = rules
        self._direction = direction
        self._fields = headers.Fields(rules)
        self._place: Place | None = None
        self._status = self._free = False
        self._known = True
        """Whether its first word, its code or item is one of the protocol: numbers of others may be anybody's."""
        self._code = b""

    def text(self, run: bytes) -> bytes:
        """The next text run, line end and announcement included."""
        made, position = list[bytes](), 0
        place = self._place
        if place is None:
            head, position, place = self._head(run)
            self._place = place
            made.append(head)
        while position < len(run):
            if self._free:
                made.append(self._rules.words(run[position:], Thing.SERVER, SERVER | IMAP))
                break
            match = _TOKEN.match(run, position)
            if match is None:  # a quote that nothing closes
                made.append(self._rules.words(run[position:], Thing.OTHER))
                break
            made.append(self._token(place, match))
            position = match.end()
        return b"".join(made)

    def letter(self, size: int) -> Letter | None:
        """What rewrites the literal that was announced last, if it is a letter or a part of one, or is a long one."""
        start = self._place.letter() if self._place else None
        if start is None and size <= _STRING_MOST:
            return None
        if self._place:
            self._place.value(b"")
        return Letter(self._rules, start or Start.BODY)

    def string(self, content: bytes) -> bytes:
        """The content of a literal that is none of those."""
        return self._string(self._place, content) if self._place else self._rules.words(content, Thing.OTHER)

    # --- the beginning ----------------------------------------------------------------------------------------------

    def _head(self, run: bytes) -> tuple[bytes, int, Place]:
        """The first words rewritten, where they end, and the place behind them."""
        asks = self._direction is Direction.CLIENT
        if run[:1] == b"+" and not asks:
            self._free = True
            return b"+", 1, Place(self._direction, "")
        match = (None if asks else _COUNTED.match(run)) or _HEAD.match(run)
        if match is None:
            done = run.strip().upper() == b"DONE" or not run.strip().strip(b"xX=*")
            return run if done else self._rules.words(run, Thing.OTHER), len(run), Place(self._direction, "")
        name = match["name"].upper()
        known = name.decode("latin-1") in COMMANDS if asks else name.decode("latin-1").lower() in IMAP
        self._known = known
        shown = match["name"] if known else self._rules.words(match["name"], Thing.OTHER, IMAP)
        tag = match["tag"] if match["tag"] == b"*" and not asks else tag_of(self._rules, match["tag"])
        self._status = not asks and name in _STATUS
        self._free = self._status and _CODE.match(run, match.end()) is None
        head = tag + match["gap"] + (match["uid"] or b"") + match["count"] + shown
        return head, match.end(), Place(self._direction, "" if self._status else name.decode("latin-1"))

    # --- tokens -----------------------------------------------------------------------------------------------------

    def _token(self, place: Place, match: re.Match[bytes]) -> bytes:
        token = match[0]
        match match.lastgroup:
            case "space":
                place.space()
                return token
            case "mark":
                place.mark(token)
                self._free = self._status and not place.stack and token == b"]"
                return token
            case "quoted":
                return b'"' + self._quoted(place, token[1:-1]) + b'"'
            case "atom":
                return self._atom(place, token)
            case _:
                return token

    def _quoted(self, place: Place, content: bytes) -> bytes:
        start = place.letter() if place.tells_items else None
        if start is None:
            return self._string(place, content)
        place.value(b"")
        return self._rules.line(content) if start is not Start.HEADER else self._rules.words(content, Thing.HEADER)

    def _atom(self, place: Place, token: bytes) -> bytes:
        upper = token.upper()
        if place.in_section:
            named = b"(" in place.stack[place.stack.index(b"[") :]
            place.name_section(upper)
            return self._fields.name(token) if named else self._word(token)
        if place.names_item:
            place.name_item(upper)
            self._known = self._told(token)
            return self._word(token)
        made = self._value(place, token, upper)
        place.value(token)
        return made

    def _value(self, place: Place, token: bytes, upper: bytes) -> bytes:
        """An atom that is a value, by its place."""
        rules, status = self._rules, self._status and bool(place.stack)
        if status and place.counts == [0] and place.stack == [b"["]:
            self._code = upper
            self._known = self._told(token)
        made = self._placed_atom(place, token, upper)
        if made is not None:
            return made
        if _MACHINE.fullmatch(token):
            return rules.words(token, Thing.HOST)
        if (self._known and _NUMBERS.fullmatch(token)) or CHARSET.fullmatch(token.decode("latin-1")):
            return token
        if self._of_flags(place) or token[:1] in b"\\$":
            return self._flag(token)
        if place.before == b"header" and place.searches:
            return self._fields.name(token)
        if place.before == b"tag":
            return tag_of(rules, token)
        return self._word(token)

    def _placed_atom(self, place: Place, token: bytes, upper: bytes) -> bytes | None:
        """An atom where it is known what stands there, whatever it looks like."""
        rules = self._rules
        if place.of_mailbox:
            return token if upper in {b"NIL", b"INBOX"} else rules.mailbox(token)
        if place.of_user:
            return rules.address(token)
        if place.of_word or (self._status and place.stack and self._code == b"CAPABILITY"):
            return token
        if place.before in _GMAIL and token.isdigit():
            return rules.pseudonyms.number(token.decode()).encode() if rules.replaces(Thing.ID) else token
        if place.valued:  # before numbers: somebody may look for one, of a telephone or a machine
            about = _ABOUT[place.before]
            return self._flag(token) if about is Thing.KEYWORD else rules.words(token, about)
        if place.stack and self._of_flags(place) and place.before != b"unchangedsince":
            return self._flag(token)
        if place.tells_items and place.item == b"X-GM-LABELS" and token[:1] != b"\\":
            return rules.mailbox(token)
        return None

    def _word(self, token: bytes) -> bytes:
        """An atom: one of the protocol stays."""
        return token if self._told(token) else self._rules.words(token, Thing.OTHER)

    def _told(self, token: bytes) -> bool:
        """Whether it is made of words of the protocol."""
        named = [word for word in _LETTERED.findall(token.decode("latin-1")) if not word.isdigit()]
        return token.isascii() and bool(named or self._known) and all(word.lower() in IMAP for word in named)

    def _of_flags(self, place: Place) -> bool:
        item = place.item == b"FLAGS" and place.tells_items
        named = place.name in {"FLAGS", "STORE"} or place.appended_flags
        return named or item or self._code == b"PERMANENTFLAGS"

    def _flag(self, token: bytes) -> bytes:
        known = token.decode("latin-1").lower() in FLAGS or _FLAG_WORDS.fullmatch(token.upper())
        return token if known else self._rules.words(token, Thing.KEYWORD)

    # --- strings ----------------------------------------------------------------------------------------------------

    def _string(self, place: Place, content: bytes) -> bytes:
        made = self._placed(place, content)
        place.value(content)
        return made

    def _placed(self, place: Place, content: bytes) -> bytes:
        """A string, by its place."""
        rules = self._rules
        if place.of_mailbox:
            return content if content.upper() == b"INBOX" else rules.mailbox(content)
        if place.of_user:
            return rules.address(content)
        if place.tells_items and (made := self._of_item(place, content)) is not None:
            return made
        if place.name == "ID":
            key = place.counts and place.counts[-1] % 2 == 0
            public = (content.lower() if key else place.before) in _PUBLIC_ID
            return content if public else rules.words(content, Thing.OTHER)
        if place.name == "NAMESPACE":
            return rules.mailbox(content)
        if place.in_section or (place.before == b"header" and place.searches):
            return self._fields.name(content)
        if place.before == b"tag":
            return tag_of(rules, content)
        return rules.words(content, _ABOUT.get(place.before, Thing.OTHER) if place.valued else Thing.OTHER)

    def _of_item(self, place: Place, content: bytes) -> bytes | None:
        """A string in the value of an item of a FETCH."""
        rules = self._rules
        if place.item == b"ENVELOPE" or (place.item in _STRUCTURES and place.envelope):
            return self._of_envelope(place, content)
        if place.item in _STRUCTURES and len(place.stack) > 1:
            return self._of_structure(place, content)
        if place.item == b"FLAGS":
            return self._flag(content)
        return rules.mailbox(content) if place.item == b"X-GM-LABELS" else None

    def _of_envelope(self, place: Place, content: bytes) -> bytes:
        if len(place.stack) == place.envelope:
            thing = _ENVELOPE[min(place.counts[-1], len(_ENVELOPE) - 1)]
            return self._rules.words(content, thing, headers.ZONES)
        if place.counts and place.counts[-1] == 3:
            return self._rules.host(content)
        return self._rules.address(content)

    def _of_structure(self, place: Place, content: bytes) -> bytes:
        name = place.before.partition(b"*")[0]
        if name in (b"name", b"filename", b"boundary"):
            return headers.parameter(self._rules, name, content)
        word = content.decode("latin-1").lower()
        if content.isascii() and (CHARSET.fullmatch(word) or all(each in MIME for each in _LETTERED.findall(word))):
            return content
        return self._rules.words(content, Thing.ID if b"@" in content else Thing.OTHER, MIME)


def tag_of(rules: Rules, tag: bytes) -> bytes:
    """A tag: what counts stays, words do not."""
    match = _TAG.fullmatch(tag)
    if not rules.replaces(Thing.OTHER) or (match and len(match[1]) < 2):
        return tag
    return rules.words(tag, Thing.OTHER) if match is None else rules.words(match[1], Thing.OTHER) + match[2]
