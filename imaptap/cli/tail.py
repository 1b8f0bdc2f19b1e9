"""`imaptap tail`: exchanges as they end, from another terminal than the recorder's."""

from __future__ import annotations

import collections
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from imaptap.cli.address import LAST, find_recording
from imaptap.cli.documents import exchange_document, print_line
from imaptap.cli.filtering import filter_option, matcher, search
from imaptap.cli.lines import exchange_line
from imaptap.cli.options import db_option
from imaptap.cli.terminal import Output
from proxy.imap.transcript import Outcome
from storage import Follower, Recording, Session, Store, StoredExchange, open_store

if TYPE_CHECKING:
    from storage.filter import Matcher, Node, Search

INTERVAL = 0.2

Found = tuple[Session, StoredExchange]


@click.command(short_help="Show exchanges as they end.")
@click.argument("recording", default=LAST)
@click.option(
    "-n", "--lines", type=click.IntRange(min=0), default=10, show_default=True,
    help="Begin with this many exchanges that have ended already.",
)  # fmt: skip
@filter_option
@db_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def tail(recording: str, lines: int, wanted: Node | None, db: str, as_json: bool) -> None:
    """Show the exchanges of a RECORDING (its number, its name, or last) as they end.

    Ends when the recording does, or with Ctrl-C.
    """
    output = Output()
    with open_store(db, create=False) as store:
        found = find_recording(store, recording)
        follower = store.follow(found)
        try:
            shown = set[int]()
            newest = _newest(store, found, lines) if wanted is None else _newest_matches(store, found, wanted, lines)
            for session, stored in newest:
                shown.add(stored.id)
                _print(output, session, stored, as_json=as_json)
            matching = matcher(store, wanted) if wanted else None
            _follow(follower, matching, shown, output, as_json=as_json)
        except KeyboardInterrupt:
            return


def _newest(store: Store, recording: Recording, count: int) -> list[Found]:
    """The last exchanges that have ended, in the order in which they began."""
    if not count:
        return []
    newest = collections.deque[Found]()
    for session in store.sessions(recording):
        ended = (each for each in store.exchanges(session) if each.exchange.outcome is not Outcome.OPEN)
        newest.extend((session, each) for each in collections.deque(ended, maxlen=count))
        newest = collections.deque(sorted(newest, key=_order)[-count:])
    return list(newest)


def _newest_matches(store: Store, recording: Recording, wanted: Node, count: int) -> list[Found]:
    """The same, of those that match."""
    if not count:
        return []
    searched = search(store, wanted, recording)
    matches = searched.matches()
    newest = list[Found]()
    for session in store.sessions(recording):
        found = _last_ended(searched, session, matches.get(session.id, ()), count)
        newest = sorted([*newest, *((session, each) for each in found)], key=_order)[-count:]
    return newest


def _last_ended(searched: Search, session: Session, keys: Sequence[int], count: int) -> list[StoredExchange]:
    found = list[StoredExchange]()
    for last in range(len(keys), 0, -count):
        some = searched.exchanges(session, keys[max(0, last - count) : last])
        found[:0] = [each for each in some if each.exchange.outcome is not Outcome.OPEN]
        if len(found) >= count:
            break
    return found[-count:]


def _order(found: Found) -> int:
    return found[1].id


def _follow(follower: Follower, matcher: Matcher | None, shown: set[int], output: Output, *, as_json: bool) -> None:
    while True:
        ended = follower.poll()
        new = [(session, stored) for session, stored in ended if stored.id not in shown]
        wanted = matcher.those(new) if matcher else [True] * len(new)
        for (session, stored), match in zip(new, wanted, strict=True):
            if match:
                _print(output, session, stored, as_json=as_json)
        if not ended:
            if not follower.recording.live:
                return
            time.sleep(INTERVAL)


def _print(output: Output, session: Session, stored: StoredExchange, *, as_json: bool) -> None:
    if as_json:
        print_line(exchange_document(session, stored.exchange))
    else:
        output.say(exchange_line(session.number, stored.exchange, session.wall))
