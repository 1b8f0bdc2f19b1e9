"""`imaptap demo`: a recorded session from beginning to end, with nothing but imaptap."""

import asyncio
import imaplib
import tempfile
from pathlib import Path

import click

from imaptap.cli.concerns import refuse_planted
from imaptap.cli.errors import NO, UserError, escaped
from imaptap.cli.options import no_password
from imaptap.cli.terminal import Output
from imaptap.cli.transcript import Look, Transcript
from imaptap.demo.play import play
from proxy.live.transport import TransportKind, loop_factory
from storage import open_store

_BEFORE = """\
Inside this process a recorder speaks TLS, with a session from a cassette (a recording as text) in the server's place,
and Python's imaplib talks to that through the recorder. This is what was recorded:
"""
_AFTER = """
What to try next:
  imaptap record imaps://your.server     record your own mail client
  imaptap ca                             how the client comes to trust the recorder's certificate
  imaptap show last/1                    then, what it said; --bodies for the letters, --json for programs
  imaptap --help                         everything else"""


@click.command(short_help="Record and show a session, all built in.")
@click.option(
    "--db",
    metavar="PATH|URL",
    callback=no_password,
    help="Keep the recording in this database.  [default: it is not kept]",
)
def demo(db: str | None) -> None:
    """Record a session of a built-in cassette and client, and show it. Uses no network and leaves nothing behind."""
    with tempfile.TemporaryDirectory(prefix="imaptap-demo-") as folder:
        where = db or str(Path(folder, "demo.db"))
        refuse_planted(where)
        whole = _record(Path(folder), where)
        click.echo(_BEFORE)
        _show(where, Output())
    click.echo(_AFTER)
    if not whole:
        raise UserError("Not everything could be recorded.", "See the messages above.", NO)


def _record(folder: Path, where: str) -> bool:
    def tell(message: str, hint: str) -> None:
        click.echo(escaped(f"imaptap: {message} {hint}".rstrip()), err=True)

    try:
        with asyncio.Runner(loop_factory=loop_factory(TransportKind.AUTO)) as runner:
            return runner.run(play(folder, where, tell))
    except (imaplib.IMAP4.error, OSError) as error:
        raise UserError(
            f"The demonstration's client did not get through: {error}.",
            "Something on this machine stands between a program and itself: a firewall, or no loopback address.",
            NO,
        ) from error


def _show(where: str, output: Output) -> None:
    with open_store(where, create=False) as store:
        for session in store.sessions(store.recording("last")):
            for line in Transcript(store, session, Look()).session():
                output.say(line)
