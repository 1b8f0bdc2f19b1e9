"""``imaptap ca``: where the certificate authority is, how clients come to trust it, whether they would."""

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

import click
from cryptography.hazmat.primitives.serialization import Encoding
from rich.console import Console
from rich.markup import escape

from certs.authority import PublicAuthority, own_files
from certs.check import CheckResult, check, host_and_port
from certs.errors import CertificateError
from certs.howto import howtos
from certs.locking import is_locked
from imaptap.cli.authority import ca_key_password_option, own_authority, own_public_authority
from imaptap.cli.errors import UserError
from imaptap.cli.passwords import Source

# Time enough to renew, and to make every client trust the new one.
_WARN_DAYS = 30

_P = ParamSpec("_P")
_R = TypeVar("_R")


def _in_words(command: Callable[_P, _R]) -> Callable[_P, _R]:
    """Turn what `certs` raises into what a person reads."""

    @functools.wraps(command)
    def run(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        try:
            return command(*args, **kwargs)
        except CertificateError as error:
            raise UserError(error.message, error.hint) from error

    return run


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
@_in_words
def ca(context: click.Context, as_json: bool) -> None:
    """Show the certificate authority and how each mail client comes to trust it.

    It is made on first use, in $IMAPTAP_HOME or the user's data folder. JSON keys: path, subject, fingerprint
    (SHA-256), not_after, days_left, clients (client, steps).
    """
    if context.invoked_subcommand is not None:
        return
    authority = own_public_authority()
    if as_json:
        click.echo(json.dumps(_described(authority), indent=2))
    else:
        _show(authority, _console())


@ca.command()
@click.option(
    "--only",
    multiple=True,
    metavar="HOST",
    help="Limit it to this host and those below it; may be given several times.  [default: no limit]",
)
@ca_key_password_option
@_in_words
def create(only: tuple[str, ...], ca_key_password: Source | None) -> None:
    """Make the authority now, if it shall be limited to some hosts, or its key be locked with a password.

    Without this, one that may speak for any host is made on first use. Loopback names are always allowed. The key is
    locked if there is a password; `imaptap record` then needs it too.
    """
    _refuse_second(*own_files())
    authority = own_authority(ca_key_password, only)
    console = _console()
    _line(console, f"Made {escape(str(authority.certificate_file))}")
    _line(console, f"Its key is {'locked' if is_locked(own_files()[1]) else 'not locked'} with a password.")
    _line(console, f"It may speak for {escape(', '.join((*only, 'this machine')) if only else 'any host')}.")
    _line(console, "`imaptap ca` says how clients come to trust it.")


@ca.command()
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to FILE, not to stdout.")
@click.option("--der", is_flag=True, help="Binary DER, as iPhones and Android like it, instead of PEM.")
@_in_words
def export(output: Path | None, der: bool) -> None:
    """Write the authority's certificate, never its key."""
    authority = own_public_authority()
    content = authority.certificate.public_bytes(Encoding.DER if der else Encoding.PEM)
    if output is None:
        click.echo(content, nl=False)
        return
    _refuse_own_files(output, authority.certificate_file)
    try:
        output.write_bytes(content)
    except OSError as error:
        raise UserError(
            f"The file {output} cannot be written: {error.strerror}.", "Name a file in a folder that you may write to."
        ) from error


@ca.command(name="check")
@click.argument("address", metavar="HOST:PORT")
@click.option("--name", help="The name the certificate must be for.  [default: HOST]")
@click.option("--starttls", is_flag=True, help="Begin in plain text and ask for TLS.")
@click.option(
    "--ca",
    "ca_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The CA to trust.  [default: imaptap's own]",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
@_in_words
def check_command(
    context: click.Context, address: str, name: str | None, starttls: bool, ca_file: Path | None, as_json: bool
) -> None:
    """Ask whether a strict mail client accepts the certificate shown at HOST:PORT.

    Exits 0 when it does, 1 when it does not, 2 when that cannot be found out. JSON keys: address, name, accepted,
    reason, names, issuer, days_left, tls, cipher; those that are not known are null.
    """
    try:
        host, port = host_and_port(address)
    except ValueError as error:
        raise UserError(
            f"{address!r} is not HOST:PORT.", "Write localhost:1993, or [::1]:1993 for an IPv6 address."
        ) from error
    name = name or host
    result = check(host, port, name, ca_file or own_public_authority().certificate_file, starttls)
    if as_json:
        click.echo(json.dumps(_result(address, name, result), indent=2))
    else:
        _show_result(address, name, result, _console())
    context.exit(0 if result.accepted else 1)


def _refuse_second(certificate: Path, key: Path) -> None:
    # A key alone counts too: it has the lock, or the lack of one, that it was made with.
    for file in (certificate, key):
        if file.exists():
            raise UserError(
                f"There is a certificate authority already: {file}.",
                f"To have a new one, which clients must then trust, remove {certificate} and {key} first.",
            )


def _described(authority: PublicAuthority) -> dict[str, object]:
    return {
        "path": str(authority.certificate_file),
        "subject": authority.subject,
        "fingerprint": authority.fingerprint,
        "not_after": authority.not_after.isoformat(),
        "days_left": authority.days_left,
        "clients": [{"client": each.client, "steps": each.steps} for each in howtos(authority.certificate_file)],
    }


def _result(address: str, name: str, result: CheckResult) -> dict[str, object]:
    return {
        "address": address,
        "name": name,
        "accepted": result.accepted,
        "reason": result.reason,
        "names": list(result.names) if result.accepted else None,
        "issuer": result.issuer,
        "days_left": result.days_left,
        "tls": result.tls,
        "cipher": result.cipher,
    }


def _show(authority: PublicAuthority, console: Console) -> None:
    rows = {
        "certificate": str(authority.certificate_file),
        "subject": authority.subject,
        "SHA-256": authority.fingerprint,
        "days left": str(authority.days_left),
    }
    for label, value in rows.items():
        _line(console, f"[bold]{label:<12}[/] {escape(value)}")
    if authority.days_left < _WARN_DAYS:
        _line(
            console,
            f"[yellow]The certificate ends in {authority.days_left} days. To have a new one made, which clients must "
            f"then trust, remove ca.pem and ca.key in {escape(str(authority.certificate_file.parent))}.[/]",
        )
    _line(console, "\nHow a mail client comes to trust it:")
    for howto in howtos(authority.certificate_file):
        _line(console, f"\n[bold]{escape(howto.client)}[/]")
        for step in howto.steps.splitlines():
            _line(console, f"  {escape(step)}")


def _show_result(address: str, name: str, result: CheckResult, console: Console) -> None:
    if not result.accepted:
        _line(console, f"[red]not accepted[/]  {escape(_printable(result.reason or ''))}")
        return
    _line(console, f"[green]accepted[/]  {escape(address)} as {escape(name)}")
    rows = {
        "names": ", ".join(result.names),
        "issuer": result.issuer or "",
        "days left": str(result.days_left),
        "TLS": f"{result.tls}, {result.cipher}",
    }
    for label, value in rows.items():
        _line(console, f"  {label:<10} {escape(_printable(value))}")


def _console() -> Console:
    # emoji: rich would read the :AB: of a fingerprint as one.
    return Console(highlight=False, emoji=False)


def _line(console: Console, text: str) -> None:
    # Steps are there to be copied: rich must not break a path or a command into two lines.
    console.print(text, soft_wrap=True)


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)


def _refuse_own_files(output: Path, certificate_file: Path) -> None:
    key_file = certificate_file.with_name("ca.key")
    if output.exists() and output.samefile(key_file):
        raise UserError(f"{output} is the authority's key, which must not be overwritten.", "Name another file.")
