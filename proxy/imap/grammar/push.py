"""XAPPLEPUSHSERVICE: how Apple's clients ask for push, as Dovecot's and Cyrus's implementations read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from proxy.imap.grammar.values import Ext, String, write_ext

if TYPE_CHECKING:
    from proxy.imap.grammar.cursor import Cursor
    from proxy.imap.grammar.writer import Writer


@dataclass(frozen=True, slots=True)
class XApplePushService:
    """The command and its answer alike: names (aps-version, aps-topic, …) with a string, or a list of mailboxes."""

    fields: tuple[tuple[String, Ext], ...]

    def __repr__(self) -> str:
        return f"XApplePushService({[name for name, _ in self.fields]})"

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"XAPPLEPUSHSERVICE")
        for name, value in self.fields:
            w.sp()
            w.astring(name)
            w.sp()
            write_ext(w, value)


def xapplepushservice(c: Cursor) -> XApplePushService:
    """Names and values up to the line end; values may be atoms, strings or lists."""
    fields: list[tuple[String, Ext]] = []
    while c.more():
        name = c.astring()
        c.sp()
        fields.append((name, c.ext()))
    return XApplePushService(tuple(fields))
