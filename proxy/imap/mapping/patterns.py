"""Patterns of LIST at the other server (RFC 9051 section 6.3.9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.imap.mapping.values import Place

if TYPE_CHECKING:
    from collections.abc import Mapping

    from proxy.imap.mapping.names import Names

_WILD = "%*"


def pattern(
    names: Names,
    recorded: str,
    there: Place | None = None,
    given: Mapping[str, str] | None = None,
    *,
    whole: bool = True,
) -> str:
    """A pattern of the target for a recorded one: names in it are mapped, wildcards stay. Raises NoCounterpartError.

    It is `whole` without a reference; behind one only its delimiters change. What begins with a wildcard is about all
    names of a server, and stays so, but where a person has put all below one mailbox.
    """
    place = names.place(there)
    ours = names.hierarchies[0].delimiter(recorded) or place.delimiter or ""
    theirs = place.delimiter or ""
    wild = min((at for at in map(recorded.find, _WILD) if at >= 0), default=len(recorded))
    if wild == len(recorded) and whole:
        return names.counterpart(recorded, place, given) if recorded else ""
    cut = recorded.rfind(ours, 0, wild) + len(ours) if ours and recorded.rfind(ours, 0, wild) >= 0 else 0
    head, tail = recorded[:cut], recorded[cut:]
    if ours and theirs:
        tail = tail.replace(ours, theirs)
    if not whole:
        return (head.replace(ours, theirs) if ours and theirs else head) + tail
    return _head(names, head, recorded[cut:wild], (ours, theirs), place, given) + tail


def _head(
    names: Names,
    head: str,
    begun: str,
    delimiters: tuple[str, str],
    place: Place,
    given: Mapping[str, str] | None,
) -> str:
    """What stands before the last part without wildcards; `begun` is how that part begins."""
    root = {**names.given, **(given or {})}.get("")
    personal = names.hierarchies[0].place() or Place()
    if head and head != personal.prefix:
        return names.counterpart(head.removesuffix(delimiters[0]), place, given) + delimiters[1]
    if root:
        return root + delimiters[1]
    if head:
        return place.prefix
    inbox = "INBOX".startswith(begun.upper()) or begun.upper().startswith("INBOX")
    return "" if inbox or personal.prefix else place.prefix
