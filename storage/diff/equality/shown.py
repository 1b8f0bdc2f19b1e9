"""Values as people read them in a report: one line, and not too long."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from proxy.imap.grammar import write
from proxy.imap.grammar.mailbox_names import Mailbox
from proxy.imap.grammar.values import Absent, Atom
from proxy.imap.transcript import readable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SHOWN_MOST = 120
"""Characters of a value that are shown."""
RANGES_MOST = 20


def shown(value: object) -> str | None:
    """Text for a value of the grammar, a string, a number or a collection of these; None for None."""
    return None if value is None else shortened(value if isinstance(value, str) else _text(value))


def shortened(text: str) -> str:
    """Its first characters, with an ellipsis where there are more."""
    return text if len(text) <= SHOWN_MOST else text[: SHOWN_MOST - 1] + "…"


def numbers(values: Iterable[int]) -> str:
    """Numbers as a sequence-set, `1:3,7`: ascending, at most RANGES_MOST ranges; "none" for none."""
    ranges: list[list[int]] = []
    for value in sorted(set(values)):
        if ranges and value == ranges[-1][1] + 1:
            ranges[-1][1] = value
        elif len(ranges) == RANGES_MOST:
            return _ranges(ranges) + ",…"
        else:
            ranges.append([value, value])
    return _ranges(ranges) or "none"


def listed(values: Iterable[int | None]) -> str:
    """Numbers in their order; "none" for none."""
    parts: list[str] = []
    for value in values:
        if len(parts) == RANGES_MOST:
            return " ".join((*parts, "…"))
        parts.append("()" if value is None else str(value))
    return " ".join(parts) or "none"


def _ranges(ranges: list[list[int]]) -> str:
    return ",".join(str(first) if first == last else f"{first}:{last}" for first, last in ranges)


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return f'"{readable(value[: SHOWN_MOST * 4])}"'
    if isinstance(value, Absent):
        return f"{{{value.size}}}"
    if isinstance(value, Atom):
        return readable(value.raw)
    if isinstance(value, Mailbox):
        return value.name
    if isinstance(value, (tuple, list)):
        return f"({' '.join(_member(each) for each in cast('Sequence[object]', value))})"
    if hasattr(value, "write"):
        return _written(value)
    return str(value)


def _member(value: object) -> str:
    return "NIL" if value is None else _text(value)


def _written(value: object) -> str:
    unit = write(value)  # type: ignore[arg-type]
    parts: list[str] = []
    for index, text in enumerate(unit.texts):
        parts.append(readable(text).replace("\\x0d\\x0a", " "))
        if index < len(unit.literals):
            content = unit.literals[index].content
            parts.append("…" if content is None else readable(content[: SHOWN_MOST * 4]))
    return "".join(parts).strip()
