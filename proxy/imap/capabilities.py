"""The closed list of rewrites: which capability words a client may not see, or must (M 6.1, 6.2, 6.10-6.12).

A list is rewritten wherever it stands: `* CAPABILITY`, or a `[CAPABILITY …]` code in any status response. Words keep
their order and spacing; all other words stay. Each rewrite says what was received and what was sent.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

_LIST = re.compile(
    rb"\* +CAPABILITY(?=[ \r\n])([^\r\n]*)|[^ \r\n]+ +(?:OK|NO|BAD|PREAUTH|BYE) +\[CAPABILITY(?=[ \]])([^\]\r\n]*)\]",
    re.IGNORECASE,
)
_WORD = re.compile(rb" +([^ ]+)")


class Scram(enum.StrEnum):
    """What becomes of SCRAM words: channel-bound SCRAM cannot pass a middleman (M 6.10)."""

    AUTO = "auto"  # where a -PLUS mechanism is offered, hide all SCRAM
    PASS = "pass"
    HIDE = "hide"


@dataclass(frozen=True, slots=True)
class Rewrite:
    """At `offset` of the stream as received, `received` was replaced by `sent`; either may be empty."""

    offset: int
    received: bytes
    sent: bytes
    name: str


@dataclass(frozen=True, slots=True)
class Words:
    """What is done to capability lists on the way to the client."""

    hide_starttls: bool = False
    offer_starttls: bool = False
    hide_logindisabled: bool = False
    hide_compress: bool = False
    hide_external: bool = False
    scram: Scram = Scram.AUTO

    @property
    def lasting(self) -> bool:
        """Whether lists must still be rewritten after a login."""
        return self.hide_compress or self.scram is Scram.HIDE


class CapabilityRewriter:
    """Applies `words` to one session's lines; remembers that a -PLUS mechanism was offered."""

    def __init__(self, words: Words) -> None:
        self.words = words
        self.plus_seen = False

    def rewrite(self, line: bytes, offset: int) -> Rewrite | None:
        """The rewrite of the capability list in a server line that starts at `offset`; None if nothing changes."""
        match = _LIST.match(line)
        if match is None:
            return None
        group = 1 if match[1] is not None else 2
        received = match[group]
        upper = [word.upper() for word in received.split()]
        self.plus_seen |= any(word.startswith(b"AUTH=") and word.endswith(b"-PLUS") for word in upper)
        sent = _WORD.sub(lambda m: b"" if self._hidden(m[1].upper()) else m[0], received)
        if self.words.offer_starttls and b"STARTTLS" not in upper:
            sent = sent.rstrip(b" ") + b" STARTTLS"
        if sent == received:
            return None
        return Rewrite(offset + match.start(group), received, sent, "capability")

    def _hidden(self, word: bytes) -> bool:
        words = self.words
        if word.startswith(b"AUTH=SCRAM-") or (word.startswith(b"AUTH=") and word.endswith(b"-PLUS")):
            return words.scram is Scram.HIDE or (words.scram is Scram.AUTO and self.plus_seen)
        return (
            (word == b"STARTTLS" and words.hide_starttls)
            or (word == b"LOGINDISABLED" and words.hide_logindisabled)
            or (word == b"COMPRESS=DEFLATE" and words.hide_compress)
            or (word == b"AUTH=EXTERNAL" and words.hide_external)
        )


def without_list(line: bytes, offset: int) -> Rewrite | None:
    """Take the `[CAPABILITY …]` code out of a greeting that was given before TLS (M 6.3)."""
    match = _LIST.match(line)
    if match is None or match[2] is None:
        return None
    start = line.index(b"[")
    end = match.end()
    if line[end : end + 1] == b" ":
        end += 1
    return Rewrite(offset + start, line[start:end], b"", "capability")


def may_hold_list(start: bytes) -> bool:
    """Whether a line that begins like this may turn out to hold a capability list."""
    first, _, rest = start.partition(b" ")
    rest = rest.lstrip(b" ").upper()
    if not rest:
        return len(first) <= 256
    if first == b"*" and _begins(rest, b"CAPABILITY"):
        return True
    return any(_begins(rest, status + b" [CAPABILITY") for status in (b"OK", b"NO", b"BAD", b"PREAUTH", b"BYE"))


def _begins(text: bytes, wanted: bytes) -> bool:
    return text[: len(wanted)] == wanted[: len(text)]
