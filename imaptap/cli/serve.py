"""`imaptap serve`: an IMAP server made of a recording."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from imaptap.cli.address import find
from imaptap.cli.authority import own_authority
from imaptap.cli.cassettes import opened, unused_name
from imaptap.cli.concerns import refuse_planted
from imaptap.cli.errors import NO, UserError, escaped
from imaptap.cli.passwords import read_password_file
from imaptap.cli.ready_file import last_words, need_folder, write_ready
from imaptap.cli.serve_modes import Course, course
from imaptap.cli.serve_options import KEYS, Mode, ServeOptions, serve_options
from imaptap.cli.serve_recorded import add, recorded_anew
from imaptap.cli.serve_report import explain, need_report, write_report
from imaptap.cli.signals import ending_signals
from imaptap.meaning.words import counted
from imaptap.recording import Job, Ready
from imaptap.recording import run as record
from imaptap.serving.keys import of_stdin
from imaptap.serving.run import Miss, Outcome, Play, Went
from imaptap.serving.run import serve as run
from imaptap.serving.scenes import scenes
from imaptap.serving.steps import Steps
from proxy.live.admission import parse_network
from proxy.live.endpoint import Endpoint, Security, parse_listen
from proxy.live.exposure import explain_exposure
from proxy.live.limits import raise_open_files
from proxy.live.settings import Settings
from proxy.live.transport import TransportKind, loop_factory
from proxy.replay.match import RuleError, parse_rules
from proxy.replay.part_names import is_known
from proxy.replay.serving.logins import Door
from proxy.replay.serving.values import Repeat

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextlib import AbstractContextManager
    from typing import TypeVar

    from imaptap.cli.address import Place
    from imaptap.serving.keys import Keys
    from proxy.replay.match import Rules
    from proxy.replay.serving.values import Scene
    from storage import Recording, Store

    T = TypeVar("T")

_HERE = Endpoint(Security.PLAIN, "localhost", 143)
"""What stands in the server's place; nobody connects to it."""


@click.command(short_help="Be the server of a recording.")
@serve_options
@click.pass_context
def serve(context: click.Context, options: ServeOptions) -> None:
    """Answer mail clients as the server of a RECORDING did, or in one SESSION of it.

    Commands are matched by what they mean. A command that nothing recorded answers gets a NO at once, and you are told
    which recorded ones come near it; with --mode new or spy, the server at --upstream is asked instead. Exits 1 when
    there were commands that nothing answered; with --strict, also when something that was recorded has not been asked
    for. Ends with Ctrl-C.
    """
    if options.ready_file:
        need_folder(options.ready_file)
    if options.report:
        need_report(options.report)
    refuse_planted(options.db)
    raise_open_files()
    found = course(options)
    kept = found.keeps(options, db_named=context.get_parameter_source("db") is ParameterSource.COMMANDLINE)
    if found.records:
        _record(options, found)
        return
    with opened(options.db, options.address) as (store, address):
        place = find(store, address)
        if place.exchange is not None:
            raise UserError(f"{options.address!r} is one exchange.", "Serve a recording or a session.")
        if found.adds and place.recording.live:
            raise UserError(f"{options.address!r} is still being recorded.", "Stop its recorder first.")
        played = scenes(store, [place.session] if place.session else store.sessions(place.recording))
        if not played:
            raise UserError(f"{options.address!r} has nothing in it that a server said.", "There is nothing to serve.")
        outcome = _serve(options, found, store, place, played, kept=kept)
    context.exit(_judged(options, outcome))


# --- from the server ------------------------------------------------------------------------------------------------


def _record(options: ServeOptions, found: Course) -> None:
    """Have everything answered by the server, and recorded under the name of what is to be served then."""
    settings = found.upstream
    if settings is None:
        return
    with recorded_anew(options, found) as anew:
        job = Job(settings, own_authority(options.ca_key_password), anew.db, anew.name)

        def ready(facts: Ready) -> None:
            lines = [f"Recording {options.address} from {settings.upstream.url}"]
            if found.file is not None:
                lines.append(f"Until it ends what is recorded is in {anew.db}")
                facts = _of_a_cassette(facts)
            _ready(options, settings, facts, *lines)

        anew.whole = _until_stopped(lambda stop: record(job, stop, ready, None, _tell))
    if options.report:
        write_report(options.report, Outcome())


# --- from the recording ---------------------------------------------------------------------------------------------


def _serve(
    options: ServeOptions, found: Course, store: Store, place: Place, played: list[Scene], *, kept: bool
) -> Outcome:
    keys = _keys(options)
    play = _play(options, found, played, keys)
    settings = Settings(
        upstream=_HERE,
        listen=tuple(map(parse_listen, options.listen)),
        allow=tuple(map(parse_network, options.allow)),
        bodies=options.bodies,
    )
    authority = own_authority(options.ca_key_password)
    job = Job(settings, authority, options.db, options.name)
    if found.adds:  # all of it first, and then what is new of it where it belongs
        db = options.db if found.file is None else store.where
        job = Job(settings, authority, db, unused_name(store, f"{place.recording.name}-new"))
    runs: list[Recording] = []

    def ready(facts: Ready) -> None:
        if facts.recording and found.adds:
            runs.append(facts.recording)
        if found.adds and found.file is not None:
            facts = _of_a_cassette(facts)
        _ready(options, settings, facts, *_served(place, played, found, facts), keys=keys is not None)

    def missed(miss: Miss) -> None:
        if not options.quiet:
            _say(*explain(miss))

    def went(at: Went) -> None:
        if not options.quiet and found.upstream:
            _say(f"imaptap: connection {at.connection} asks {found.upstream.upstream.url}: {at.command}")

    outcome = _until_stopped(
        lambda stop: run(play, job, stop, ready, _tell, missed, kept=kept or found.adds, went=went),
        keys.heard if keys else contextlib.nullcontext,
    )
    try:
        for each in runs:
            _add(store, place.recording, each, outcome, found)
    finally:
        if options.report:
            write_report(options.report, outcome)
    return outcome


def _add(store: Store, recording: Recording, run: Recording, outcome: Outcome, found: Course) -> None:
    """Where not all could be recorded, what could is left as a recording of its own."""
    if not outcome.recorded:
        _tell(f"Nothing is added to {recording.name!r}, since not all could be recorded.", f"See {run.name!r}.")
        return
    numbers = sorted({each.session for each in outcome.went})
    added = add(store, recording, run, numbers, found.file)
    if added:
        where = found.file or f"{recording.id} ({recording.name})"
        _tell(f"Added to {where}: {', '.join(f'{recording.id}/{number}' for number in added)}", "")


def _keys(options: ServeOptions) -> Keys | None:
    if options.step is None or str(options.step) not in KEYS:
        if options.step and options.step.exists() and not options.step.is_file():  # to open a pipe may take for ever
            raise UserError(
                f"--step {options.step} is no file.",
                "Name one that is not there yet; each line that is written to it is a step.",
            )
        return None
    keys = of_stdin()
    if keys is None:
        raise UserError("--step key needs a terminal to press keys at.", "Give --step FILE, and write lines to FILE.")
    return keys


def _play(options: ServeOptions, found: Course, played: list[Scene], keys: Keys | None) -> Play:
    rules = _rules(options.match, played)
    password = read_password_file(options.password_file) if options.password_file else None
    told = keys.next if keys else Steps(options.step).next if options.step else None
    beyond = found.upstream if found.asks else None
    return Play(played, rules, Repeat(options.repeat), Door(options.user, password), options.pace, told, beyond)


def _rules(texts: tuple[str, ...], found: list[Scene]) -> Rules:
    try:
        rules = parse_rules(texts)
    except RuleError as error:
        raise UserError(
            f"--match: {error}.", "Write ID=same, SEARCH.keys=any, dates=any, prefix=NEW=RECORDED."
        ) from error
    recorded = {step.asked.name for scene in found for step in scene.steps}
    for rule in rules.rules:
        if not is_known(rule.command) and rule.command not in recorded:
            raise UserError(
                f"--match: {rule.command} is no command of IMAP, nor one that was recorded.",
                "Write the command's own name: UID FETCH, SEARCH; * is all of them.",
            )
    return rules


def _judged(options: ServeOptions, outcome: Outcome) -> int:
    missed, left = len(outcome.missed) + outcome.more, len(outcome.never_asked)
    if outcome.went:
        _tell(f"{counted(len(outcome.went), 'session')} asked {options.upstream} what is not recorded.", "")
    if missed:
        _tell(f"{counted(missed, 'command')} matched nothing that is recorded.", "See above, or --report.")
    if options.strict and left:
        scene, step = outcome.never_asked[0]
        what = f"{scene.number}/{step.number} {step.asked.shown}"
        were = counted(left, "recorded command was", "recorded commands were")
        _tell(f"{were} never asked for, first {what}.", "See --report.")
    return NO if missed or (options.strict and left) or not outcome.recorded else 0


# --- both -----------------------------------------------------------------------------------------------------------


def _until_stopped(
    work: Callable[[asyncio.Event], Awaitable[T]],
    beside: Callable[[], AbstractContextManager[object]] = contextlib.nullcontext,
) -> T:
    """What the work comes to, which ends when its event is set: at Ctrl-C, SIGTERM, or when the terminal closes."""

    async def until() -> T:
        stop = asyncio.Event()
        for number in ending_signals():
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        with beside():
            return await work(stop)

    with asyncio.Runner(loop_factory=loop_factory(TransportKind.AUTO)) as runner:
        return runner.run(until())


def _of_a_cassette(facts: Ready) -> Ready:
    """Where it is recorded until it is one is nobody's business: it goes away."""
    return replace(facts, recording=None, db=None)


def _ready(options: ServeOptions, settings: Settings, facts: Ready, *first: str, keys: bool = False) -> None:
    if options.ready_file:
        write_ready(options.ready_file, facts)
    _say(
        *first,
        f"Listening on {', '.join(endpoint.url for endpoint in facts.listen)}",
        *filter(None, explain_exposure(settings, facts.listen).splitlines()),
        last_words(facts),
        *(["Each press of space or Enter lets one more piece of news come."] if keys else []),
    )


def _served(place: Place, played: list[Scene], found: Course, facts: Ready) -> list[str]:
    recording, upstream = facts.recording, found.upstream.upstream.url if found.upstream else ""
    lines = [f"Serving {place.recording.id} ({place.recording.name}), {counted(len(played), 'session')}"]
    if found.asks:
        kept = "is added" if found.mode is Mode.NEW else "is not kept"
        lines.append(f"Asking {upstream} what is not recorded; what it says {kept}")
    if recording and not found.adds:
        lines.append(f"Recording {recording.id} ({recording.name}) into {facts.db}")
    return lines


def _tell(message: str, hint: str) -> None:
    _say(f"imaptap: {message} {hint}".rstrip())


def _say(*lines: str) -> None:
    with contextlib.suppress(OSError):
        click.echo("\n".join(map(escaped, lines)), err=True)
