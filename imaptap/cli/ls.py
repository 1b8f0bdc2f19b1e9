"""`imaptap ls`: what there is."""

import click
from rich.text import Text

from imaptap.cli.address import find_recording
from imaptap.cli.documents import print_document, recording_document, session_document, state
from imaptap.cli.options import db_option, json_option
from imaptap.cli.terminal import Output, amount, day
from storage import Recording, Session, Store, open_store

_STATES = {"live": "green", "interrupted": "yellow"}


@click.command(short_help="List recordings, or the sessions of one.")
@click.argument("recording", required=False)
@db_option
@json_option
def ls(recording: str | None, db: str, as_json: bool) -> None:
    """List the recordings, or the sessions of one RECORDING (its number, its name, or last)."""
    with open_store(db, create=False) as store:
        if recording is None:
            _recordings(store, as_json=as_json)
        else:
            _sessions(store, find_recording(store, recording), as_json=as_json)


def _recordings(store: Store, *, as_json: bool) -> None:
    found = ((each, store.totals(each)) for each in store.recordings())
    if as_json:
        print_document({"recordings": (recording_document(*each) for each in found)})
        return
    rows = [
        (str(each.id), each.name, day(each.started), _state(each), str(totals.sessions), str(totals.exchanges),
         amount(totals.client_bytes + totals.server_bytes))
        for each, totals in found
    ]  # fmt: skip
    if not rows:
        Output().say("There are no recordings yet. Make one with `imaptap record`.")
        return
    Output().table(("id>", "name", "started", "state", "sessions>", "exchanges>", "size>"), rows)


def _sessions(store: Store, recording: Recording, *, as_json: bool) -> None:
    if as_json:
        sessions = (session_document(session) for session in store.sessions(recording))
        print_document(recording_document(recording, store.totals(recording)) | {"sessions": sessions})
        return
    rows = [
        (str(each.number), day(each.wall), each.client, each.listen, each.upstream, _ending(each),
         amount(each.client_bytes), amount(each.server_bytes))
        for each in store.sessions(recording)
    ]  # fmt: skip
    if not rows:
        Output().say(f"Recording {recording.name} has no sessions: no client has connected.")
        return
    Output().table(("session>", "started", "client", "came to", "server", "ending", "client>", "server>"), rows)


def _state(recording: Recording) -> Text:
    word = state(recording)
    return Text(word, _STATES.get(word, ""))


def _ending(session: Session) -> Text | str:
    if session.ending is None:
        return Text("open", "green")
    return f"{session.ending}: {session.reason}" if session.reason else str(session.ending)
