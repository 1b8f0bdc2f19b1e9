"""How a server is verified that imaptap dials, and what it is shown: the same options for all who dial one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import click

from imaptap.cli.passwords import Passwords, Source, password_option
from proxy.live.settings import UpstreamTrust

if TYPE_CHECKING:
    from collections.abc import Callable

UPSTREAM_KEY_PASSWORD = "IMAPTAP_UPSTREAM_KEY_PASSWORD"
"""Variable of the environment that may hold the password."""

FILE = click.Path(path_type=Path, dir_okay=False)


class TrustOptions(Protocol):
    """What was typed, by the names of the options below."""

    @property
    def upstream_ca(self) -> Path | None: ...
    @property
    def upstream_name(self) -> str | None: ...
    @property
    def upstream_fingerprint(self) -> str | None: ...
    @property
    def upstream_cert(self) -> Path | None: ...
    @property
    def upstream_key(self) -> Path | None: ...
    @property
    def upstream_key_password(self) -> Source | None: ...


def trust(options: TrustOptions) -> UpstreamTrust:
    """What they ask for. Raises UserError or CertificateError where a key's password cannot be had."""
    passwords = Passwords("--upstream-key-password", UPSTREAM_KEY_PASSWORD, options.upstream_key_password)
    key = options.upstream_key or options.upstream_cert
    return UpstreamTrust(
        options.upstream_ca,
        options.upstream_name,
        options.upstream_fingerprint,
        options.upstream_cert,
        options.upstream_key,
        passwords.of(key) if key else None,
    )


TRUST_OPTIONS: tuple[Callable[[Callable[..., None]], Callable[..., None]], ...] = (
    click.option("--upstream-ca", type=FILE, help="Trust these CA certificates for the server, and no others."),
    click.option("--upstream-name", metavar="NAME", help="Verify the server's certificate against this name."),
    click.option(
        "--upstream-fingerprint", metavar="SHA256", help="Accept the one server certificate with this digest."
    ),
    click.option("--upstream-cert", type=FILE, help="Client certificate to show the server."),
    click.option("--upstream-key", type=FILE, help="Its key, if that is in another file."),
    password_option("--upstream-key-password", UPSTREAM_KEY_PASSWORD, "Where the password of that key is"),
)
