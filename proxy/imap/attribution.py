"""Which commands may have asked for which data, and how sure that makes us (M 3.7-3.9, 3.13, 3.16)."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from proxy.imap.commands import ASKED_BY, CODE_ASKED_BY, NEWS
from proxy.imap.responses import ResponseHead
from proxy.imap.transcript import Certainty

EXPERIMENTAL = ("X",)
"""Stands for every command whose name starts with X."""

_SELECT = frozenset({"SELECT", "EXAMINE"})
_ALWAYS_NEWS = frozenset({"EXISTS", "RECENT", "EXPUNGE", "VANISHED", "FLAGS"})
_ASKED_FOR_BODY = {kind: ASKED_BY[kind] - NEWS - _SELECT for kind in ("FETCH", "UIDFETCH")}


def may_have_asked(head: ResponseHead, *, news: bool) -> Iterable[Hashable]:
    """The commands that this data may answer; with `news`, it is what a server also sends unasked (`only_news`)."""
    if head.status is not None and head.status != "BYE":
        return CODE_ASKED_BY.get(head.code or "", ())
    asked = ASKED_BY.get(head.kind)
    if asked is None:
        # An unknown data word can only be the answer to a command that is as unknown to us (M 3.16).
        return (EXPERIMENTAL,) if head.kind.startswith("X") else (EXPERIMENTAL, head.kind)
    if head.kind in _ASKED_FOR_BODY and not news:
        # Nobody sends a body as news.
        return _ASKED_FOR_BODY[head.kind]
    return asked


def certainty_of_one(command: str, head: ResponseHead, *, news: bool) -> Certainty:
    """How sure the data is this command's, the only one in flight that may have asked for it."""
    if command in NEWS:
        return Certainty.SURE if command == "IDLE" else Certainty.LIKELY
    if head.kind == "FETCH" and news:
        # May as well be news of another session's STORE.
        return Certainty.LIKELY
    if (head.kind in _ALWAYS_NEWS or head.code == "HIGHESTMODSEQ") and command not in _SELECT:
        return Certainty.LIKELY
    return Certainty.SURE


CERTAINTY_OF_THE_ONLY: dict[tuple[Hashable, str, bool], Certainty] = {
    (command, kind, news): certainty_of_one(str(command), ResponseHead(None, kind), news=news)
    for kind in ASKED_BY
    for news in (False, True)
    for command in may_have_asked(ResponseHead(None, kind), news=news)
}
"""The same for untagged data that is no status, by command, kind and `news`, where nothing else is in flight."""
