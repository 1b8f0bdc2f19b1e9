"""What was typed after `imaptap record`, made into a job; whatever is wrong with it is said before anything begins."""

from __future__ import annotations

import os
from pathlib import Path

from certs.authority import Authority
from certs.contexts import OwnLeaf
from imaptap.cli.authority import ca_passwords, own_authority
from imaptap.cli.errors import UserError
from imaptap.cli.passwords import Passwords
from imaptap.cli.record_options import LEAF_KEY_PASSWORD, RecordOptions
from imaptap.cli.trust_options import trust
from imaptap.recording import Job
from proxy.live.admission import parse_network
from proxy.live.endpoint import Endpoint, parse_listen, parse_upstream
from proxy.live.settings import Settings


def make_job(options: RecordOptions) -> Job:
    """The recording that `options` ask for. Raises UserError, LiveError or CertificateError."""
    settings = _settings(options)
    passwords = Passwords("--leaf-key-password", LEAF_KEY_PASSWORD, options.leaf_key_password)
    leaves = dict(_leaf(text, passwords) for text in options.leaves)
    # Last, since it may make files: a slip in the command line shall leave nothing behind.
    authority = _authority(options)
    return Job(
        settings, authority, options.db, options.name, leaves, transport=options.transport, workers=options.workers,
        max_literal=options.max_literal, fail_closed=options.fail_closed,
    )  # fmt: skip


def _settings(options: RecordOptions) -> Settings:
    return Settings(
        upstream=parse_upstream(options.upstream),
        listen=tuple(map(parse_listen, options.listen)),
        routes=dict(map(_route, options.routes)),
        trust=trust(options),
        compress=options.compress,
        bodies=options.bodies,
        scram=options.scram,
        keylog=_keylog(),
        allow=tuple(map(parse_network, options.allow)),
        max_sessions=options.max_sessions,
        max_rate=options.max_rate,
    )


def _authority(options: RecordOptions) -> Authority:
    cert, key = options.ca_cert, options.ca_key
    if cert is None and key is None:
        return own_authority(options.ca_key_password)
    if cert is None or key is None:
        raise UserError("--ca-cert and --ca-key belong together.", "Give both, or neither.")
    return Authority.load(cert, key, ca_passwords(options.ca_key_password).of(key))


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


def _leaf(text: str, passwords: Passwords) -> tuple[str, OwnLeaf]:
    name, files = _pair(text, "NAME=CERT,KEY")
    cert, comma, key = files.partition(",")
    key_file = Path(key if comma else cert)
    return name, OwnLeaf(Path(cert), key_file, passwords.of(key_file))
