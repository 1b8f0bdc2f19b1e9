"""X.509 certificates as strict clients want them: what goes in, and why. Times come from the caller."""

import datetime as dt
from collections.abc import Sequence
from typing import TypeVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from certs.names import common_name, constraint, general_name

SigningKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
"""The kinds of key an authority may have."""

ExtensionT = TypeVar("ExtensionT", bound=x509.ExtensionType)

BACK_DATED = dt.timedelta(days=2)
"""Clients' clocks run late, and phones are wrong by a time zone."""

_AUTHORITY_LIFE = dt.timedelta(days=3650)
# Public CAs go down to 200 days in March 2026, and clients' limits follow; one day below has no edge to fall off.
_LEAF_LIFE = dt.timedelta(days=199)


def authority_certificate(
    key: ec.EllipticCurvePrivateKey, permitted: Sequence[str], now: dt.datetime
) -> x509.Certificate:
    """A self-signed CA certificate for ``key``.

    In: ``permitted``, usable names it is limited to (none: no limit); ``now``, aware. Out: pathlen 0, because it only
    ever signs leaves; with SKI and AKI, which RFC 5280 4.2.1.1 and 4.2.1.2 ask for and strict verifiers insist on.
    """
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    # A name of its own per key: two authorities called the same make clients pick the wrong one and fail.
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"imaptap CA {identifier.digest.hex()[:8]}")])
    builder = (
        _builder(name, name, key.public_key(), now - BACK_DATED, now - BACK_DATED + _AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(identifier, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
    )
    if permitted:
        trees = [constraint(name) for name in permitted]
        builder = builder.add_extension(x509.NameConstraints(trees, None), critical=True)
    return builder.sign(key, _digest(key))


def leaf_certificate(
    names: Sequence[str],
    leaf_key: ec.EllipticCurvePublicKey,
    issuer: x509.Certificate,
    key: SigningKey,
    now: dt.datetime,
) -> x509.Certificate:
    """A server certificate for ``names`` (usable, most telling first), signed by ``issuer``'s ``key``.

    Out: at most 199 days long, begun two days ago, and inside the issuer's own time (which strict clients check).
    """
    end = min(now - BACK_DATED + _LEAF_LIFE, issuer.not_valid_after_utc)
    start = max(min(now - BACK_DATED, end - dt.timedelta(seconds=1)), issuer.not_valid_before_utc)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name(names))])
    usages = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    return (
        _builder(subject, issuer.subject, leaf_key, start, end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(usages, critical=False)
        .add_extension(x509.SubjectAlternativeName([general_name(name) for name in names]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(leaf_key), critical=False)
        .add_extension(_issuer_identifier(issuer), critical=False)
        .sign(key, _digest(key))
    )


def extension(certificate: x509.Certificate, kind: type[ExtensionT]) -> ExtensionT | None:
    """The value of one extension of ``certificate``, or None. Raises ValueError when extensions cannot be parsed."""
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, start: dt.datetime, end: dt.datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        # RFC 5280 4.1.2.2: positive, at most 20 octets; random, so that two runs never collide.
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    # keyEncipherment is for RSA key transport; our leaves are ECDSA and only sign (RFC 8422 5.3).
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _issuer_identifier(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    # RFC 5280 4.2.1.1: it must equal the issuer's own SKI, which need not be the SHA-1 we would compute.
    identifier = extension(issuer, x509.SubjectKeyIdentifier)
    if identifier is not None:
        return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)
    identifier = x509.SubjectKeyIdentifier.from_public_key(issuer.public_key())
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)


def _digest(key: SigningKey) -> hashes.SHA256 | hashes.SHA384 | hashes.SHA512:
    # A digest as strong as the curve, as NIST SP 800-57 part 1 pairs them; SHA-256 for RSA.
    if isinstance(key, rsa.RSAPrivateKey) or key.curve.key_size <= 256:
        return hashes.SHA256()
    return hashes.SHA384() if key.curve.key_size <= 384 else hashes.SHA512()
