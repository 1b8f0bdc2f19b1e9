"""Certificates of every good and bad kind, and a TLS handshake without sockets."""

import contextlib
import datetime as dt
import ssl
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
DAY = dt.timedelta(days=1)


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


@dataclass(frozen=True)
class Made:
    certificate: x509.Certificate
    key: Key

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    def key_pem(self, password: bytes | None = None) -> bytes:
        lock = NoEncryption() if password is None else BestAvailableEncryption(password)
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock)

    def write(self, folder: Path, name: str, *chain: "Made", password: bytes | None = None) -> tuple[Path, Path]:
        certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
        certificate.write_bytes(self.pem + b"".join(each.pem for each in chain))
        key.touch(0o600)
        key.write_bytes(self.key_pem(password))
        return certificate, key


def make(
    name: str,
    key: Key,
    issuer: Made | None = None,
    *,
    ca: bool = False,
    path_length: int | None = None,
    start: dt.datetime | None = None,
    end: dt.datetime | None = None,
    ski: bytes | None = None,
    names: tuple[str, ...] = (),
) -> Made:
    """A certificate; a CA gets what RFC 5280 asks for, with the SKI bytes ``ski`` if given."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    identifier = identifier if ski is None else x509.SubjectKeyIdentifier(ski)
    issuing = key if issuer is None else issuer.key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start or now() - 400 * DAY)
        .not_valid_after(end or now() + 400 * DAY)
        .add_extension(x509.BasicConstraints(ca, path_length), critical=True)
        .add_extension(identifier, critical=False)
    )
    if ca:
        builder = builder.add_extension(_usage(), critical=True)
    if issuer is not None:
        above = issuer.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(above), critical=False
        )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([_san(each) for each in names]), critical=False)
    return Made(builder.sign(issuing, hashes.SHA256()), key)


def _san(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )


def strict_client(*ca_files: Path) -> ssl.SSLContext:
    """The strictest client that Python can be."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    context.hostname_checks_common_name = False
    for ca_file in ca_files:
        context.load_verify_locations(cafile=ca_file)
    return context


def server_context(made: Made, folder: Path, *chain: Made) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*made.write(folder, "server", *chain))
    return context


def handshake(server: ssl.SSLContext, client: ssl.SSLContext, name: str | None) -> tuple[ssl.SSLObject, ssl.SSLObject]:
    """Both ends of a finished TLS handshake, (server, client). Raises what the client raises."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server_end = server.wrap_bio(to_server, to_client, server_side=True)
    client_end = client.wrap_bio(to_client, to_server, server_hostname=name)
    done = {"client": False, "server": False}
    for _ in range(10):
        for end, who in ((client_end, "client"), (server_end, "server")):
            try:
                end.do_handshake()
                done[who] = True
            except ssl.SSLWantReadError:
                pass
        if all(done.values()):
            return server_end, client_end
    raise AssertionError(done)


def first_bytes(name: str | None, alpn: tuple[str, ...] = ()) -> bytes:
    """A real ClientHello."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if alpn:
        context.set_alpn_protocols(list(alpn))
    out = ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), out, server_hostname=name).do_handshake()
    return out.read()
