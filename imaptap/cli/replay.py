"""`imaptap replay`: send what was recorded to another server, and record what it answers."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import click

from imaptap.cli.address import find
from imaptap.cli.cassettes import cassette, opened
from imaptap.cli.concerns import refuse_planted
from imaptap.cli.documents import print_document
from imaptap.cli.errors import INTERRUPTED, NO, UserError, escaped
from imaptap.cli.options import with_folder
from imaptap.cli.replay_options import ReplayOptions, replay_options
from imaptap.cli.replay_progress import Progress
from imaptap.cli.replay_shown import print_rehearsal, print_summary, summary_document
from imaptap.cli.replay_users import Secret, Users, read_users
from imaptap.cli.seed_options import print_origins, wish
from imaptap.cli.signals import ending_signals
from imaptap.cli.terminal import Output
from imaptap.cli.trust_options import trust
from imaptap.reading.parts import parts
from imaptap.reading.replayed import ReplayOf
from imaptap.replaying import Job, Tally, run
from imaptap.seeding import origins
from proxy.live.endpoint import parse_upstream
from proxy.live.limits import raise_open_files
from proxy.live.settings import Settings
from proxy.live.transport import TransportKind, loop_factory
from proxy.replay.stage import Manner
from proxy.replay.values import Policy
from storage import open_store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxy.replay.part import Part
    from storage import Recording, Store


@click.command(short_help="Send what was recorded to another server.")
@replay_options
@click.pass_context
def replay(context: click.Context, options: ReplayOptions) -> None:
    """Send the commands of a RECORDING, or of one SESSION of it, to the server at URL, and record what it answers.

    The new recording says of each step what became of it. Tags, mailbox names, UIDs and whatever else a client had
    from the old server become what the new one calls them. Passwords come from you, never from the recording; commands
    that change mail are only sent with --write. Exits 0 when every step was sent and answered with the recorded
    status, 1 when not, 2 when it could not begin or log in.
    """
    _ = options.pace  # what cannot be is said before anything is read
    refuse_planted(options.db)
    raise_open_files()
    with opened(options.db, options.address) as (source, address):
        place = find(source, address)
        if place.exchange is not None:
            raise UserError(f"{options.address!r} is one exchange.", "A replay is of a recording or a session.")
        played = parts(source, [place.session] if place.session else source.sessions(place.recording))
        if not any(each.moments for each in played):
            raise UserError(f"{options.address!r} has no commands in it.", "There is nothing to replay.")
        if options.dry_run:
            if wish(options):
                print_origins(Output(), origins(played))
            print_rehearsal(played, _policy(options))
            return
        read = cassette(options.address) is not None
        job = _job(options, place.recording, played, read=read)
        with open_store(with_folder(options.db), create=True) if read else contextlib.nullcontext(source) as store:
            context.exit(_replay(store, options, job))


def _replay(store: Store, options: ReplayOptions, job: Job) -> int:
    steps = sum(len(each.moments) for each in job.parts) * options.clones
    with Progress(steps, shown=not options.quiet) as progress:
        tally = Tally(progress.show, _tell, progress.seed)
        recording = _play(job, store, tally)
    if options.as_json:
        print_document(summary_document(recording, job, tally, steps))
    else:
        print_summary(recording, job, tally, steps)
    if tally.stopped and not tally.unrecorded:
        return INTERRUPTED
    return 0 if tally.faithful and tally.steps == steps else NO


def _play(job: Job, store: Store, tally: Tally) -> Recording:
    async def until_stopped() -> Recording:
        stop = asyncio.Event()
        for number in ending_signals():
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        return await run(job, store, stop, tally, _tell)

    with asyncio.Runner(loop_factory=loop_factory(TransportKind.AUTO)) as runner:
        return runner.run(until_stopped())


def _job(options: ReplayOptions, recording: Recording, parts: Sequence[Part], *, read: bool) -> Job:
    """`read`: whether the recording was read from a cassette, and nobody else knows it by its number."""
    wanted = wish(options)
    endpoint = parse_upstream(options.to)
    settings = Settings(upstream=endpoint, listen=(), trust=trust(options), bodies=options.bodies)
    manner = Manner(_policy(options), options.pace, options.flatten, options.idle, options.timeout)
    given = [options.password_file, options.password_command, options.token_command]
    if sum(each is not None for each in given) > 1:
        raise UserError(
            "--password-file, --password-command and --token-command exclude each other.",
            "Give one; --users has room for several users.",
        )
    secret = Secret(options.password_file, options.password_command, options.token_command)
    users = Users(endpoint.url, options.user, secret, read_users(options.users) if options.users else ())
    # Who was in by PREAUTH may have to log in there: whoever says who that is means it.
    users.prepare((each.user for each in parts if each.logs_in or options.user), options.clones)
    source = ReplayOf(None if read else recording.id, recording.name, endpoint.url)
    return Job(source, parts, settings, manner, users.known, options.clones, options.name, wanted)


def _policy(options: ReplayOptions) -> Policy:
    names: dict[str, str] = {} if options.scratch is None else {"": options.scratch}
    for text in options.names:
        old, equals, new = text.partition("=")
        if not (equals and new):
            raise UserError(f"{text!r} is not of the form OLD=NEW.", "Write --map 'Sent Items=Sent'.")
        names[old] = new
    # What could not be seeded was said: that a mailbox is not whole then is no news.
    any_state = options.any_state or options.seed_mailboxes
    return Policy(write=options.write, strict=options.strict, any_state=any_state, names=names)


def _tell(message: str, hint: str) -> None:
    click.echo(escaped(f"imaptap: {message} {hint}".rstrip()), err=True)
