"""Two answers to one command: what differs, and what is let pass by which rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.imap.grammar.status import Status
from storage.diff.equality import accounts, expunge, fetch, flags, mailboxes, search, thread, words
from storage.diff.equality.context import Context
from storage.diff.equality.findings import Findings
from storage.diff.equality.others import counts, others
from storage.diff.equality.quick import alike
from storage.diff.equality.rules import Rule
from storage.diff.equality.statuses import Codes, compare_codes, completions, texts
from storage.diff.equality.told import Sorted, data_of
from storage.diff.equality.unasked import LEAVING, between, mailbox_left, removed, unasked
from storage.diff.values import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from proxy.imap.view.dialogue import Dialogue
    from storage.diff.equality.told import Told
    from storage.diff.values import Comparison

SLOWER, SLOWER_BY = 10, 100_000
"""An answer is late that took so many times as long, and so many microseconds more: where times are looked at."""


def compare(left: Dialogue, right: Dialogue, context: Context | None = None) -> Comparison:
    """What is not the same in two exchanges that belong together, left and right (M 10).

    To be called for the pairs of two sessions in their order, with the same `context.states`, and before the mapping
    learns from a pair: afterwards an id that is wrong is what has been learned.
    """
    context = context or Context()
    found = Findings(left, right, context)
    if left.news or right.news:
        between(found)
    news = bool(left.news or right.news)
    if not found.tentatively(alike):
        news = _thoroughly(found) or news
    else:
        one, other = left.completion, right.completion
        if one and other and isinstance(one.status, Status) and isinstance(other.status, Status):
            texts(found, one.status.condition.name, one.status.text, other.status.text)
    if news or context.states.flags:
        flags.hear(found)
    if left.exchange.command in LEAVING:
        mailbox_left(found)
    if Rule.TIMING in context.off:
        _times(found)
    return found.comparison()


def _thoroughly(found: Findings) -> bool:
    """Family by family; whether something was said unasked."""
    completed = completions(found)
    one, other = Sorted(found.left), Sorted(found.right)
    found.through = None if completed else Rule.REFUSED
    for family in dict.fromkeys((*one.answers, *other.answers)):
        if family == "status":
            continue
        lefts, rights = one.answers.get(family, []), other.answers.get(family, [])
        if completed:
            # As many answers on both sides have gone to the same commands.
            doubtful = family in one.ambiguous | other.ambiguous and len(lefts) != len(rights)
            found.through = Rule.AMBIGUOUS if doubtful else None
        _family(found, family, lefts, rights)
    found.through = None if completed else Rule.REFUSED
    codes = Codes(found.left.completion, data_of(one.answers.get("status", [])))
    compare_codes(found, codes, Codes(found.right.completion, data_of(other.answers.get("status", []))))
    removed(found)
    unasked(found, one.news, other.news)
    found.through = None
    if one.continuations != other.continuations:
        found.let(Rule.CONTINUATION, "+", one.continuations, other.continuations)
    return bool(one.news or other.news)


def _family(found: Findings, family: str, left: Sequence[Told], right: Sequence[Told]) -> None:
    messages = _OF_MESSAGES.get(family)
    if messages is not None:
        messages(found, left, right)
    else:
        of_data: Callable[[Findings, Any, Any], None] = _OF_DATA.get(family, others)
        of_data(found, data_of(left), data_of(right))


def _times(found: Findings) -> None:
    left, right = (
        None if each.exchange.ended is None else each.exchange.ended - each.exchange.started
        for each in (found.left, found.right)
    )
    if left is None or right is None:
        return
    fast, slow = sorted((left, right))
    if slow > fast * SLOWER and slow > fast + SLOWER_BY:
        found.differ(Kind.TIMING, "time", f"{left / 1000:.1f} ms", f"{right / 1000:.1f} ms")


_OF_MESSAGES: dict[str, Callable[[Findings, Sequence[Told], Sequence[Told]], None]] = {
    "Fetch": fetch.fetches,
    "EXPUNGE": expunge.expunges,
    "earlier": expunge.vanished_earlier,
}
_OF_DATA: dict[str, Callable[[Findings, Any, Any], None]] = {
    "Capability": words.capability_data,
    "Enabled": words.enabled_data,
    "Flags": words.flags_data,
    "Id": words.id_data,
    "EXISTS": counts,
    "RECENT": counts,
    "LIST": mailboxes.lists,
    "LSUB": mailboxes.lists,
    "MailboxStatus": mailboxes.statuses,
    "Namespace": mailboxes.namespaces,
    "search": search.searches,
    "Thread": thread.threads,
    "Quota": accounts.quotas,
    "QuotaRoot": accounts.quota_roots,
    "Acl": accounts.acls,
    "MyRights": accounts.my_rights,
    "ListRights": accounts.list_rights,
    "Metadata": accounts.metadata,
    "GenUrlAuth": accounts.generated_urls,
    "UrlFetch": accounts.fetched_urls,
}
