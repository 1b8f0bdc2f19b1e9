"""Which bytes are secret (M 7.1-7.6): found by what they are in the protocol, before anything is stored.

`CommandSecrets` walks the text runs of one client command, `sasl_secret` knows the lines of AUTHENTICATE,
`server_secrets` the tokens that servers hand out; what of it a server may echo goes to the `vault`. All spans are
(start, end) within the line given. When in doubt the rest of the line is hidden. No pattern here goes over a line more
than once, whatever the line.
"""

from __future__ import annotations

import base64
import binascii
import difflib
import functools
import itertools
import re

from proxy.imap.commands import KNOWN, CommandHead, unescape
from proxy.imap.vault import Spans

_QUOTED = re.compile(rb'"((?:[^"\\]|\\.)*+)"')
_ANNOUNCEMENT = re.compile(rb"~?\{[0-9]+\+?\}\r?\n\Z")
_LINE_END = re.compile(rb"[ \t]*\r*\n?\Z")
_TELLING = re.compile(r"LOGIN|AUTH|PASS|PWD|TOKEN|SECRET|UNLOCK")
_PUBLIC_ID = frozenset({b"name", b"version", b"os", b"os-version", b"vendor", b"support-url", b"date"})
_STRING = re.compile(rb'"((?:[^"\\]|\\.)*+)"?|\bNIL\b', re.IGNORECASE)
_URLAUTH = re.compile(rb";urlauth=[^:\s\"]{1,200}:[^:\s\"]{1,200}:([0-9a-z]+)", re.IGNORECASE)
_URL_USER = re.compile(rb"imaps?://([^@/\s\"\]]+)@", re.IGNORECASE)
_WEBALERT = re.compile(rb"\[WEBALERT ([^\]\r\n]+)", re.IGNORECASE)
_BADURL = re.compile(rb"\[BADURL ([^\]\r\n]+)", re.IGNORECASE)
_APPLE = re.compile(rb"aps-(?:device-token|account-id)\"? +\"?([^\" \r\n)]+)", re.IGNORECASE)
_VENDOR_VALUE = re.compile(
    rb"/private/vendor/[^ \")]+\"? +(?:\"((?:[^\"\\]|\\.)*+)\"?|~?\{[0-9]+\+?\}\r?\n\Z)", re.IGNORECASE
)
_BEARER = re.compile(rb"auth=[A-Za-z]+ +([^\x01\s]+)")
_MIN_SASL = 8
_WORDS_LEARNED = 4
_LEARNED_KEPT = 32
_ANNOUNCEMENT_MAX = 64
_NO_ANSWER = frozenset({b"", b"*", b"="})


class CommandSecrets:
    """Follows one client command through its text runs and literals."""

    def __init__(self, head: CommandHead, *, authenticated: bool, suspect: bool = False) -> None:
        """`suspect`: a login has just gone wrong, so that this may be the rest of it."""
        self.name = head.name
        self.known = head.name.removeprefix("UID ") in KNOWN
        self.doubtful = False
        """Whether the words are not what they should be: a LOGIN of one word, or what may be meant as one."""
        self.learned: list[bytes] = []
        """Passwords seen in clear, for the vault."""
        self._suspect = suspect
        self._start = head.arguments
        self._user_seen = False
        self._literal_secret = False
        self._telling = not self.known and _tells(head.name)
        self._rule = self._rule_for(head, authenticated=authenticated)

    def _rule_for(self, head: CommandHead, *, authenticated: bool) -> str:
        name = head.name.removeprefix("UID ")
        if name in {"LOGIN", "AUTHENTICATE", "ID", "SETMETADATA"}:
            return name.lower()
        if self.known:
            return ""
        if self._suspect:
            self._start = 0
        elif _tells(head.tag.upper().decode("ascii", "replace")):
            # The tag was forgotten, or this is POP: "LOGIN bob secret", "PASS secret".
            self._start = len(head.tag)
            self._telling = True
        elif authenticated and head.legal and not self._telling:
            return ""
        # A mistyped LOGIN still holds a password (M 7.2).
        return "all"

    @property
    def tells_passwords(self) -> bool:
        """Whether what is hidden here is a password that a server may echo."""
        return self._rule == "login" or (self._rule == "all" and (self._suspect or self._telling or self.doubtful))

    @property
    def kind(self) -> str:
        """What class of secret is hidden here (M 7.8)."""
        return {"": "token", "all": "unknown command"}.get(self._rule, self._rule)

    @property
    def public(self) -> bool:
        """Whether a part of a line may be released before its end has come."""
        return not self._rule

    @property
    def literal_is_secret(self) -> bool:
        """Whether the literal announced by the line last given is a secret."""
        return self._literal_secret

    def line(self, line: bytes, *, first: bool, last: bool) -> Spans:
        """The secret spans of the unit's next text run; `last` when no literal follows it."""
        start = self._start if first else 0
        self._literal_secret = False
        if self._rule == "login":
            return self._login(line, start, last=last)
        if self._rule == "authenticate":
            return self._initial_response(line, start, last=last)
        if self._rule == "id":
            self._literal_secret = not last
            return id_values(line, start, first=first)
        if self._rule == "setmetadata":
            self._literal_secret = vendor_literal(line)
            return vendor_values(line, start)
        if self._rule == "all":
            return self._arguments(line, start, last=last)
        return token_spans(line)

    def literal(self, content: bytes) -> None:
        """The content of a secret literal, to be remembered."""
        self._learn(content)

    def _learn(self, *secrets: bytes) -> None:
        """Remember the last ones: a command may go on for ever."""
        self.learned += secrets
        del self.learned[:-_LEARNED_KEPT]

    def _login(self, line: bytes, start: int, *, last: bool) -> Spans:
        pos = _skip(line, start)
        if not self._user_seen:
            self._user_seen = True
            if _ANNOUNCEMENT.match(line, pos):
                return []
            end = _end_of_word(line, pos)
            if end is None or line[end : end + 1].strip() or (last and _LINE_END.match(line, end)):
                self.doubtful = True
                return self._rest(line, pos, last=last)
            pos = _skip(line, end)
        return self._rest(line, pos, last=last)

    def _arguments(self, line: bytes, start: int, *, last: bool) -> Spans:
        """Hide the arguments of an unknown command. Two words may be a user and a password (`LOGN bob secret`)."""
        pos = _skip(line, start)
        self.doubtful |= self.name.isalpha() and b" " in line[pos : _end_of_text(line)].strip()
        return self._rest(line, pos, last=last)

    def _rest(self, line: bytes, pos: int, *, last: bool) -> Spans:
        """Hide all from `pos` on, but for what frames it: quotes around one string, `{n}`, the line end."""
        self._literal_secret = not last
        announcement = None if last else _ANNOUNCEMENT.search(line, max(pos, len(line) - _ANNOUNCEMENT_MAX))
        end = len(line[: announcement.start()].rstrip(b" ")) if announcement else _end_of_text(line)
        if pos >= end:
            return []
        quoted = _QUOTED.fullmatch(line, pos, end)
        if quoted:
            self._learn(unescape(quoted[1]))
            return [quoted.span(1)] if quoted[1] else []
        self._learn(*([line[pos:end]] if self._rule == "authenticate" else self._readings(line[pos:end])))
        return [(pos, end)]

    def _readings(self, text: bytes) -> list[bytes]:
        """What a server may take for the password in badly written words, and say again (M 4.4, 7.5)."""
        words = text.split(maxsplit=_WORDS_LEARNED)[:_WORDS_LEARNED]
        strings = itertools.islice(_STRING.finditer(text), _WORDS_LEARNED)
        readings = [text.strip(), *(word.strip(b'"') for word in words), *(unescape(m[1] or b"") for m in strings)]
        if self._suspect:
            # It may be a line of AUTHENTICATE that was sent too early.
            readings += [clear for word in words for clear in sasl_passwords("", word, 0)]
        return readings

    def _initial_response(self, line: bytes, start: int, *, last: bool) -> Spans:
        end = _end_of_word(line, start)
        pos = _skip(line, end if end is not None else start)
        if last and line[pos : _end_of_text(line)] in {b"", b"="}:
            return []
        return self._rest(line, pos, last=last)


def sasl_secret(line: bytes) -> Spans:
    """The secret of a client's SASL line: all, but for "*" (cancel), "=" and the empty answer (RFC 9051 6.2.2)."""
    end = len(line.rstrip(b"\r\n"))
    return [] if line[:end] in _NO_ANSWER else [(0, end)]


def challenge_secret(line: bytes) -> Spans:
    """The secret of a server's SASL challenge: all after "+ " (M 7.3)."""
    end = len(line.rstrip(b"\r\n"))
    start = 2 if line[1:2] == b" " else 1
    return [(start, end)] if start < end else []


def sasl_passwords(mechanism: str, line: bytes, step: int) -> list[bytes]:
    """What a SASL line gives away in clear: passwords and tokens by mechanism, else just the line itself.

    `step` counts the client's lines of this exchange from 0.
    """
    line = line.strip()
    if line in _NO_ANSWER:
        return []
    if mechanism == "LOGIN" and step == 0:
        return []  # the user
    try:
        clear = base64.b64decode(line, validate=True)
    except (binascii.Error, ValueError):
        clear = line
    learned = [line] if len(line) >= _MIN_SASL else []
    # The password of PLAIN comes last, between NULs; a bearer token says what it is.
    token = _BEARER.search(clear)
    return [*learned, *(x for x in (clear, clear.rpartition(b"\0")[2], token and token[1]) if x)]


def server_secrets(line: bytes, kind: str, *, first: bool) -> Spans:
    """The secret spans of a server line: URLAUTH tokens, users in referrals, alert URLs, push tokens (M 7.4)."""
    spans = token_spans(line)
    if b"[" in line[:200]:
        spans += [m.span(1) for m in (_WEBALERT.search(line), _BADURL.search(line)) if m]
    if kind == "ID":
        spans += id_values(line, 0, first=first)
    elif kind == "METADATA":
        spans += vendor_values(line, 0)
    return spans


def secret_literal(line: bytes, kind: str) -> bool:
    """Whether the literal that this line of the server announces is a secret."""
    return kind == "ID" or (kind == "METADATA" and vendor_literal(line))


def id_values(line: bytes, start: int, *, first: bool) -> Spans:
    """The values of an ID parameter list, but for those that name a program (M 7.4). What follows a literal is all
    hidden: a key cannot be told from a value there."""
    spans: Spans = []
    key: bytes | None = None
    for match in _STRING.finditer(line, start):
        word = match[1] or b""
        if first and key is None:
            key = word.lower()
            continue
        if word and key not in _PUBLIC_ID:
            spans.append(match.span(1))
        key = None
    return spans


def vendor_values(line: bytes, start: int) -> Spans:
    """The quoted values of private vendor entries (RFC 5464; M 7.4)."""
    return [m.span(1) for m in _VENDOR_VALUE.finditer(line, start) if m[1]]


def vendor_literal(line: bytes) -> bool:
    """Whether the line ends by announcing the literal value of such an entry."""
    return any(m[1] is None for m in _VENDOR_VALUE.finditer(line))


def token_spans(line: bytes) -> Spans:
    """Tokens that name themselves, in either direction: `;URLAUTH=…:…:token`, `imap://user@`, push tokens."""
    spans: Spans = []
    if b"://" in line:
        spans += [m.span(1) for m in _URLAUTH.finditer(line)]
        spans += [m.span(1) for m in _URL_USER.finditer(line)]
    if b"aps-" in line or b"APS-" in line:
        spans += [m.span(1) for m in _APPLE.finditer(line)]
    return spans


@functools.lru_cache(maxsize=64)
def _tells(word: str) -> bool:
    """Whether this is, or is a slip of the keyboard for, a command that takes a password."""
    return bool(_TELLING.search(word) or difflib.get_close_matches(word[:20], ("LOGIN", "AUTHENTICATE")))


def _skip(line: bytes, pos: int) -> int:
    while line[pos : pos + 1] in {b" ", b"\t"}:
        pos += 1
    return pos


def _end_of_text(line: bytes) -> int:
    return len(line.rstrip(b"\r\n"))


def _end_of_word(line: bytes, pos: int) -> int | None:
    """Where the astring at `pos` ends; None for a quoted string that never does."""
    if line[pos : pos + 1] == b'"':
        match = _QUOTED.match(line, pos)
        return match.end() if match else None
    while pos < len(line) and line[pos] not in b" \t\r\n":
        pos += 1
    return pos
