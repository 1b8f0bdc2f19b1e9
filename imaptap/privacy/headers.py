"""Header fields: what kind of thing each of them has, and what becomes of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from imaptap.privacy.policy import Thing
from imaptap.privacy.vocabulary import CHARSET, HEADERS, MIME

if TYPE_CHECKING:
    from imaptap.privacy.rules import Rules

FIELD: Final = re.compile(rb"([\x21-\x39\x3b-\x7e]{1,200})([ \t]*:)")
_ADDRESSES = re.compile(
    rb"(?:resent-)?(?:from|to|cc|bcc|sender|reply-to)|return-path|delivered-to|envelope-to|errors-to|return-receipt-to"
    rb"|x-(?:original-to|envelope-from|envelope-to|forwarded-to|sender|delivered-to)|mail-(?:followup|reply)-to"
    rb"|disposition-notification-to|original-recipient"
)
_SUBJECTS: Final = frozenset((b"subject", b"thread-topic", b"keywords", b"comments", b"content-description"))
_IDS = re.compile(
    rb"(?:resent-)?message-id|references|in-reply-to|content-id|supersedes|original-message-id|content-location"
)
_DATES: Final = frozenset((b"date", b"resent-date", b"delivery-date", b"expires", b"reply-by"))
_STRUCTURE: Final = frozenset(
    (b"content-type", b"content-disposition", b"content-transfer-encoding", b"content-language", b"mime-version",
     b"content-length", b"lines", b"content-class")
)  # fmt: skip
_SIZES: Final = frozenset((b"mime-version", b"content-length", b"lines"))
_PARAMETER = re.compile(
    rb"(?<![A-Za-z0-9\-])(?P<name>[A-Za-z0-9\-]{1,80}+(?:\*[0-9]{0,4}+)?\*?)(?P<is>[ \t\r\n]{0,80}+=[ \t\r\n]*+)"
    rb"(?P<value>\"(?:[^\"\\]|\\.)*+\"?|[^;\s]++)",
    re.DOTALL,
)
_FILENAMES = re.compile(rb"(?:file)?name\b.*", re.IGNORECASE | re.DOTALL)
_TELLING: Final = frozenset(
    (b"charset", b"format", b"delsp", b"type", b"micalg", b"protocol", b"report-type", b"method")
)


class Content(NamedTuple):
    """What a header says of what follows it, in small letters."""

    kind: bytes = b"text/plain"
    encoding: bytes = b""
    boundary: bytes = b""


class Fields:
    """Rewrites header fields, and learns from them what follows."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self.content = Content()

    def field(self, data: bytes) -> bytes:
        """A field with all its lines, as many bytes."""
        match = FIELD.match(data)
        if match is None:
            return self._rules.line(data)
        name = match[1].lower()
        value = data[match.end() :]
        self._learn(name, value)
        if name.decode("ascii") in self._rules.policy.headers:
            return data
        return self.name(match[1]) + match[2] + self._value(name, value)

    def name(self, name: bytes) -> bytes:
        """The name of a field: those that many letters have stay."""
        if name.decode("latin-1").lower() in HEADERS | self._rules.policy.headers:
            return name
        return self._rules.words(name, Thing.HEADER, _PREFIXES)

    def _value(self, name: bytes, value: bytes) -> bytes:
        rules = self._rules
        if name in _STRUCTURE:
            return value if name in _SIZES and value.strip().replace(b".", b"").isdigit() else self._structure(value)
        if _ADDRESSES.fullmatch(name):
            return rules.words(value, Thing.ADDRESS)
        if name in _SUBJECTS:
            return rules.words(value, Thing.SUBJECT)
        if _IDS.fullmatch(name):
            return rules.words(value, Thing.ID)
        return rules.words(
            value, Thing.DATE if name in _DATES and not rules.replaces(Thing.HEADER) else Thing.HEADER, ZONES
        )

    def _structure(self, value: bytes) -> bytes:
        """Of a Content field: types and parameters that are known stay."""
        parts, position = list[bytes](), 0
        for match in _PARAMETER.finditer(value):
            parts.append(structural(self._rules, value[position : match.start()]))
            parts += [structural(self._rules, match["name"]), match["is"], self._parameter(match)]
            position = match.end()
        return b"".join([*parts, structural(self._rules, value[position:])])

    def _parameter(self, match: re.Match[bytes]) -> bytes:
        return parameter(self._rules, match["name"], match["value"])

    def _learn(self, name: bytes, value: bytes) -> None:
        if name == b"content-transfer-encoding":
            self.content = self.content._replace(encoding=value.strip().lower())
        elif name == b"content-type":
            kind = value.partition(b";")[0].strip().lower()
            found = (each for each in _PARAMETER.finditer(value) if each["name"].lower() == b"boundary")
            match = next(found, None)
            boundary = match["value"].strip(b'"') if match else b""
            self.content = self.content._replace(kind=kind, boundary=boundary)


_PREFIXES: Final = frozenset(("x",))
ZONES: Final = frozenset("gmt utc est edt pst pdt cet cest mon tue wed thu fri sat sun".split())
"""Words of dates."""


def structural(rules: Rules, data: bytes) -> bytes:
    """A word of MIME, or several."""
    if not data.strip() or CHARSET.fullmatch(data.decode("latin-1").strip()):
        return data
    return rules.words(data, Thing.OTHER, MIME)


def parameter(rules: Rules, name: bytes, value: bytes) -> bytes:
    """The value of a parameter of a Content field, or of a body structure."""
    name = name.lower().partition(b"*")[0]
    if _FILENAMES.fullmatch(name):
        return rules.words(value, Thing.FILENAME)
    if name == b"boundary":
        return rules.words(value, Thing.ID)
    if name in _TELLING:
        inner = value.strip(b'"')
        return value if CHARSET.fullmatch(inner.decode("latin-1")) else rules.words(value, Thing.OTHER, MIME)
    return rules.words(value, Thing.OTHER)
