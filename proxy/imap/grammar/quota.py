"""QUOTA: roots, resources, limits (RFC 9208, and RFC 2087 before it)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from proxy.imap.grammar.cursor import Cursor
    from proxy.imap.grammar.mailbox_names import Mailbox
    from proxy.imap.grammar.values import String
    from proxy.imap.grammar.writer import Writer


@dataclass(frozen=True, slots=True)
class Resource:
    """quota-resource: the resource's name in capitals, how much is used, how much may be."""

    name: bytes
    usage: int
    limit: int

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(self.name + b" %d %d" % (self.usage, self.limit))


@dataclass(frozen=True, slots=True)
class Quota:
    """quota-response (RFC 9208 section 4.2.1)."""

    root: String
    resources: tuple[Resource, ...]

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"QUOTA ")
        w.astring(self.root)
        w.sp()
        w.listed(self.resources, w.value)


@dataclass(frozen=True, slots=True)
class QuotaRoot:
    """quotaroot-response (RFC 9208 section 4.2.2)."""

    mailbox: Mailbox
    roots: tuple[String, ...]

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"QUOTAROOT ")
        self.mailbox.write(w)
        for root in self.roots:
            w.sp()
            w.astring(root)


@dataclass(frozen=True, slots=True)
class GetQuota:
    """The command GETQUOTA."""

    root: String

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"GETQUOTA ")
        w.astring(self.root)


@dataclass(frozen=True, slots=True)
class SetQuota:
    """The command SETQUOTA: limits by resource."""

    root: String
    limits: tuple[tuple[bytes, int], ...]

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"SETQUOTA ")
        w.astring(self.root)
        w.sp()
        w.listed(self.limits, lambda limit: w.raw(b"%s %d" % limit))


def quota_response(c: Cursor) -> Quota:
    """quota-response."""
    c.sp()
    root = c.astring()
    c.sp()
    return Quota(root, c.parenthesised(lambda: _resource(c)))


def quotaroot_response(c: Cursor) -> QuotaRoot:
    """quotaroot-response."""
    c.sp()
    mailbox = c.mailbox()
    roots: list[String] = []
    while c.more():
        roots.append(c.astring())
    return QuotaRoot(mailbox, tuple(roots))


def getquota(c: Cursor) -> GetQuota:
    """The command getquota."""
    c.sp()
    return GetQuota(c.astring())


def setquota(c: Cursor) -> SetQuota:
    """The command setquota."""
    c.sp()
    root = c.astring()
    c.sp()
    return SetQuota(root, c.parenthesised(lambda: _limit(c)))


def _resource(c: Cursor) -> Resource:
    name = c.atom().upper()
    c.sp()
    usage = c.number64()
    c.sp()
    return Resource(name, usage, c.number64())


def _limit(c: Cursor) -> tuple[bytes, int]:
    name = c.atom().upper()
    c.sp()
    return name, c.number64()
