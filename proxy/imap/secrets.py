"""Which bytes are secret (M 7.1-7.6): found by what they are in the protocol, before anything is stored.

`CommandSecrets` walks the text runs of one client command, `sasl_secret` knows the lines of AUTHENTICATE,
`server_secrets` the tokens that servers hand out, and `Vault` remembers passwords seen, so that a server's echo of them
is found too. All spans are (start, end) within the line given. When in doubt the rest of the line is hidden.
"""

from __future__ import annotations

import base64
import binascii
import re

from proxy.imap.commands import KNOWN, CommandHead, unescape

Spans = list[tuple[int, int]]

_QUOTED = re.compile(rb'"((?:[^"\\]|\\.)*)"')
_ANNOUNCEMENT = re.compile(rb" *~?\{[0-9]+\+?\}\r?\n\Z")
_LINE_END = re.compile(rb"[ \t]*\r*\n?\Z")
_TELLING = re.compile(r"LOGIN|AUTH|PASS|PWD|TOKEN|SECRET|UNLOCK")
_PUBLIC_ID = frozenset({b"name", b"version", b"os", b"os-version", b"vendor", b"support-url", b"date"})
_ID_PAIR = re.compile(rb'"((?:[^"\\]|\\.)*)" +"((?:[^"\\]|\\.)*)"')
_URLAUTH = re.compile(rb";urlauth=[^:\s\"]{1,200}:[^:\s\"]{1,200}:([0-9a-z]+)", re.IGNORECASE)
_URL_USER = re.compile(rb"imaps?://([^@/\s\"\]]+)@", re.IGNORECASE)
_WEBALERT = re.compile(rb"\[WEBALERT ([^\]\r\n]+)", re.IGNORECASE)
_BADURL = re.compile(rb"\[BADURL ([^\]\r\n]+)", re.IGNORECASE)
_APPLE = re.compile(rb"aps-(?:device-token|account-id)\"? +\"?([^\" \r\n)]+)", re.IGNORECASE)
_VENDOR_VALUE = re.compile(
    rb"(/private/vendor/[^ \")]+)\"? +(\"(?:[^\"\\]|\\.)*\"|~?\{[0-9]+\+?\}\r?\n\Z)", re.IGNORECASE
)
_MIN_ANYWHERE = 4  # a shorter password is looked for as a whole word only
_MIN_SASL = 8


class CommandSecrets:
    """Follows one client command through its text runs and literals."""

    def __init__(self, head: CommandHead, *, authenticated: bool, suspect: bool = False) -> None:
        self.name = head.name
        self._suspect = suspect
        self._start = head.arguments
        self._user_seen = False
        self._literal_secret = False
        self._rule = self._rule_for(head, authenticated=authenticated, suspect=suspect)
        self.learned: list[bytes] = []
        """Passwords seen in clear, for the vault."""

    def _rule_for(self, head: CommandHead, *, authenticated: bool, suspect: bool) -> str:
        name = head.name.removeprefix("UID ")
        if name == "LOGIN":
            return "login"
        if name in {"AUTHENTICATE", "ID", "SETMETADATA"}:
            return name.lower()
        if name in KNOWN:
            return ""
        if suspect:
            self._start = 0
            return "all"
        # A mistyped LOGIN still holds a password (M 7.2).
        return "all" if not authenticated or _TELLING.search(name) else ""

    @property
    def tells_passwords(self) -> bool:
        """Whether what is hidden here is a password that a server may echo."""
        return self._rule == "login" or self._suspect

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
            return self._initial_response(line, start)
        if self._rule == "id":
            return [m.span(2) for m in _ID_PAIR.finditer(line, start) if m[1].lower() not in _PUBLIC_ID]
        if self._rule == "setmetadata":
            return self._vendor_values(line, start)
        if self._rule == "all":
            return self._rest(line, start)
        return token_spans(line)

    def literal(self, content: bytes) -> None:
        """The content of a secret literal, to be remembered."""
        self.learned.append(content)

    def _login(self, line: bytes, start: int, *, last: bool) -> Spans:
        pos = _skip(line, start)
        if not self._user_seen:
            self._user_seen = True
            if _ANNOUNCEMENT.match(line, pos):
                return []
            end = _end_of_word(line, pos)
            if end is None or (last and _LINE_END.match(line, end)):
                return self._rest(line, pos)
            pos = _skip(line, end)
        return self._rest(line, pos)

    def _rest(self, line: bytes, pos: int) -> Spans:
        """Hide all from `pos` on, but for what frames it: quotes around one string, `{n}`, the line end."""
        announcement = _ANNOUNCEMENT.search(line, pos)
        self._literal_secret = announcement is not None
        end = announcement.start() if announcement else _end_of_text(line)
        if pos >= end:
            return []
        quoted = _QUOTED.fullmatch(line, pos, end)
        if quoted:
            self.learned.append(unescape(quoted[1]))
            return [quoted.span(1)] if quoted[1] else []
        self.learned.append(line[pos:end])
        if self._suspect:
            # Sent although its literal was refused: a server takes its first word for a tag and says it again (M 4.4).
            self.learned += line[pos:end].split()
        return [(pos, end)]

    def _initial_response(self, line: bytes, start: int) -> Spans:
        end = _end_of_word(line, start)
        pos = _skip(line, end if end is not None else start)
        if line[pos : _end_of_text(line)] in {b"", b"="}:
            return []
        return self._rest(line, pos)

    def _vendor_values(self, line: bytes, start: int) -> Spans:
        spans: Spans = []
        for match in _VENDOR_VALUE.finditer(line, start):
            if match[2].endswith(b"\n"):
                self._literal_secret = True
            else:
                spans.append((match.start(2) + 1, match.end(2) - 1))
        return spans


def sasl_secret(line: bytes) -> Spans:
    """The secret of a client's SASL line: all, but for "*" (cancel), "=" and the empty answer (RFC 9051 6.2.2)."""
    end = len(line.rstrip(b"\r\n"))
    return [] if line[:end] in {b"", b"*", b"="} else [(0, end)]


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
    if line in {b"", b"*", b"="}:
        return []
    try:
        clear = base64.b64decode(line, validate=True)
    except (binascii.Error, ValueError):
        return [line]
    if mechanism == "LOGIN":
        return [clear] if step else []
    learned = [line] if len(line) >= _MIN_SASL else []
    if mechanism == "PLAIN":
        return [*learned, clear.rpartition(b"\0")[2]]
    token = re.search(rb"auth=[A-Za-z]+ +([^\x01\s]+)", clear)
    return [*learned, token[1]] if token else learned


def server_secrets(line: bytes) -> Spans:
    """The secret spans of a server line: URLAUTH tokens, users in referrals, alert URLs, push tokens (M 7.4)."""
    spans = token_spans(line)
    if b"[" in line[:200]:
        spans += [m.span(1) for m in (_WEBALERT.search(line), _BADURL.search(line)) if m]
    if line[:5].upper() == b"* ID ":
        spans += [m.span(2) for m in _ID_PAIR.finditer(line) if m[1].lower() not in _PUBLIC_ID and m[2]]
    if line[:11].upper() == b"* METADATA ":
        spans += [(m.start(2) + 1, m.end(2) - 1) for m in _VENDOR_VALUE.finditer(line) if not m[2].endswith(b"\n")]
    return spans


def token_spans(line: bytes) -> Spans:
    """Tokens that name themselves, in either direction: `;URLAUTH=…:…:token`, `imap://user@`, push tokens."""
    spans: Spans = []
    if b"://" in line:
        spans += [m.span(1) for m in _URLAUTH.finditer(line)]
        spans += [m.span(1) for m in _URL_USER.finditer(line)]
    if b"aps-" in line:
        spans += [m.span(1) for m in _APPLE.finditer(line)]
    return spans


class Vault:
    """Passwords of this session in the forms in which a server may echo them (M 7.5). Never printed, never stored."""

    def __init__(self) -> None:
        self._anywhere: list[bytes] = []
        self._words: list[re.Pattern[bytes]] = []

    def __repr__(self) -> str:
        return "Vault()"

    @property
    def longest(self) -> int:
        """Length of the longest form: how much of a partial line has to be held back."""
        return max((len(form) for form in self._anywhere), default=0)

    def learn(self, value: bytes) -> None:
        """Remember a secret: as it is, with quotes escaped, in base64."""
        value = value.strip(b"\r\n")
        if not value or len(value) > 8192:
            return
        escaped = value.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
        for form in dict.fromkeys((value, escaped, base64.b64encode(value))):
            if len(form) >= _MIN_ANYWHERE:
                if form not in self._anywhere:
                    self._anywhere.append(form)
            else:
                self._words.append(re.compile(rb"(?<![0-9A-Za-z])" + re.escape(form) + rb"(?![0-9A-Za-z])"))

    def find(self, data: bytes, *, words: bool = False) -> Spans:
        """Where known secrets stand in `data`; short ones only with `words` (status lines and commands)."""
        spans: Spans = []
        for form in self._anywhere:
            pos = data.find(form)
            while pos >= 0:
                spans.append((pos, pos + len(form)))
                pos = data.find(form, pos + len(form))
        if words:
            spans += [m.span() for pattern in self._words for m in pattern.finditer(data)]
        return spans


def _skip(line: bytes, pos: int) -> int:
    while line[pos : pos + 1] == b" ":
        pos += 1
    return pos


def _end_of_text(line: bytes) -> int:
    return len(line.rstrip(b"\r\n"))


def _end_of_word(line: bytes, pos: int) -> int | None:
    """Where the astring at `pos` ends; None for a quoted string that never does."""
    if line[pos : pos + 1] == b'"':
        match = _QUOTED.match(line, pos)
        return match.end() if match else None
    while pos < len(line) and line[pos] not in b" \r\n":
        pos += 1
    return pos
