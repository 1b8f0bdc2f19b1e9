"""`imaptap ls`: what there is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click
from rich.text import Text

from imaptap.cli.address import find_recording
from imaptap.cli.cassettes import opened
from imaptap.cli.documents import (
    Document,
    print_document,
    recording_document,
    replay_document,
    session_document,
    state,
)
from imaptap.cli.filtering import filter_option, search
from imaptap.cli.options import db_option, json_option
from imaptap.cli.terminal import Output, amount, day
from imaptap.importing.run import origin_of
from imaptap.reading.replayed import ReplayOf, replay_of
from proxy.imap.letters.policy import Bodies, bodies_told
from storage import Recording, Session, Store, open_store

if TYPE_CHECKING:
    from storage.filter import Node

Counts = Mapping[int, int] | None

_STATES = {"live": "green", "interrupted": "yellow"}


@click.command(short_help="List recordings, or the sessions of one.")
@click.argument("recording", required=False)
@filter_option
@db_option
@json_option
def ls(recording: str | None, wanted: Node | None, db: str, as_json: bool) -> None:
    """List the recordings, or the sessions of one RECORDING (its number, its name, or last).

    With --filter, only those in which something matches, and how much.
    """
    if recording is None:
        with open_store(db, create=False) as store:
            _recordings(store, _matching(store, wanted), as_json=as_json)
        return
    with opened(db, recording) as (store, there):
        found = find_recording(store, there)
        _sessions(store, found, _matching(store, wanted, found), as_json=as_json)


def _matching(store: Store, wanted: Node | None, recording: Recording | None = None) -> Counts:
    """How many exchanges match, by recording, or by session of one; None without a filter."""
    if wanted is None:
        return None
    found = search(store, wanted, recording)
    return found.counts() if recording is None else found.session_counts()


def _recordings(store: Store, counts: Counts, *, as_json: bool) -> None:
    wanted = (each for each in store.recordings() if counts is None or counts.get(each.id))
    found = ((each, store.totals(each), replay_of(store, each)) for each in wanted)
    if as_json:
        documents = (
            recording_document(each, totals) | replay_document(source) | _matches(counts, each.id)
            for each, totals, source in found
        )
        print_document({"recordings": documents})
        return
    rows: list[tuple[str | Text, ...]] = [
        (str(each.id), each.name, day(each.started), _state(each, source), str(totals.sessions), str(totals.exchanges),
         amount(totals.client_bytes + totals.server_bytes), *_column(counts, each.id))
        for each, totals, source in found
    ]  # fmt: skip
    if not rows and counts is not None:
        Output().say("No recording has an exchange that matches.")
    elif not rows:
        Output().say("There are no recordings yet. Make one with `imaptap record`.")
    else:
        headings = ("id>", "name", "started", "state", "sessions>", "exchanges>", "size>")
        Output().table((*headings, *_heading(counts)), rows)


def _sessions(store: Store, recording: Recording, counts: Counts, *, as_json: bool) -> None:
    found = (each for each in store.sessions(recording) if counts is None or counts.get(each.id))
    if as_json:
        sessions = (session_document(session) | _matches(counts, session.id) for session in found)
        heading = recording_document(recording, store.totals(recording)) | replay_document(replay_of(store, recording))
        print_document(heading | {"sessions": sessions})
        return
    rows: list[tuple[str | Text, ...]] = [
        (str(each.number), day(each.wall), each.client, each.listen, each.upstream, _ending(each),
         amount(each.client_bytes), amount(each.server_bytes), *_column(counts, each.id))
        for each in found
    ]  # fmt: skip
    if not rows and counts is not None:
        Output().say(f"No session of recording {recording.name} has an exchange that matches.")
    elif not rows:
        Output().say(f"Recording {recording.name} has no sessions: no client has connected.")
    else:
        headings = ("session>", "started", "client", "came to", "server", "ending", "client>", "server>")
        Output().table((*headings, *_heading(counts)), rows)


def _matches(counts: Counts, key: int) -> Document:
    return {} if counts is None else {"matches": counts[key]}


def _column(counts: Counts, key: int) -> tuple[str, ...]:
    return () if counts is None else (str(counts[key]),)


def _heading(counts: Counts) -> tuple[str, ...]:
    return () if counts is None else ("matches>",)


def _state(recording: Recording, source: ReplayOf | None) -> Text:
    word = state(recording)
    text = Text(word, _STATES.get(word, ""))
    if origin_of(recording) is not None:
        text.append(", imported", "")
    if (bodies := bodies_told(recording.settings)) is not Bodies.FULL:
        text.append(f", bodies: {bodies}", "")
    if source is None:
        return text
    return text.append(f", replay of {source.name if source.id is None else source.id}", "")


def _ending(session: Session) -> Text | str:
    if session.ending is None:
        return Text("open", "green")
    return f"{session.ending}: {session.reason}" if session.reason else str(session.ending)
