"""BODYSTRUCTURE and BODY as trees of parts; `where` has the number of the part (M 10.7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.imap.grammar.bodystructure import Multipart, Part
from proxy.imap.transcript import readable
from storage.diff.equality.envelope import envelopes
from storage.diff.equality.rules import Rule
from storage.diff.equality.strings import caseless, contents, text
from storage.diff.values import Kind

if TYPE_CHECKING:
    from proxy.imap.grammar.body_fields import Disposition, Extension, Params
    from proxy.imap.grammar.bodystructure import Body
    from proxy.imap.grammar.values import NString
    from storage.diff.equality.findings import Findings

_DEFAULTS = {b"CHARSET": b"US-ASCII"}
"""Parameters of text parts that mean the same when they are not there (RFC 2045 section 5.2)."""
_CASELESS = frozenset((b"CHARSET", b"FORMAT", b"DELSP", b"REPORT-TYPE", b"PROTOCOL", b"MICALG", b"ACCESS-TYPE"))


def structures(found: Findings, where: str, left: Body, right: Body, part: str = "") -> None:
    """Two bodies; `part` is the number of the part they are, "" for the message itself."""
    if left is None or right is None or type(left) is not type(right):
        if left is not right:
            found.value(_place(where, part), _kind(left), _kind(right))
    elif isinstance(left, Multipart) and isinstance(right, Multipart):
        _multipart(found, where, left, right, part)
    elif isinstance(left, Part) and isinstance(right, Part):
        _part(found, where, left, right, part)


def _place(where: str, part: str, field: str = "") -> str:
    return " ".join(filter(None, (where, part, field)))


def _kind(body: Body) -> str:
    if body is None:
        return "NIL"
    if isinstance(body, Multipart):
        return f"multipart/{_word(body.subtype)} of {len(body.parts)} parts"
    return f"{_word(body.media_type)}/{_word(body.subtype)}"


def _word(string: NString) -> str:
    return readable(string).lower() if isinstance(string, bytes) else "?"


def _multipart(found: Findings, where: str, left: Multipart, right: Multipart, part: str) -> None:
    caseless(found, _place(where, part, "subtype"), left.subtype, right.subtype)
    for number, (one, other) in enumerate(zip(left.parts, right.parts, strict=False), 1):
        structures(found, where, one, other, f"{part}.{number}" if part else str(number))
    if len(left.parts) != len(right.parts):
        kind = Kind.MISSING if len(left.parts) > len(right.parts) else Kind.EXTRA
        found.differ(kind, _place(where, part, "parts"), _kind(left), _kind(right))
    if _both_extended(found, _place(where, part), left.extension, right.extension):
        _params(found, _place(where, part), left.params, right.params)
        _extension(found, _place(where, part), left.extension, right.extension)


def _part(found: Findings, where: str, left: Part, right: Part, part: str) -> None:
    number = part or "1"
    place = _place(where, number)
    if _changed(left.media_type, right.media_type) or _changed(left.subtype, right.subtype):
        found.value(f"{place} type", _kind(left), _kind(right))
        return
    caseless(found, f"{place} type", left.media_type, right.media_type)
    caseless(found, f"{place} subtype", left.subtype, right.subtype)
    _params(found, place, left.params, right.params, text_part=_word(left.media_type) == "text")
    text(found, f"{place} content-id", left.content_id, right.content_id)
    text(found, f"{place} description", left.description, right.description)
    _encoding(found, f"{place} encoding", left.encoding, right.encoding)
    if left.octets != right.octets:
        found.value(f"{place} octets", left.octets, right.octets)
    _lines(found, f"{place} lines", left.lines, right.lines)
    if left.message is not None and right.message is not None:
        envelopes(found, f"{place} ENVELOPE", left.message.envelope, right.message.envelope)
        nested = f"{number}.1" if isinstance(left.message.body, Part) else number
        structures(found, where, left.message.body, right.message.body, nested)
    elif left.message is not right.message:
        found.value(f"{place} message", _there(left.message), _there(right.message))
    if _both_extended(found, place, left.extension, right.extension):
        contents(found, f"{place} md5", left.md5, right.md5)
        _extension(found, place, left.extension, right.extension)


def _there(message: object) -> str | None:
    return None if message is None else "envelope and body"


def _changed(left: NString, right: NString) -> bool:
    if isinstance(left, bytes) and isinstance(right, bytes):
        return left.upper() != right.upper()
    return left != right


def _encoding(found: Findings, where: str, left: NString, right: NString) -> None:
    if {left, right} <= {None, b"", b"7BIT", b"7bit", b"7Bit"} and left != right and not (left and right):
        found.let(Rule.DEFAULTS, where, left or "NIL", right or "NIL")
    else:
        caseless(found, where, left, right)


def _lines(found: Findings, where: str, left: int | None, right: int | None) -> None:
    if left == right:
        return
    if left is None or right is None or abs(left - right) == 1:
        found.let(Rule.LINES, where, left, right)
    else:
        found.value(where, left, right)


def _both_extended(found: Findings, where: str, left: Extension | None, right: Extension | None) -> bool:
    """Whether both sides have sent extension fields; where only one has, they are let pass."""
    if (left is None) != (right is None):
        found.let(Rule.EXTENSION_FIELDS, where, left, right)
    return left is not None and right is not None


def _extension(found: Findings, where: str, left: Extension | None, right: Extension | None) -> None:
    if left is None or right is None or left == right:
        return
    _disposition(found, f"{where} disposition", left.disposition, right.disposition)
    one, other = (
        tuple(each.upper() if isinstance(each, bytes) else each for each in side.language or ())
        for side in (left, right)
    )
    if one != other:
        found.value(f"{where} language", left.language, right.language)
    text(found, f"{where} location", left.location, right.location)
    if left.more != right.more:
        if left.more and right.more:
            found.value(f"{where} further fields", left.more, right.more)
        else:
            found.let(Rule.EXTENSION_FIELDS, f"{where} further fields", left.more or None, right.more or None)


def _disposition(found: Findings, where: str, left: Disposition | None, right: Disposition | None) -> None:
    if left is None or right is None:
        if left is not right:
            found.value(where, left, right)
        return
    caseless(found, where, left.kind, right.kind)
    _params(found, where, left.params, right.params)


def _params(found: Findings, where: str, left: Params, right: Params, *, text_part: bool = False) -> None:
    """Parameters as maps, names without case; the boundary is let pass."""
    if left == right:
        return
    lefts, rights = _map(left), _map(right)
    for name in dict.fromkeys((*lefts, *rights)):
        one, other = lefts.get(name), rights.get(name)
        place = f"{where} {readable(name).lower()}"
        if one == other:
            continue
        if name == b"BOUNDARY":
            found.let(Rule.BOUNDARY, place, one, other)
        elif text_part and _default(name, one) and _default(name, other):
            found.let(Rule.DEFAULTS, place, one, other)
        elif one is not None and other is not None and name in _CASELESS:
            caseless(found, place, one, other)
        elif one is not None and other is not None:
            text(found, place, one, other)
        else:
            found.value(place, one, other)
    if list(lefts) != list(rights) and lefts.keys() == rights.keys():
        found.let(Rule.ORDER, where, left, right, Kind.ORDER)


def _default(name: bytes, value: NString) -> bool:
    return name in _DEFAULTS and (value is None or (isinstance(value, bytes) and value.upper() == _DEFAULTS[name]))


def _map(params: Params) -> dict[bytes, NString]:
    return {name.upper(): value for name, value in params or () if isinstance(name, bytes)}
