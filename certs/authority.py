"""The certificate authority: made on first use, kept in the user's data folder, signs a leaf per name."""

import datetime as dt
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from certs.building import SigningKey, authority_certificate, extension, leaf_certificate
from certs.errors import CertificateError
from certs.files import create, home, make_private_folder, reason
from certs.loading import issuers, judge, pick, read_certificates, read_key
from certs.locking import is_locked, locked_pem
from certs.names import LOOPBACK, permits, usable_name
from certs.privacy import need_private, need_unwritable

__all__ = ["Authority", "Leaf", "PublicAuthority", "home", "load_public", "own_files"]

Clock = Callable[[], dt.datetime]


def utc_now() -> dt.datetime:
    """The time, aware."""
    return dt.datetime.now(dt.UTC)


@dataclass(frozen=True)
class Leaf:
    """A server certificate for ``name`` with its key and what a server sends after it."""

    name: str
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...]
    # Never in a repr: a traceback or a log line must not hold a key (DESIGN rule 5).
    key_pem: bytes = field(repr=False)

    @property
    def pem(self) -> bytes:
        """The certificate and its chain, without the key."""
        return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in (self.certificate, *self.chain))

    @property
    def not_after(self) -> dt.datetime:
        """When it ends, aware."""
        return self.certificate.not_valid_after_utc


@dataclass(frozen=True)
class PublicAuthority:
    """What everybody may know of a CA: its certificate, and where that lies."""

    certificate_file: Path
    certificate: x509.Certificate
    clock: Clock = field(repr=False)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate, in the colon form that clients show."""
        return self.certificate.fingerprint(hashes.SHA256()).hex(":").upper()

    @property
    def subject(self) -> str:
        """The certificate's subject (RFC 4514)."""
        return self.certificate.subject.rfc4514_string()

    @property
    def not_after(self) -> dt.datetime:
        """When the authority ends, aware."""
        return self.certificate.not_valid_after_utc

    @property
    def days_left(self) -> int:
        """Whole days until the authority ends."""
        return (self.not_after - self.clock()).days


@dataclass(frozen=True)
class Authority(PublicAuthority):
    """A CA with its key, and the intermediates above it. Get one from `load_or_create` or `load`."""

    chain: tuple[x509.Certificate, ...]
    key: SigningKey = field(repr=False)

    @classmethod
    def load_or_create(
        cls,
        folder: Path | None = None,
        permitted: Sequence[str] = (),
        clock: Clock = utc_now,
        password: bytes | None = None,
    ) -> "Authority":
        """The user's own authority, made now if there is none.

        In: ``folder``, else `home`; ``permitted``, host names a *new* authority is limited to (an old one keeps what
        it has: see `permits`); ``password``, what the key is locked with, or is to be (None: it is not).
        Raises CertificateError: files unreadable, damaged, locked, not a pair, open to others, expired.
        """
        certificate_file, key_file = own_files(folder)
        make_private_folder(certificate_file.parent)
        need_unwritable(certificate_file.parent, "folder")
        if not _exists(certificate_file):
            _make_pair(certificate_file, key_file, _constraint_names(permitted), clock(), password)
        _must_be_ours(certificate_file, key_file)
        return cls._read(certificate_file, key_file, password, clock, _renewal(certificate_file, key_file))

    @classmethod
    def load(
        cls, certificate_file: Path, key_file: Path, password: bytes | None = None, clock: Clock = utc_now
    ) -> "Authority":
        """Somebody's own CA, RSA or EC; the certificate file may hold the certificates above it too.

        Raises CertificateError: unreadable, damaged, locked, not a pair, not a CA, out of time, key open to others.
        """
        authority = cls._read(certificate_file, key_file, password, clock, "Give a CA certificate that is in time.")
        need_private(key_file, "key file")
        return authority

    @classmethod
    def _read(cls, path: Path, key_path: Path, password: bytes | None, clock: Clock, remedy: str) -> "Authority":
        certificates = read_certificates(path)
        key = read_key(key_path, password)
        own = pick(certificates, key, path, key_path)
        judge(own, path, clock(), remedy)
        return cls(path, own, clock, issuers(certificates, own), key)

    def permits(self, name: str) -> bool:
        """Whether clients would accept a leaf of this authority for ``name``, given its name constraints."""
        usable = usable_name(name)
        return usable is not None and (self._constraints is None or permits(self._constraints, usable))

    def issue(self, name: str, extra: Sequence[str] = ()) -> Leaf:
        """A leaf for ``name``, ``extra`` names and the loopback names.

        Names that no certificate can hold, or that this authority may not speak for (one of them would spoil the
        whole leaf), are left out, so anything at all may be asked for; `Leaf.name` says what the leaf stands for.
        """
        usable = (usable_name(each) for each in (name, *extra, *LOOPBACK))
        names = [each for each in dict.fromkeys(usable) if each is not None and self.permits(each)]
        # An authority that may speak for none of them still has to show something, for the client to refuse.
        names = names or [LOOPBACK[0]]
        certificate = leaf_certificate(names, self._leaf_key.public_key(), self.certificate, self.key, self.clock())
        return Leaf(names[0], certificate, self.chain, self._leaf_key_pem)

    @functools.cached_property
    def _constraints(self) -> x509.NameConstraints | None:
        return extension(self.certificate, x509.NameConstraints)

    @functools.cached_property
    def _leaf_key(self) -> ec.EllipticCurvePrivateKey:
        # One key for all leaves of a process: they have one owner, and a new one per name buys nothing.
        return ec.generate_private_key(ec.SECP256R1())

    @functools.cached_property
    def _leaf_key_pem(self) -> bytes:
        return _pem(self._leaf_key)


def load_public(clock: Clock = utc_now) -> PublicAuthority:
    """The user's own authority, which must be there, without its key, which may stay locked.

    Raises CertificateError: as `Authority.load_or_create`.
    """
    certificate_file, key_file = own_files()
    _must_be_ours(certificate_file, key_file)
    certificates = read_certificates(certificate_file)
    # A locked key cannot be compared; what imaptap makes is one certificate.
    locked = is_locked(key_file)
    own = certificates[0] if locked else pick(certificates, read_key(key_file, None), certificate_file, key_file)
    judge(own, certificate_file, clock(), _renewal(certificate_file, key_file))
    return PublicAuthority(certificate_file, own, clock)


def own_files(folder: Path | None = None) -> tuple[Path, Path]:
    """Where the certificate and the key of the user's own authority lie, or will: in ``folder``, else in `home`."""
    folder = home() if folder is None else folder
    return folder / "ca.pem", folder / "ca.key"


def _make_pair(
    certificate_file: Path, key_file: Path, permitted: Sequence[str], now: dt.datetime, password: bytes | None
) -> None:
    """Two processes may start at once: whoever links the key first wins, and a certificate is always made for the key
    that lies there, so every pair that anybody can read matches; a crash in between leaves nothing to repair."""
    new = ec.generate_private_key(ec.SECP256R1())
    create(key_file, _pem(new) if password is None else locked_pem(new, password), 0o600)
    _must_be_private(key_file)
    key = read_key(key_file, password)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise CertificateError(
            f"The key {key_file} has lost its certificate {certificate_file.name}.",
            f"Put the certificate back, or remove {key_file} to have a new CA made.",
        )
    create(certificate_file, authority_certificate(key, permitted, now).public_bytes(Encoding.PEM), 0o644)


def _constraint_names(permitted: Sequence[str]) -> list[str]:
    names = [usable_name(name) for name in permitted]
    if None in names:
        raise CertificateError(
            f"No CA can be limited to {permitted[names.index(None)]!r}, which is no host name.",
            "Give DNS names such as mail.example.com, or IP addresses.",
        )
    # Every leaf carries the loopback names, so a limited authority has to be allowed them.
    return [name for name in dict.fromkeys((*names, *LOOPBACK)) if name] if names else []


def _renewal(certificate_file: Path, key_file: Path) -> str:
    return f"Remove {certificate_file} and {key_file}; the next start makes a new CA, which clients must then trust."


def _must_be_ours(certificate_file: Path, key_file: Path) -> None:
    need_unwritable(certificate_file.parent, "folder")
    # Who trusts the certificate file trusts all that is in it.
    need_unwritable(certificate_file, "certificate file")
    _must_be_private(key_file)


def _must_be_private(key_file: Path) -> None:
    if not _exists(key_file):
        raise CertificateError(
            f"The key file {key_file} of the certificate authority cannot be read: no such file or directory.",
            f"Put it back, or remove {key_file.with_name('ca.pem')} to have a new CA made.",
        )
    need_private(key_file, "key file")


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError as error:
        raise CertificateError(
            f"The folder {path.parent} cannot be read: {reason(error)}.",
            "Set IMAPTAP_HOME to a folder that you may read.",
        ) from error


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
