"""Words whose order and case are free: CAPABILITY, ENABLED, FLAGS, PERMANENTFLAGS; and the fields of ID (M 10.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.imap.grammar.capability import Capability, Enabled, Id
from proxy.imap.grammar.fetch_items import Flags
from proxy.imap.transcript import readable
from storage.diff.equality.rules import Rule
from storage.diff.equality.strings import contents, nil
from storage.diff.values import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from proxy.imap.grammar.values import NString
    from storage.diff.equality.findings import Findings

_RECENT = b"\\RECENT"


def capabilities(found: Findings, where: str, left: Iterable[bytes], right: Iterable[bytes]) -> None:
    """Capability words: one difference for all that only one side has, told once (in two sessions, or more)."""
    lefts, rights = tuple(left), tuple(right)
    if lefts == rights:
        return
    one, other = {word.upper() for word in lefts}, {word.upper() for word in rights}
    differing = frozenset(one - other), frozenset(other - one)
    if differing in found.context.states.capabilities:
        missing, extra = (_told(sorted(side)) or None for side in differing)
        found.let(Rule.TOLD, where, missing, extra, Kind.CAPABILITY)
        return
    if one != other:
        found.context.states.capabilities.add(differing)
    words(found, where, lefts, rights, Kind.CAPABILITY)


def words(found: Findings, where: str, left: Sequence[bytes], right: Sequence[bytes], kind: Kind | None = None) -> None:
    """Words as sets, without case. Without a `kind`, what only one side has is missing, extra, or both: a value."""
    if left == right:
        return
    lefts = {word.upper(): word for word in left}
    rights = {word.upper(): word for word in right}
    missing = [word for key, word in lefts.items() if key not in rights]
    extra = [word for key, word in rights.items() if key not in lefts]
    if missing or extra:
        kind = kind or (Kind.VALUE if missing and extra else Kind.MISSING if missing else Kind.EXTRA)
        found.differ(kind, where, _told(missing) or None, _told(extra) or None)
        return
    changed = lefts.keys() & {key for key, word in rights.items() if lefts[key] != word}
    if changed:
        found.let(Rule.CASE, where, _told(lefts[key] for key in changed), _told(rights[key] for key in changed))
    if list(lefts) != list(rights):
        found.let(Rule.ORDER, where, _told(left), _told(right), Kind.ORDER)


def _told(words: Iterable[bytes]) -> str:
    return readable(b" ".join(words))


def flags(found: Findings, where: str, left: Sequence[bytes], right: Sequence[bytes]) -> None:
    """Flags as sets; `\\Recent` is let pass, `\\*` counts (M 8, 10.2)."""
    if left == right:
        return
    recent = [any(flag.upper() == _RECENT for flag in side) for side in (left, right)]
    if recent[0] != recent[1]:
        found.let(Rule.RECENT, where, _told(left), _told(right))
        left, right = ([flag for flag in side if flag.upper() != _RECENT] for side in (left, right))
    words(found, where, left, right)


def capability_data(found: Findings, left: Sequence[Capability], right: Sequence[Capability]) -> None:
    """CAPABILITY data, several together. After a login it may as well have come as a code, or not at all."""
    if left and right:
        capabilities(found, "CAPABILITY", _together(left), _together(right))
        return
    one, other = left[0] if left else None, right[0] if right else None
    if found.left.exchange.command == "CAPABILITY":
        found.value("CAPABILITY", one, other)
    else:
        found.let(Rule.CAPABILITY_CODE, "CAPABILITY", one, other)


def enabled_data(found: Findings, left: Sequence[Enabled], right: Sequence[Enabled]) -> None:
    """ENABLED data; none at all is the same as one without words."""
    words(found, "ENABLED", _together(left), _together(right))


def flags_data(found: Findings, left: Sequence[Flags], right: Sequence[Flags]) -> None:
    """FLAGS of a mailbox: the last one counts."""
    if left and right:
        flags(found, "FLAGS", left[-1].flags, right[-1].flags)
    else:
        found.value("FLAGS", left[-1] if left else None, right[-1] if right else None)


def id_data(found: Findings, left: Sequence[Id], right: Sequence[Id]) -> None:
    """ID by field, field names without case."""
    if not left or not right:
        found.value("ID", left[0] if left else None, right[0] if right else None)
        return
    lefts, rights = _fields(left), _fields(right)
    for name in dict.fromkeys((*lefts, *rights)):
        where = f"ID {readable(name)}"
        if name in lefts and name in rights:
            contents(found, where, lefts[name], rights[name])
        else:
            found.value(where, nil(lefts, name), nil(rights, name))
    if list(lefts) != list(rights) and lefts.keys() == rights.keys():
        found.let(Rule.ORDER, "ID", kind=Kind.ORDER)


def _together(told: Sequence[Capability] | Sequence[Enabled]) -> tuple[bytes, ...]:
    return tuple(word for each in told for word in each.words)


def _fields(told: Sequence[Id]) -> dict[bytes, NString]:
    return {
        name.lower() if isinstance(name, bytes) else b"?": value for each in told for name, value in each.fields or ()
    }
