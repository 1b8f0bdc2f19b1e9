"""`imaptap portrait`: how a client behaves."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import click

from imaptap.cli.address import Place, address_argument, find
from imaptap.cli.cassettes import opened
from imaptap.cli.documents import print_document
from imaptap.cli.errors import UserError
from imaptap.cli.options import db_option, json_option
from imaptap.cli.portrait_documents import comparison_document, portrait_document
from imaptap.cli.terminal import Output, day
from imaptap.meaning.words import counted
from imaptap.reading.talks import talk
from proxy.imap.portrait import (
    Block,
    Difference,
    Portrait,
    Talk,
    Traits,
    Way,
    capability_differences,
    differences,
    portray,
)
from storage import Recording, Store

WAYS_SHOWN = 4
"""Ways of one situation that people are shown."""
COMMANDS_ENOUGH = 200_000
"""What is behind so many commands is left out: a command takes about a kilobyte of memory."""


@dataclass(frozen=True, slots=True)
class _Sitter:
    """Who is portrayed: where, the portrait, how many sessions were left out, and whether the others are whole."""

    place: Place
    portrait: Portrait
    left_out: int
    whole: bool

    @property
    def name(self) -> str:
        """How the place is called."""
        number = "" if self.place.session is None else f"/{self.place.session.number}"
        return self.place.recording.name + number


@click.command(short_help="Show how a client behaves.")
@address_argument
@click.option(
    "--against", metavar="RECORDING[/SESSION]", help="Show what differs from this one, such as another version's."
)
@db_option
@json_option
def portrait(address: str, against: str | None, db: str, as_json: bool) -> None:
    """Tell how the client of a recording, or of one session, behaves: when it connects, on new mail, when it waits,
    saves, deletes, leaves, and what it makes of the server's capabilities.
    """
    mine = _sitting(db, address)
    other = None if against is None else _sitting(db, against)
    if other is None:
        _tell(mine, as_json=as_json)
    elif as_json:
        print_document(comparison_document((mine.name, other.name), mine.portrait, other.portrait))
    else:
        _compare((mine, other), Output())


def _tell(sitter: _Sitter, *, as_json: bool) -> None:
    if as_json:
        about = {"of": sitter.name, "left_out": sitter.left_out, "whole": sitter.whole}
        print_document(about | portrait_document(sitter.portrait))
    else:
        _show(sitter, Output())


def _sitting(db: str, address: str) -> _Sitter:
    with opened(db, address) as (store, there):
        return _sitter(store, there)


def _sitter(store: Store, address: str) -> _Sitter:
    place = find(store, address)
    if place.exchange is not None:
        raise UserError(
            "A single exchange makes no portrait.", f"Write {place.recording.name}, or one of its sessions."
        )
    if place.session is not None:
        told = talk(store, place.session, COMMANDS_ENOUGH)
        return _Sitter(place, portray((told,)), 0, told.whole)
    talks = _talks(store, place.recording)
    if not talks:
        raise UserError(f"Recording {place.recording.name!r} has no sessions.", "No client has connected to it.")
    left_out = store.totals(place.recording).sessions - len(talks)
    return _Sitter(place, portray(talks), max(0, left_out), talks[-1].whole)


def _talks(store: Store, recording: Recording) -> list[Talk]:
    talks: list[Talk] = []
    commands = 0
    for session in store.sessions(recording):
        talks.append(talk(store, session, COMMANDS_ENOUGH - commands))
        commands += len(talks[-1].steps)
        if commands >= COMMANDS_ENOUGH:
            break
    return talks


def _show(sitter: _Sitter, output: Output) -> None:
    place, told = sitter.place, sitter.portrait
    counts = f"{counted(told.sessions, 'session')}, {counted(told.steps, 'command')}"
    when = place.recording.started if place.session is None else place.session.wall
    output.say(f"# portrait of {sitter.name}, {day(when)}, {counts}", "bold")
    _left_out(sitter, output)
    for traits in told.traits:
        _traits(traits, output)
    output.say()
    output.say("Capabilities", "bold")
    lists = (
        ("used", told.used), ("ignored", told.ignored), ("heeded or not, it does not show", told.silent),
        ("used without an offer", told.unoffered), ("taken out by imaptap", told.withheld),
    )  # fmt: skip
    for what, words in lists:
        if words:
            output.say(f"  {what}: {' '.join(words)}", "red" if words is told.unoffered else "")


def _left_out(sitter: _Sitter, output: Output) -> None:
    if not sitter.whole:
        output.say(f"# not all of {sitter.name}: {COMMANDS_ENOUGH} commands make a portrait", "yellow")
    if sitter.left_out:
        sessions = counted(sitter.left_out, "later session")
        output.say(f"# {sessions} of {sitter.name} left out: {COMMANDS_ENOUGH} commands make a portrait", "yellow")


def _traits(traits: Traits, output: Output) -> None:
    # Nothing was missed where there is nothing else.
    if traits.situation == "anything else" and not traits.seen:
        return
    output.say()
    title = str(traits.situation).capitalize()
    output.say(title if traits.seen else f"{title}: not seen", "bold" if traits.seen else "dim")
    for fact in traits.facts:
        output.say(f"  {fact.text}", "dim" if fact.measured else "")
    for way in traits.ways[:WAYS_SHOWN]:
        for line in way_lines(way):
            output.say(f"  {line}", "cyan")
    more = len(traits.ways[WAYS_SHOWN:]) + traits.others
    if more:
        output.say(f"  and {counted(more, 'other way')}, less often", "dim")


def way_lines(way: Way) -> Iterator[str]:
    """A way for people: how often, then a line a block."""
    yield f"seen {counted(way.times, 'time')}:"
    for block in way.blocks:
        yield f"  {block_line(block)}"


def block_line(block: Block) -> str:
    """A block for people: `(A, B) x 3-12, pipelined`."""
    forms = ", ".join(block.forms)
    times = f"{block.least}-{block.most}" if block.least != block.most else str(block.most)
    repeated = "" if times == "1" else f" x {times}"
    shown = f"({forms})" if repeated and len(block.forms) > 1 else forms
    return f"{shown}{repeated}{', pipelined' if block.pipelined else ''}"


def _compare(sitters: tuple[_Sitter, _Sitter], output: Output) -> None:
    names = sitters[0].name, sitters[1].name
    mine, other = sitters[0].portrait, sitters[1].portrait
    output.say(f"# {names[0]} against {names[1]}", "bold")
    output.say(f"# - {names[0]} only, + {names[1]} only; counts and times are not compared", "dim")
    for sitter in sitters:
        _left_out(sitter, output)
    found = differences(mine, other)
    for difference in found:
        _difference(names, difference, output)
    words = list(capability_differences(mine, other))
    if words:
        output.say()
        output.say("Capabilities", "bold")
    for kind, first, second in words:
        _signed("-", [f"{kind}: {' '.join(first)}"] if first else [], output)
        _signed("+", [f"{kind}: {' '.join(second)}"] if second else [], output)
    if not found and not words:
        output.say("No difference.")


def _difference(names: tuple[str, str], difference: Difference, output: Output) -> None:
    output.say()
    unseen = {"first": f" (not seen in {names[0]})", "second": f" (not seen in {names[1]})"}
    output.say(str(difference.situation).capitalize() + unseen.get(difference.unseen or "", ""), "bold")
    for sign, facts, ways in zip("-+", difference.facts, difference.ways, strict=True):
        _signed(sign, facts, output)
        for way in ways[:WAYS_SHOWN]:
            _signed(sign, list(way_lines(way)), output)
        if len(ways) > WAYS_SHOWN:
            _signed(sign, [f"and {counted(len(ways) - WAYS_SHOWN, 'other way')}, less often"], output)


def _signed(sign: str, lines: Sequence[str], output: Output) -> None:
    for line in lines:
        output.say(f"  {sign} {line}", "red" if sign == "-" else "green")
