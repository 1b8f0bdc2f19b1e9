"""NOTIFY (RFC 5465): which events a client wants to hear of, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from proxy.imap.grammar.fetch_commands import AnyAttribute, fetch_atts

if TYPE_CHECKING:
    from proxy.imap.grammar.cursor import Cursor
    from proxy.imap.grammar.mailbox_names import Mailbox
    from proxy.imap.grammar.writer import Writer


@dataclass(frozen=True, slots=True)
class NotifyEvent:
    """An event by its name, in capitals; MESSAGENEW may say what of a new message is to be sent."""

    name: bytes
    attributes: tuple[AnyAttribute, ...] | None = None

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(self.name)
        if self.attributes is not None:
            w.sp()
            w.listed(self.attributes, w.value)


@dataclass(frozen=True, slots=True)
class EventGroup:
    """event-group: SELECTED, SELECTED-DELAYED, INBOXES, PERSONAL, SUBSCRIBED, SUBTREE or MAILBOXES; its mailboxes; its
    events, None for NONE."""

    filter: bytes
    mailboxes: tuple[Mailbox, ...]
    events: tuple[NotifyEvent, ...] | None

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"(" + self.filter)
        if self.mailboxes:
            w.sp()
            if len(self.mailboxes) == 1:
                self.mailboxes[0].write(w)
            else:
                w.listed(self.mailboxes, w.value)
        w.sp()
        if self.events is None:
            w.raw(b"NONE")
        else:
            w.listed(self.events, w.value)
        w.raw(b")")


@dataclass(frozen=True, slots=True)
class Notify:
    """The command NOTIFY; `groups` is None for NOTIFY NONE."""

    groups: tuple[EventGroup, ...] | None
    status: bool = False

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        if self.groups is None:
            w.raw(b"NOTIFY NONE")
            return
        w.raw(b"NOTIFY SET STATUS" if self.status else b"NOTIFY SET")
        for group in self.groups:
            w.sp()
            group.write(w)


def notify(c: Cursor) -> Notify:
    """notify (RFC 5465 section 8)."""
    c.sp()
    if c.one_of(b"SET", b"NONE") == b"NONE":
        return Notify(None)
    status = False
    groups: list[EventGroup] = []
    while c.more():
        if not groups and not status and not c.at(b"("):
            c.one_of(b"STATUS")
            status = True
            continue
        groups.append(_event_group(c))
    return Notify(tuple(groups), status)


def _event_group(c: Cursor) -> EventGroup:
    c.spend(3)
    c.expect(b"(")
    name = c.word("which mailboxes")
    mailboxes: tuple[Mailbox, ...] = ()
    c.sp()
    if name in (b"SUBTREE", b"MAILBOXES"):
        mailboxes = c.parenthesised(c.mailbox) if c.at(b"(") else (c.mailbox(),)
        c.sp()
    events = _events(c)
    c.expect(b")")
    return EventGroup(name, mailboxes, events)


def _events(c: Cursor) -> tuple[NotifyEvent, ...] | None:
    if c.at(b"("):
        return c.parenthesised(lambda: _event(c))
    c.one_of(b"NONE")
    return None


def _event(c: Cursor) -> NotifyEvent:
    name = c.word("an event")
    if not (c.at(b" (") or c.at(b"(")):
        return NotifyEvent(name)
    c.sp()
    return NotifyEvent(name, fetch_atts(c))
