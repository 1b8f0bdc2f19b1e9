"""What a command asks for beyond its name: by names that `causes.OFFERED_BY` knows the capabilities of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.imap.grammar.append import Append
from proxy.imap.grammar.fetch_commands import FetchCommand, Store
from proxy.imap.grammar.listing import List
from proxy.imap.grammar.mailboxes import OnMailbox, QResync, StatusCommand
from proxy.imap.grammar.messages import Copy
from proxy.imap.grammar.search_commands import Search, Sort
from proxy.imap.transcript import readable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.imap.grammar.commands import Body


def needs(body: Body) -> Iterator[str]:
    """Items, options and modifiers that an extension has brought; others are among them, which need nothing."""
    if isinstance(body, Search | Sort):
        yield from (f"RETURN {readable(option.name)}" for option in body.returned or ())
        if body.returned is not None:
            yield "RETURN"
    elif isinstance(body, List):
        yield from (f"LIST {readable(option.name)}" for option in (*(body.select or ()), *(body.returned or ())))
        if body.select is not None or body.returned is not None or len(body.patterns) > 1:
            yield "LIST RETURN"
    elif isinstance(body, FetchCommand | Store):
        yield from (readable(modifier.name) for modifier in body.modifiers or ())
        if isinstance(body, FetchCommand):
            yield from (readable(getattr(each, "name", b"ANNOTATION")) for each in body.attributes)
    elif isinstance(body, StatusCommand):
        yield from map(readable, body.items)
    elif isinstance(body, OnMailbox):
        for param in body.params or ():
            yield "QRESYNC" if isinstance(param, QResync) else f"{readable(body.word)} {readable(param.name)}"
    elif isinstance(body, Append) and len(body.messages) > 1:
        yield "MULTIAPPEND"
    if isinstance(body, FetchCommand | Store | Copy) and body.messages.saved:
        yield "RETURN SAVE"
