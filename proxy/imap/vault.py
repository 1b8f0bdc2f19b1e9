"""Passwords of a session, remembered in the forms in which a server may echo them (M 7.5)."""

from __future__ import annotations

import base64
import re

Spans = list[tuple[int, int]]

_MIN_ANYWHERE = 4  # a shorter password is looked for as a whole word only
_FORMS_KEPT = 64
_TOKENS = b"://", b"aps-"
"""Every token that `secrets` looks for in every line has one of these beside it."""


class Vault:
    """Never printed, never stored. Found in any case: servers show what they take for a command in capitals."""

    def __init__(self) -> None:
        self._forms: dict[bytes, re.Pattern[bytes] | None] = {}
        self._any: re.Pattern[bytes] | None = None

    def __repr__(self) -> str:
        return "Vault()"

    @property
    def longest(self) -> int:
        """How much of a partial line has to be held back: the longest form, and what shows that a word ends."""
        return max((len(form) + 1 for form in self._forms), default=0)

    def learn(self, value: bytes) -> None:
        """Remember a secret: as it is, with quotes escaped, in base64. The oldest forms are forgotten at some time."""
        value = value.strip(b"\r\n")
        if not value or len(value) > 8192:
            return
        escaped = value.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
        for form in (value.lower(), escaped.lower(), base64.b64encode(value).lower()):
            self._forms.pop(form, None)
            self._forms[form] = _word(form) if len(form) < _MIN_ANYWHERE else None
        for form in list(self._forms)[:-_FORMS_KEPT]:
            del self._forms[form]
        self._any = None

    def touches(self, data: bytes) -> bool:
        """Whether any form stands anywhere in `data`, as a word or not, or what may be a token of a server's."""
        if self._any is None:
            self._any = re.compile(b"|".join(map(re.escape, (*_TOKENS, *self._forms))))
        return self._any.search(data.lower()) is not None

    def find(self, data: bytes, *, words: bool = False, ended: bool = True) -> Spans:
        """Where known secrets stand in `data`; short ones only with `words` (status lines and commands).

        Without `ended` more of the line will come, so that a word at its end may go on.
        """
        spans: Spans = []
        if not self._forms:
            return spans
        data = data.lower()
        for form, pattern in self._forms.items():
            if pattern is None:
                if form in data:
                    spans += _places(form, data)
            elif words:
                spans += [m.span() for m in pattern.finditer(data) if ended or m.end() < len(data)]
        return spans

    def begun(self, data: bytes) -> Spans:
        """The end of `data`, if it is the beginning of a known secret whose rest will not come."""
        data = data.lower()
        longest = max((_overlap(data, form) for form in self._forms), default=0)
        return [(len(data) - longest, len(data))] if longest else []


def _overlap(data: bytes, form: bytes) -> int:
    """How many bytes at the end of `data` are those at the beginning of `form`, if not all of these."""
    tail = data[-(len(form) - 1) :] if len(form) > 1 else b""
    pos = tail.find(form[:1])
    while pos >= 0:
        if form.startswith(tail[pos:]):
            return len(tail) - pos
        pos = tail.find(form[:1], pos + 1)
    return 0


def _word(form: bytes) -> re.Pattern[bytes]:
    return re.compile(rb"(?<![0-9a-z])" + re.escape(form) + rb"(?![0-9a-z])")


def _places(form: bytes, data: bytes) -> Spans:
    spans: Spans = []
    pos = data.find(form)
    while pos >= 0:
        spans.append((pos, pos + len(form)))
        pos = data.find(form, pos + len(form))
    return spans
