"""What we trust ourselves: the context that mail servers are dialled with, and pinning by fingerprint."""

import hashlib
import hmac
import re
import ssl
from pathlib import Path

from certs.engine import ALPN, Context, plain_context
from certs.errors import CertificateError
from certs.explain import explain, explain_client
from certs.files import reason
from certs.locking import KeyPassword

__all__ = ["explain", "explain_client", "matches_fingerprint", "require_fingerprint", "upstream_context"]

_SHA256_HEX = re.compile(r"[0-9a-f]{64}")


def upstream_context(
    ca_file: Path | None = None,
    fingerprint: str | None = None,
    client_cert: Path | None = None,
    client_key: Path | None = None,
    keylog: Path | None = None,
    alpn: bool = True,
    client_key_password: bytes | None = None,
) -> Context:
    """The client-side context for mail servers, which verifies chain, dates and name unless a fingerprint is given.

    In: ``ca_file``, certificates that are trusted *instead of* the system's (a server's own certificate will do);
    ``fingerprint``, SHA-256 of the one certificate to accept: the context then verifies nothing, and the caller must
    ask `require_fingerprint` before it sends a byte; ``client_cert`` and ``client_key`` (None: in the same file), to
    show when asked; ``keylog``, a file for Wireshark; ``alpn``, whether to offer ``imap``; ``client_key_password``,
    of a locked key.
    Raises CertificateError. Reading the system's store takes about 33 ms: build it once, not per connection.
    """
    context = plain_context(ssl.PROTOCOL_TLS_CLIENT)
    if alpn:
        context.set_alpn_protocols(list(ALPN))
    if fingerprint is not None:
        _sha256(fingerprint)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif ca_file is not None:
        _trust_only(context, ca_file)
    else:
        context.load_default_certs()
    if client_cert is not None:
        _load_client(context, client_cert, client_key, client_key_password)
    elif client_key is not None:
        raise CertificateError(
            f"The client key {client_key} has no certificate.", "Give the client certificate file as well."
        )
    if keylog is not None:
        context.log_keys(keylog)
    return context


def matches_fingerprint(der: bytes | None, fingerprint: str) -> bool:
    """Whether the certificate ``der`` (None: the server showed none) has this SHA-256 ``fingerprint``.

    In: hex, with or without colons or blanks, in any case, ``sha256:`` before it or not. Raises CertificateError when
    ``fingerprint`` is no such thing.
    """
    wanted = _sha256(fingerprint)
    return der is not None and hmac.compare_digest(hashlib.sha256(der).hexdigest(), wanted)


def require_fingerprint(der: bytes | None, fingerprint: str, host: str) -> None:
    """Raise CertificateError, naming both fingerprints, unless ``host``'s certificate ``der`` is the one wanted."""
    if matches_fingerprint(der, fingerprint):
        return
    shown = "no certificate" if der is None else f"a certificate with SHA-256 {hashlib.sha256(der).hexdigest()}"
    raise CertificateError(
        f"{host} shows {shown}, not {_sha256(fingerprint)}.",
        "Find out why it changed before you give the new one to --upstream-fingerprint.",
    )


def _sha256(fingerprint: str) -> str:
    plain = re.sub(r"^sha-?256[:=]", "", fingerprint.strip().lower())
    plain = re.sub(r"[:\s]", "", plain)
    if not _SHA256_HEX.fullmatch(plain):
        raise CertificateError(
            f"The fingerprint {fingerprint!r} is not a SHA-256 one: that has 64 hexadecimal digits, this {len(plain)} "
            "characters.",
            "Get it with: openssl x509 -noout -fingerprint -sha256 -in CERTIFICATE",
        )
    return plain


def _trust_only(context: Context, ca_file: Path) -> None:
    # Who names a file trusts what is in it, be it a root, an intermediate or the server's own certificate.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        context.load_verify_locations(cafile=ca_file)
    except ssl.SSLError as error:
        raise CertificateError(
            f"The CA file {ca_file} holds no readable PEM certificate.",
            "Give a PEM file, which begins with -----BEGIN CERTIFICATE-----.",
        ) from error
    except OSError as error:
        raise CertificateError(
            f"The CA file {ca_file} cannot be read: {reason(error)}.",
            "Name a file that is there and that you may read.",
        ) from error


def _load_client(context: Context, client_cert: Path, client_key: Path | None, password: bytes | None) -> None:
    key = KeyPassword(client_key or client_cert, password, "--upstream-key-password")
    try:
        context.load_cert_chain(client_cert, client_key, key.ask)
    except ssl.SSLError as error:
        key.need_right(error)
        raise CertificateError(
            f"The client certificate {client_cert} cannot be used with the key in {client_key or client_cert}.",
            "Give a PEM certificate and the key it was made for.",
        ) from error
    except OSError as error:
        raise CertificateError(
            f"The client certificate {client_cert} or its key cannot be read: {reason(error)}.",
            "Name files that are there and that you may read.",
        ) from error
