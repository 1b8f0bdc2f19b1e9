"""`imaptap record`: stand between mail clients and an IMAP server, and keep what is said."""

from __future__ import annotations

import asyncio
import contextlib
import enum
import json
import os
import signal
from pathlib import Path

import click
from rich.console import Console

from certs.authority import Authority
from certs.contexts import OwnLeaf
from imaptap.cli.display import Display
from imaptap.cli.errors import NO, UserError, escaped
from imaptap.cli.options import db_option
from imaptap.recording import Job, Ready, run
from proxy.imap.capabilities import Scram
from proxy.imap.transcript import Record
from proxy.live.endpoint import Endpoint, parse_listen, parse_upstream
from proxy.live.settings import Compress, Settings, UpstreamTrust
from proxy.live.transport import TransportKind, loop_factory

DEFAULT_LISTEN = ("imaps://localhost:1993", "imap://localhost:1143")
_FILE = click.Path(path_type=Path, dir_okay=False)


def _choice(kind: type[enum.StrEnum]) -> click.Choice[str]:
    # By value: click would show the names of the members, which are in capitals.
    return click.Choice([member.value for member in kind], case_sensitive=False)


@click.command()
@click.argument("upstream", metavar="URL")
@click.option(
    "--listen",
    multiple=True,
    metavar="URL",
    default=DEFAULT_LISTEN,
    show_default=True,
    help="Where clients connect; port 0 picks a free one. May be given several times.",
)
@click.option(
    "--route",
    "routes",
    multiple=True,
    metavar="NAME=URL",
    help="Another server for clients that ask for NAME (TLS server name), or come to port NAME.",
)
@db_option
@click.option("--name", help="Name of the recording (default: the time).")
@click.option("--upstream-ca", type=_FILE, help="Trust these CA certificates for the server, and no others.")
@click.option("--upstream-name", metavar="NAME", help="Verify the server's certificate against this name.")
@click.option("--upstream-fingerprint", metavar="SHA256", help="Accept the one server certificate with this digest.")
@click.option("--upstream-cert", type=_FILE, help="Client certificate to show the server.")
@click.option("--upstream-key", type=_FILE, help="Its key, if that is in another file.")
@click.option(
    "--compress",
    type=_choice(Compress),
    default=Compress.DECODE.value,
    show_default=True,
    help="COMPRESS=DEFLATE: inflate it in the record, hide the word, or keep it as it is.",
)
@click.option(
    "--scram",
    type=_choice(Scram),
    default=Scram.AUTO.value,
    show_default=True,
    help="Hide SCRAM where the server offers channel binding (auto), never (pass), always (hide).",
)
@click.option("--ca-cert", type=_FILE, help="Your own CA certificate, with its chain, instead of imaptap's.")
@click.option("--ca-key", type=_FILE, help="The key of --ca-cert.")
@click.option(
    "--leaf",
    "leaves",
    multiple=True,
    metavar="NAME=CERT,KEY",
    help="Your own server certificate and key for clients that ask for NAME.",
)
@click.option("--ready-file", type=_FILE, help="Write a JSON file there once clients may connect.")
@click.option(
    "--transport",
    type=_choice(TransportKind),
    default=TransportKind.AUTO.value,
    show_default=True,
    help="What carries the bytes.",
)
@click.option("-q", "--quiet", is_flag=True, help="Show no line per exchange.")
def record(
    upstream: str, listen: tuple[str, ...], routes: tuple[str, ...], db: str, name: str | None,
    upstream_ca: Path | None, upstream_name: str | None, upstream_fingerprint: str | None,
    upstream_cert: Path | None, upstream_key: Path | None, compress: str, scram: str,
    ca_cert: Path | None, ca_key: Path | None, leaves: tuple[str, ...], ready_file: Path | None,
    transport: str, quiet: bool,
) -> None:  # fmt: skip
    """Record every exchange between mail clients and the server at URL.

    URL is imaps://HOST (TLS), imap://HOST (STARTTLS) or imap+insecure://HOST (no TLS). Point the mail client at this
    machine instead, ports 1993 (SSL/TLS) or 1143 (STARTTLS), and have it trust the CA that `imaptap ca` shows.
    Ends with Ctrl-C, or when its terminal closes (not under nohup). Set SSLKEYLOGFILE to log the TLS keys of both
    legs for Wireshark.
    """
    if ready_file:
        _need_folder(ready_file)
    trust = UpstreamTrust(upstream_ca, upstream_name, upstream_fingerprint, upstream_cert, upstream_key)
    settings = Settings(
        upstream=parse_upstream(upstream), listen=tuple(parse_listen(url) for url in listen),
        routes=dict(_route(text) for text in routes), trust=trust, compress=Compress(compress), scram=Scram(scram),
        keylog=_keylog(),
    )  # fmt: skip
    job = Job(settings, _authority(ca_cert, ca_key), db, name, dict(_leaf(text) for text in leaves))
    if not _record(job, TransportKind(transport), ready_file, quiet=quiet):
        raise UserError("Not everything could be recorded.", "See the messages above.", NO)


def _record(job: Job, transport: TransportKind, ready_file: Path | None, *, quiet: bool) -> bool:
    display = None if quiet else Display(Console(highlight=False))

    def hear(record: Record) -> None:
        if display:
            display.hear(record)

    def ready(facts: Ready) -> None:
        # The file first: who reads the words may rely on it.
        if ready_file:
            _write_ready(ready_file, facts)
        click.echo(_welcome(facts), err=True)

    async def until_stopped() -> bool:
        stop = asyncio.Event()
        for number in _ending_signals():
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        return await run(job, stop, ready, hear, _tell)

    try:
        with asyncio.Runner(loop_factory=loop_factory(transport)) as runner:
            return runner.run(until_stopped())
    finally:
        if display:
            display.close()


def _ending_signals() -> list[signal.Signals]:
    # nohup has the hangup ignored so that its program outlives the terminal: that must hold here too.
    hangup = [] if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else [signal.SIGHUP]
    return [signal.SIGINT, signal.SIGTERM, *hangup]


def _tell(message: str, hint: str) -> None:
    # Behind a hangup there is no terminal to tell; the recording must be ended all the same.
    with contextlib.suppress(OSError):
        click.echo(escaped(f"imaptap: {message} {hint}".rstrip()), err=True)


def _welcome(facts: Ready) -> str:
    urls = ", ".join(endpoint.url for endpoint in facts.listen)
    return (
        f"Recording {facts.recording.id} ({facts.recording.name}) into {facts.db}\n"
        f"Listening on {urls}\n"
        f"Clients must trust {facts.ca}: see `imaptap ca`. Stop with Ctrl-C."
    )


def _need_folder(ready_file: Path) -> None:
    """Refuse a ready file that cannot be written while nothing has begun yet."""
    folder = ready_file.absolute().parent
    if not folder.is_dir():
        raise _no_ready_file(ready_file, f"there is no folder {folder}")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise _no_ready_file(ready_file, f"nothing may be put into {folder}")


def _no_ready_file(file: Path, reason: str) -> UserError:
    return UserError(f"The ready file {file} cannot be written: {reason}.", "Name another one with --ready-file.")


def _write_ready(file: Path, facts: Ready) -> None:
    """All at once, so that whoever waits for the file never reads half of it."""
    said = {
        "recording": facts.recording.id,
        "listen": [{"url": endpoint.url} for endpoint in facts.listen],
        "ca": str(facts.ca),
        "db": facts.db,
    }
    draft = file.with_name(file.name + ".new")
    try:
        draft.write_text(json.dumps(said) + "\n", encoding="utf-8")
        draft.replace(file)
    except OSError as error:
        raise _no_ready_file(file, (error.strerror or str(error)).lower()) from error


def _authority(cert: Path | None, key: Path | None) -> Authority:
    if cert is None and key is None:
        return Authority.load_or_create()
    if cert is None or key is None:
        raise UserError("--ca-cert and --ca-key belong together.", "Give both, or neither.")
    return Authority.load(cert, key)


def _keylog() -> Path | None:
    file = os.environ.get("SSLKEYLOGFILE")
    return Path(file) if file else None


def _pair(text: str, form: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name or not value:
        raise UserError(f"{text!r} is not of the form {form}.", f"Write it as {form}.")
    return name.lower(), value


def _route(text: str) -> tuple[str, Endpoint]:
    name, url = _pair(text, "NAME=URL")
    return name, parse_upstream(url)


def _leaf(text: str) -> tuple[str, OwnLeaf]:
    name, files = _pair(text, "NAME=CERT,KEY")
    cert, comma, key = files.partition(",")
    return name, OwnLeaf(Path(cert), Path(key if comma else cert))


__all__ = ["DEFAULT_LISTEN", "record"]
