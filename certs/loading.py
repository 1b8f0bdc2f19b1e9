"""An authority's files read and judged: is this a certificate, is it a CA, is this its key, is it in time."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from certs.building import SigningKey, extension
from certs.errors import CertificateError
from certs.files import read
from certs.locking import wrong_password

# OpenSSL's security level 2, the default of Debian and Fedora, refuses RSA chains below this.
_RSA_BITS = 2048


def read_certificates(path: Path) -> list[x509.Certificate]:
    """All certificates in the PEM file ``path``, in order. Raises CertificateError: unreadable, or none in it."""
    try:
        return x509.load_pem_x509_certificates(read(path, "certificate file"))
    except ValueError as error:
        raise CertificateError(
            f"The file {path} holds no readable PEM certificate.",
            "Give a PEM file, which begins with -----BEGIN CERTIFICATE-----.",
        ) from error


def read_key(path: Path, password: bytes | None) -> SigningKey:
    """The private key in the PEM file ``path``.

    Raises CertificateError: unreadable, no key, password missing or wrong, or neither RSA (2048 bits at least) nor EC.
    """
    key = _decrypt(path, read(path, "key file"), password)
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise CertificateError(
            f"The key in {path} is neither RSA nor ECDSA, and mail clients would refuse what it signs.",
            "Give the CA an ECDSA P-256 or an RSA key.",
        )
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size < _RSA_BITS:
        raise CertificateError(
            f"The RSA key in {path} has {key.key_size} bits, and mail clients refuse fewer than {_RSA_BITS}.",
            "Give the CA a longer key, or an ECDSA P-256 one.",
        )
    return key


def pick(certificates: Sequence[x509.Certificate], key: SigningKey, path: Path, key_path: Path) -> x509.Certificate:
    """The one of ``certificates`` that belongs to ``key``, wherever it stands. Raises CertificateError if none does."""
    wanted = _spki(key.public_key())
    for certificate in certificates:
        if _spki(certificate.public_key()) == wanted:
            return certificate
    raise CertificateError(
        f"The key in {key_path} does not belong to the certificate in {path}.",
        "Give the key that the certificate was made for.",
    )


def judge(certificate: x509.Certificate, path: Path, now: dt.datetime, remedy: str) -> None:
    """Raise CertificateError unless ``certificate`` is a CA that may sign now; ``remedy`` is the hint if expired."""
    _must_sign(certificate, path)
    if certificate.not_valid_after_utc <= now:
        raise CertificateError(
            f"The CA certificate in {path} expired on {certificate.not_valid_after_utc:%Y-%m-%d}.", remedy
        )
    if certificate.not_valid_before_utc > now:
        raise CertificateError(
            f"The CA certificate in {path} is not valid before {certificate.not_valid_before_utc:%Y-%m-%d}.",
            "Set this machine's clock right, or give another CA.",
        )


def issuers(certificates: Sequence[x509.Certificate], own: x509.Certificate) -> tuple[x509.Certificate, ...]:
    """What a server sends after a leaf that ``own`` signed (RFC 8446 4.4.2): ``own`` and above, without any root.

    A root is left out because a client trusts its own copy or none.
    """
    chain = (own, *(certificate for certificate in certificates if certificate != own))
    return tuple(certificate for certificate in chain if certificate.issuer != certificate.subject)


def _decrypt(path: Path, pem: bytes, password: bytes | None) -> PrivateKeyTypes:
    encrypted = b"ENCRYPTED" in pem
    if encrypted and password is None:
        raise CertificateError(
            f"The key in {path} is locked with a password.", "Give its password with --ca-key-password file:PATH."
        )
    try:
        # A password for a key that has none is no fault of the file.
        return load_pem_private_key(pem, password if encrypted else None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        if encrypted:
            raise wrong_password(path) from error
        raise CertificateError(
            f"The file {path} holds no readable private key.",
            "Give a PEM file, which begins with -----BEGIN PRIVATE KEY-----.",
        ) from error


def _must_sign(certificate: x509.Certificate, path: Path) -> None:
    try:
        basic = extension(certificate, x509.BasicConstraints)
        usage = extension(certificate, x509.KeyUsage)
    except ValueError as error:
        raise CertificateError(
            f"The certificate in {path} has extensions that cannot be read.", "Make the CA certificate anew."
        ) from error
    # RFC 5280 4.2.1.9 and 4.2.1.3: without cA, or with a key usage that lacks keyCertSign, no client accepts a leaf.
    if basic is None or not basic.ca or (usage is not None and not usage.key_cert_sign):
        raise CertificateError(
            f"The certificate {certificate.subject.rfc4514_string()!r} in {path} is not a CA.",
            "Give a certificate with CA:TRUE and the key usage keyCertSign.",
        )


def _spki(key: object) -> bytes:
    # Kinds of key that no CA of ours can have (X25519, ...) may stand in a chain; they just match nothing.
    if isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
        return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return b""
