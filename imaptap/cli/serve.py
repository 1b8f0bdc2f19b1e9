"""`imaptap serve`: an IMAP server made of a recording."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from imaptap.cli.address import find
from imaptap.cli.authority import own_authority
from imaptap.cli.cassettes import opened
from imaptap.cli.concerns import refuse_planted
from imaptap.cli.errors import NO, UserError, escaped
from imaptap.cli.passwords import read_password_file
from imaptap.cli.ready_file import need_folder, write_ready
from imaptap.cli.serve_options import ServeOptions, serve_options
from imaptap.cli.serve_report import explain, need_report, write_report
from imaptap.meaning.words import counted
from imaptap.recording import Job, Ready
from imaptap.serving.run import Miss, Outcome, Play
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
from proxy.replay.serving.cast import Repeat
from proxy.replay.serving.logins import Door

if TYPE_CHECKING:
    from imaptap.cli.address import Place
    from proxy.replay.match import Rules
    from proxy.replay.pace import Pace
    from proxy.replay.serving.values import Scene

_HERE = Endpoint(Security.PLAIN, "localhost", 143)
"""What stands in the server's place; nobody connects to it."""


@click.command(short_help="Be the server of a recording.")
@serve_options
@click.pass_context
def serve(context: click.Context, options: ServeOptions) -> None:
    """Answer mail clients as the server of a RECORDING did, or in one SESSION of it.

    Commands are matched by what they mean. A command that nothing recorded answers gets a NO at once, and you are told
    which recorded ones come near it. Exits 1 when there were such commands; with --strict, also when something that
    was recorded has not been asked for. Ends with Ctrl-C.
    """
    if options.ready_file:
        need_folder(options.ready_file)
    if options.report:
        need_report(options.report)
    pace = options.pace
    refuse_planted(options.db)
    raise_open_files()
    kept = context.get_parameter_source("db") is ParameterSource.COMMANDLINE and not options.no_record
    with opened(options.db, options.address) as (store, address):
        place = find(store, address)
        if place.exchange is not None:
            raise UserError(f"{options.address!r} is one exchange.", "Serve a recording or a session.")
        found = scenes(store, [place.session] if place.session else store.sessions(place.recording))
        if not found:
            raise UserError(f"{options.address!r} has nothing in it that a server said.", "There is nothing to serve.")
        outcome = _serve(options, place, _play(options, found, pace), kept=kept)
    if options.report:
        write_report(options.report, outcome)
    context.exit(_judged(outcome, strict=options.strict))


def _serve(options: ServeOptions, place: Place, play: Play, *, kept: bool) -> Outcome:
    settings = Settings(
        upstream=_HERE,
        listen=tuple(map(parse_listen, options.listen)),
        allow=tuple(map(parse_network, options.allow)),
    )
    job = Job(settings, own_authority(options.ca_key_password), options.db, options.name)

    def ready(facts: Ready) -> None:
        if options.ready_file:
            write_ready(options.ready_file, facts)
        click.echo(_welcome(place, len(play.scenes), facts, explain_exposure(settings, facts.listen)), err=True)

    def missed(miss: Miss) -> None:
        if not options.quiet:
            click.echo("\n".join(map(escaped, explain(miss))), err=True)

    async def until_stopped() -> Outcome:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:
                asyncio.get_running_loop().add_signal_handler(number, stop.set)
        return await run(play, job, stop, ready, _tell, missed, kept=kept)

    with asyncio.Runner(loop_factory=loop_factory(TransportKind.AUTO)) as runner:
        return runner.run(until_stopped())


def _play(options: ServeOptions, found: list[Scene], pace: Pace | None) -> Play:
    rules = _rules(options.match, found)
    password = read_password_file(options.password_file) if options.password_file else None
    told = Steps(options.step).next if options.step else None
    return Play(found, rules, Repeat(options.repeat), Door(options.user, password), pace, told)


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


def _judged(outcome: Outcome, *, strict: bool) -> int:
    missed, left = len(outcome.missed) + outcome.more, len(outcome.never_asked)
    if missed:
        _tell(f"{counted(missed, 'command')} matched nothing that is recorded.", "See above, or --report.")
    if strict and left:
        scene, step = outcome.never_asked[0]
        what = f"{scene.number}/{step.number} {step.asked.shown}"
        were = counted(left, "recorded command was", "recorded commands were")
        _tell(f"{were} never asked for, first {what}.", "See --report.")
    return NO if missed or (strict and left) or not outcome.recorded else 0


def _tell(message: str, hint: str) -> None:
    with contextlib.suppress(OSError):
        click.echo(escaped(f"imaptap: {message} {hint}".rstrip()), err=True)


def _welcome(place: Place, sessions: int, facts: Ready, exposure: str) -> str:
    recording = facts.recording
    lines = [
        f"Serving {place.recording.id} ({place.recording.name}), {counted(sessions, 'session')}",
        f"Recording {recording.id} ({recording.name}) into {facts.db}" if recording else "",
        f"Listening on {', '.join(endpoint.url for endpoint in facts.listen)}",
        exposure,
        f"Clients must trust {facts.ca}: see `imaptap ca`. Stop with Ctrl-C.",
    ]
    return "\n".join(filter(None, lines))
