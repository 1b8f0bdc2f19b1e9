"""`imaptap record`: stand between mail clients and an IMAP server, and keep what is said."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import click
from rich.console import Console

from imaptap.cli.concerns import concerns, refuse_planted
from imaptap.cli.display import Display
from imaptap.cli.errors import NO, UserError, escaped
from imaptap.cli.ready_file import last_words, need_folder, write_ready
from imaptap.cli.record_job import make_job
from imaptap.cli.record_options import RecordOptions, record_options
from imaptap.cli.signals import ending_signals
from imaptap.news import News
from imaptap.recording import Job, Ready
from imaptap.recording import run as run_alone
from imaptap.workers.parent import run as run_workers
from proxy.live.exposure import explain_exposure
from proxy.live.limits import raise_open_files
from proxy.live.transport import loop_factory

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@record_options
def record(options: RecordOptions) -> None:
    """Record every exchange between mail clients and the server at URL.

    URL is imaps://HOST (TLS), imap://HOST (STARTTLS) or imap+insecure://HOST (no TLS). Point the mail client at this
    machine instead, ports 1993 (SSL/TLS) or 1143 (STARTTLS), and have it trust the CA that `imaptap ca` shows.
    Ends with Ctrl-C, or when its terminal closes (not under nohup). Set SSLKEYLOGFILE to log the TLS keys of both
    legs for Wireshark.
    """
    if options.ready_file:
        need_folder(options.ready_file)
    refuse_planted(options.db)
    raise_open_files()
    if not _record(make_job(options), options.ready_file, quiet=options.quiet):
        ended = ", or sessions were ended so that nothing went unrecorded" if options.fail_closed else ""
        raise UserError(f"Not everything could be recorded{ended}.", "See the messages above.", NO)


def _record(job: Job, ready_file: Path | None, *, quiet: bool) -> bool:
    news = None if quiet else News()
    display = Display(Console(highlight=False), news) if news else None

    def ready(facts: Ready) -> None:
        # The file first: who reads the words may rely on it.
        if ready_file:
            write_ready(ready_file, facts)
        for concern in concerns(job):
            _tell(concern.message, concern.hint)
        click.echo(_welcome(facts, explain_exposure(job.settings, facts.listen), job.workers), err=True)

    async def until_stopped() -> bool:
        stop = asyncio.Event()
        for number in ending_signals():
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        run = run_alone if job.workers == 1 else run_workers
        return await run(job, stop, ready, news, _tell)

    try:
        with asyncio.Runner(loop_factory=loop_factory(job.transport)) as runner:
            return runner.run(until_stopped())
    finally:
        if display:
            display.close()


def _tell(message: str, hint: str) -> None:
    # Behind a hangup there is no terminal to tell; the recording must be ended all the same.
    with contextlib.suppress(OSError):
        click.echo(escaped(f"imaptap: {message} {hint}".rstrip()), err=True)


def _welcome(facts: Ready, exposure: str, workers: int) -> str:
    crew = f" with {workers} workers" if workers > 1 else ""
    recording = facts.recording
    lines = [
        f"Recording {recording.id} ({recording.name}) into {facts.db}" if recording else "",
        f"Listening on {', '.join(endpoint.url for endpoint in facts.listen)}{crew}",
        exposure,
        last_words(facts),
    ]
    return "\n".join(filter(None, lines))
