"""The whole of IMAP over finished units: commands and responses as frozen values, and back to bytes.

    parse_response(unit)   a server's unit -> Parsed[Response]
    parse_command(unit)    a client's unit -> Parsed[Command | Done]
    parse_sasl(unit)       a client's line within AUTHENTICATE -> Parsed[SaslLine]
    write(value)           any of these values -> Unit
    cut(data, direction)   the bytes of one unit -> Unit

Nothing here raises on any input, recurses deeper than DEPTH_MOST lists, or takes more than linear time. It is for
those who look at a recording: the conversation never imports it, so traffic waits for none of this. docs/grammar.md
tells more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from proxy.imap.grammar.commands import Command, Done, command
from proxy.imap.grammar.cursor import Cursor
from proxy.imap.grammar.framing import cut, joined
from proxy.imap.grammar.plain import plain_completion
from proxy.imap.grammar.quirks import Noted, Quirk
from proxy.imap.grammar.responses import Response, Tagged, Untagged, response
from proxy.imap.grammar.results import Parsed, Raw
from proxy.imap.grammar.sasl import SaslLine, sasl_line
from proxy.imap.grammar.status import BareCode, Continuation
from proxy.imap.grammar.tape import Stopped
from proxy.imap.grammar.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.imap.grammar.values import Writable
    from proxy.imap.units import Unit

__all__ = [
    "BareCode",
    "Command",
    "Continuation",
    "Done",
    "Noted",
    "Parsed",
    "Quirk",
    "Raw",
    "Response",
    "SaslLine",
    "Tagged",
    "Untagged",
    "cut",
    "joined",
    "parse_command",
    "parse_response",
    "parse_sasl",
    "write",
]

V = TypeVar("V")


def parse_response(unit: Unit) -> Parsed[Response]:
    """What a server says with this unit (RFC 9051 section 7)."""
    plain = plain_completion(unit)
    return _parse(unit, response) if plain is None else Parsed(plain)


def parse_command(unit: Unit) -> Parsed[Command | Done]:
    """What a client says with this unit, where it is no line of a SASL exchange (RFC 9051 section 6)."""
    return _parse(unit, command)


def parse_sasl(unit: Unit) -> Parsed[SaslLine]:
    """A client's line after the "+" of an AUTHENTICATE (RFC 9051 section 6.2.2)."""
    return _parse(unit, sasl_line)


def write(value: Writable) -> Unit:
    """The value in its canonical spelling, at offset 0. `joined` makes bytes of it; parsed again it is equal."""
    w = Writer()
    value.write(w)
    w.raw(b"\r\n")
    return w.unit()


def _parse(unit: Unit, read: Callable[[Cursor], V]) -> Parsed[V]:
    c = Cursor(unit)
    if not c.whole:
        return Parsed(Raw(unit, 0, "all of the unit's text"))
    try:
        value: V | Raw = read(c)
    except Stopped as stopped:
        value = Raw(unit, c.offset(stopped.pos), stopped.expected)
    return Parsed(value, tuple(sorted(c.notes, key=lambda noted: noted.start)))
