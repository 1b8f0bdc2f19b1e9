"""`imaptap stats`: what a recording or a session amounts to, in numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from imaptap.cli.address import Place, find
from imaptap.cli.cassettes import opened
from imaptap.cli.documents import print_document, recording_document, session_document
from imaptap.cli.errors import UserError
from imaptap.cli.filtering import filter_option, search
from imaptap.cli.lines import exchange_line
from imaptap.cli.options import db_option, json_option
from imaptap.cli.stats_document import commands_document, slow_document, summary_document
from imaptap.cli.terminal import Output, amount, day
from storage import Store
from storage.statistics import Commands, Durations, Fetched, Idling, Pipelining, Statistics, Summary, statistics

if TYPE_CHECKING:
    from storage.filter import Node

_TOP_MOST = 1000

_LATENCY = ("p50>", "p90>", "p99>", "max>")
_COMMANDS = ("command", "count>", "refused>", "unfinished>", *_LATENCY, "on server>", "client>", "server>", "trips>",
             "repeated>", "fetched again>")  # fmt: skip
_SESSIONS = ("session>", "started", "count>", "refused>", "unfinished>", *_LATENCY, "client>", "server>", "trips>",
             "on server>", "on client>", "idle>", "in flight>", "repeated>", "fetched again>")  # fmt: skip


@click.command(short_help="Count what was said, and who waited for whom.")
@click.argument("address", metavar="RECORDING[/SESSION]", default="last")
@click.option(
    "--by",
    type=click.Choice(["command", "session"]),
    default="command",
    show_default=True,
    help="A line for each command, or for each session.",
)
@click.option(
    "--top",
    metavar="N",
    type=click.IntRange(0, _TOP_MOST),
    default=10,
    show_default=True,
    help="How many of the slowest exchanges to name.",
)
@filter_option
@db_option
@json_option
def stats(address: str, by: str, top: int, wanted: Node | None, db: str, as_json: bool) -> None:
    """Count the exchanges of a recording (default: the last) or of one session.

    By command or by session, and in all: how many, how long they took, bytes, round trips, time spent waiting for the
    server and for the client, what was asked or fetched again, commands in flight, IDLE, and the slowest.
    docs/cli.md says what each number means.
    """
    with opened(db, address) as (store, there):
        place = find(store, there)
        if place.exchange is not None:
            raise UserError(
                f"{address!r} names a single exchange, of which there is nothing to count.",
                f"Write {place.recording.name}/{place.exchange.exchange.session}, or use `imaptap show {address}`.",
            )
        counted = _count(store, place, wanted, top=top, by_session=by == "session")
        if as_json:
            _print_document(store, place, counted, by)
        else:
            _print(place, counted, Output(), by)


def _count(store: Store, place: Place, wanted: Node | None, *, top: int, by_session: bool) -> Statistics:
    sessions = iter([place.session]) if place.session else store.sessions(place.recording)
    chosen = search(store, wanted, place.recording).matches() if wanted else None
    return statistics(store, sessions, chosen, top=top, by_session=by_session)


def _print_document(store: Store, place: Place, counted: Statistics, by: str) -> None:
    if place.session is None:
        about = recording_document(place.recording, store.totals(place.recording))
    else:
        about = session_document(place.session)
    lists = (
        {"sessions": (summary_document(each) for each in counted.sessions)}
        if by == "session"
        else {"commands": (commands_document(each) for each in counted.commands)}
    )
    slowest = (slow_document(each) for each in counted.slowest)
    print_document({**about, "all": summary_document(counted.summary), **lists, "slowest": slowest})


def _print(place: Place, counted: Statistics, output: Output, by: str) -> None:
    for line in _head(place, counted.summary):
        output.say(f"# {line}", "bold" if line.startswith("re") else "")
    if not counted.summary.all.count:
        return
    output.say()
    if by == "session":
        output.table(_SESSIONS, [_session_row(each) for each in counted.sessions])
    else:
        output.table(_COMMANDS, [_command_row(each) for each in counted.commands])
    if counted.slowest:
        output.say()
        output.say("# slowest", "bold")
    for slow in counted.slowest:
        output.say(exchange_line(slow.session.number, slow.exchange, slow.session.wall))


def _head(place: Place, summary: Summary) -> Sequence[str]:
    commands, division, name = summary.all, summary.division, place.recording.name
    where = f"recording {name}" if place.session is None else f"recording {name}, session {place.session.number}"
    unfinished = f", {commands.unfinished} of them unfinished" if commands.unfinished else ""
    words = ("opening", "waiting for the server", "sending", "IDLE", "waiting for the client")
    times = ", ".join(f"{what} {_time(took)}" for what, took in zip(words, division, strict=True))
    sizes = f"client {amount(commands.client_bytes)}, server {amount(commands.server_bytes)}"
    asked = f"{commands.repeats.count} in {_time(commands.repeats.took)}"
    return [
        f"{where}: sessions {summary.sessions}, exchanges {commands.count}{unfinished}, refused {commands.refused}",
        f"bytes: {sizes}; round trips {commands.round_trips}",
        f"time {_time(division.total)}: {times}",
        f"in flight: {_depth(summary.pipelining)}",
        f"asked again: {asked}; fetched again: {_again(commands.fetched)}",
        *([_idling(summary.idling)] if summary.idling.lasted.count else []),
        *(["percentiles are within 1 %: there are too many values to keep"] if not commands.latency.exact else []),
    ]


def _depth(pipelining: Pipelining) -> str:
    mean = pipelining.mean
    return "none" if mean is None and not pipelining.most else f"most {pipelining.most}, mean {mean or 0:.2f}"


def _idling(idling: Idling) -> str:
    lasted = idling.lasted
    gap = f"; longest time from DONE to the next {_time(idling.longest_gap)}" if idling.longest_gap is not None else ""
    heard = f"{idling.woken} heard news, {idling.news} responses"
    return f"IDLE: {lasted.count}, {heard}; p50 {_time(lasted.p50)}, longest {_time(lasted.longest)}{gap}"


def _command_row(commands: Commands) -> tuple[str, ...]:
    before, after = _counts(commands)
    return (commands.command or "-", *before, _time(commands.waited), *after, *_last(commands))


def _session_row(summary: Summary) -> tuple[str, ...]:
    session, commands, division = summary.session, summary.all, summary.division
    names = (str(session.number), day(session.wall)) if session else ("", "")
    waits = _time(division.server), _time(division.client), _time(division.idle)
    before, after = _counts(commands)
    return (*names, *before, *after, *waits, _depth(summary.pipelining), *_last(commands))


def _counts(commands: Commands) -> tuple[tuple[str, ...], tuple[str, ...]]:
    counts = str(commands.count), str(commands.refused), str(commands.unfinished)
    sizes = amount(commands.client_bytes), amount(commands.server_bytes), str(commands.round_trips)
    return (*counts, *_latency(commands.latency)), sizes


def _latency(latency: Durations) -> tuple[str, ...]:
    return tuple(_time(each) for each in (latency.p50, latency.p90, latency.p99, latency.longest))


def _last(commands: Commands) -> tuple[str, str]:
    fetched = commands.fetched
    again = _again(fetched) if fetched.letters or fetched.sections else "0"
    return str(commands.repeats.count), again


def _again(fetched: Fetched) -> str:
    return f"{fetched.letters} letters, {fetched.sections} sections, {amount(fetched.wasted)}"


def _time(microseconds: int | None) -> str:
    if microseconds is None:
        return "-"
    if microseconds < 10_000:
        return f"{microseconds / 1000:.1f} ms"
    if microseconds < 10_000_000:
        return f"{microseconds / 1000:.0f} ms"
    seconds = microseconds // 1_000_000
    return f"{seconds} s" if seconds < 600 else f"{seconds // 60} min" if seconds < 36_000 else f"{seconds // 3600} h"
