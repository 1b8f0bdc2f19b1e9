"""The user's own certificate authority, as the commands come by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from certs.authority import Authority, PublicAuthority, load_public, own_files
from imaptap.cli.passwords import Passwords, password_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imaptap.cli.passwords import Source

_OPTION, _VARIABLE = "--ca-key-password", "IMAPTAP_CA_KEY_PASSWORD"

ca_key_password_option = password_option(_OPTION, _VARIABLE, "Where the password of the CA's key is")
"""Gives the command a `ca_key_password: Source | None`."""


def ca_passwords(source: Source | None) -> Passwords:
    """How to come by the password of a CA's key."""
    return Passwords(_OPTION, _VARIABLE, source)


def own_authority(source: Source | None = None, permitted: Sequence[str] = ()) -> Authority:
    """The authority with its key; made now if there is none, limited to `permitted`, locked if there is a password."""
    _, key = own_files()
    passwords = ca_passwords(source)
    password = passwords.of(key) if key.exists() else passwords.for_new(key)
    return Authority.load_or_create(permitted=permitted, password=password)


def own_public_authority() -> PublicAuthority:
    """The authority without its key, so that no password is needed once it is there; made now if there is none."""
    certificate, _ = own_files()
    return load_public() if certificate.exists() else own_authority()
