"""`imaptap tail`: exchanges as they end, from another terminal than the recorder's."""

import collections
import time

import click

from imaptap.cli.address import LAST, find_recording
from imaptap.cli.documents import exchange_document, print_line
from imaptap.cli.lines import exchange_line
from imaptap.cli.options import db_option
from imaptap.cli.terminal import Output
from proxy.imap.transcript import Outcome
from storage import Follower, Recording, Session, Store, StoredExchange, open_store

INTERVAL = 0.2


@click.command(short_help="Show exchanges as they end.")
@click.argument("recording", default=LAST)
@click.option(
    "-n", "--lines", type=click.IntRange(min=0), default=10, show_default=True,
    help="Begin with this many exchanges that have ended already.",
)  # fmt: skip
@db_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def tail(recording: str, lines: int, db: str, as_json: bool) -> None:
    """Show the exchanges of a RECORDING (its number, its name, or last) as they end.

    Ends when the recording does, or with Ctrl-C.
    """
    output = Output()
    with open_store(db, create=False) as store:
        wanted = find_recording(store, recording)
        follower = store.follow(wanted)
        try:
            shown = set[int]()
            for session, stored in _newest(store, wanted, lines):
                shown.add(stored.id)
                _print(output, session, stored, as_json=as_json)
            _follow(follower, shown, output, as_json=as_json)
        except KeyboardInterrupt:
            return


def _newest(store: Store, recording: Recording, count: int) -> list[tuple[Session, StoredExchange]]:
    """The last exchanges that have ended, in the order in which they began."""
    if not count:
        return []
    newest = collections.deque[tuple[Session, StoredExchange]]()
    for session in store.sessions(recording):
        ended = (each for each in store.exchanges(session) if each.exchange.outcome is not Outcome.OPEN)
        newest.extend((session, each) for each in collections.deque(ended, maxlen=count))
        newest = collections.deque(sorted(newest, key=lambda pair: pair[1].id)[-count:])
    return list(newest)


def _follow(follower: Follower, shown: set[int], output: Output, *, as_json: bool) -> None:
    while True:
        ended = follower.poll()
        for session, stored in ended:
            if stored.id not in shown:
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
