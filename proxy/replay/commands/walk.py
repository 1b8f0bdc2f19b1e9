"""The walk over a command's values."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any

from proxy.imap.grammar.mailbox_names import Mailbox
from proxy.replay.commands import abilities, ids, messages, names

if TYPE_CHECKING:
    from proxy.replay.commands.context import Context, Mapper

_PLAIN = (bytes, bool, int, type(None))
_MAPPERS = {**names.MAPPERS, **messages.MAPPERS, **ids.MAPPERS, **abilities.MAPPERS}


def mapped(context: Context, value: Any) -> Any:
    """The value with everything in it mapped; the same object where nothing changes. Raises NoCounterpartError."""
    if isinstance(value, Mailbox):
        return names.mailbox(context, value)
    if isinstance(value, tuple):
        items: tuple[Any, ...] = value  # pyright: ignore[reportUnknownVariableType] - of anything
        new = tuple([mapped(context, item) for item in items])
        return new if any(one is not other for one, other in zip(new, items, strict=True)) else items
    return _walked(context, value)


def _walked(context: Context, value: Any) -> Any:
    changed: dict[str, Any] = {}
    for name, special in _fields(value):
        old = getattr(value, name)
        if special is None and isinstance(old, _PLAIN):
            continue
        became = mapped(context, old) if special is None else special(context, value, old)
        if became is not old and became != old:
            changed[name] = became
    return replace(value, **changed) if changed else value


def _fields(value: Any) -> tuple[tuple[str, Mapper | None], ...]:
    """The fields of a value, each with what maps it; none of what is no value of the grammar's own."""
    kind: Any = value.__class__
    if kind not in _FIELDS:
        own: list[str] = [each.name for each in fields(value)] if is_dataclass(value) else []
        _FIELDS[kind] = tuple((name, _MAPPERS.get((kind, name))) for name in own)
    return _FIELDS[kind]


_FIELDS: dict[object, tuple[tuple[str, Mapper | None], ...]] = {}
"""Class -> its fields, found once."""
