"""Sessions to a portrait."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.imap.portrait import facts, mailbox_facts
from proxy.imap.portrait.acts import acts, content
from proxy.imap.portrait.capabilities import sorted_out, uses
from proxy.imap.portrait.values import Fact, Portrait, Situation, Traits
from proxy.imap.portrait.ways import Ways, runs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from proxy.imap.portrait.acts import Act
    from proxy.imap.portrait.facts import Told
    from proxy.imap.portrait.values import Talk

_BY_ACTS = {
    Situation.OPEN: mailbox_facts.opening,
    Situation.READ: mailbox_facts.reading,
    Situation.SAVE: mailbox_facts.saving,
    Situation.MARK: mailbox_facts.marking,
    Situation.DELETE: mailbox_facts.deleting,
}
_BY_SESSIONS = {
    Situation.GENERAL: facts.general,
    Situation.CONNECT: facts.connecting,
    Situation.NEWS: mailbox_facts.news,
    Situation.IDLE: mailbox_facts.waiting,
    Situation.LEAVE: facts.leaving,
}


def portray(talks: Iterable[Talk]) -> Portrait:
    """The portrait of the client whose sessions these are."""
    told: list[Told] = [(talk, tuple(acts(talk))) for talk in talks]
    by_situation: dict[Situation, list[Act]] = {situation: [] for situation in Situation}
    ways = {situation: Ways() for situation in Situation}
    for _, mine in told:
        for run in runs(mine):
            ways[run[0].situation].add(run)
        for act in mine:
            by_situation[act.situation].append(act)
    # What IMAP text was read in NEWS was read all the same.
    read = [act for act in by_situation[Situation.NEWS] if content(act.body)]
    by_situation[Situation.READ] += read
    traits = tuple(
        Traits(each, tuple(_facts(each, told, by_situation[each])), *ways[each].ranked()) for each in Situation
    )
    offered = frozenset(word for talk, _ in told for word in talk.offered)
    used = {word for _, mine in told for act in mine for word in uses(act)}
    withheld = {word for talk, _ in told for word in talk.withheld} - offered
    steps = sum(len(mine) for _, mine in told)
    return Portrait(len(told), steps, traits, *sorted_out(offered, used), tuple(sorted(withheld)))


def _facts(situation: Situation, told: Sequence[Told], acts: Sequence[Act]) -> Iterator[Fact]:
    found: Iterable[Fact] = ()
    if situation in _BY_SESSIONS:
        found = _BY_SESSIONS[situation](told)
    elif situation in _BY_ACTS:
        found = _BY_ACTS[situation](acts)
    yield from dict.fromkeys(found)
