"""Private keys locked with a password: PKCS #8 (RFC 5958) under PBES2 (RFC 8018), as OpenSSL reads and writes it.

`cryptography` reads any of these, but what it writes takes 2048 rounds of PBKDF2 to guess a password, and that number
cannot be chosen for PKCS #8. So the envelope is made here; the key, the key derivation and the cipher are theirs.
"""

import base64
import secrets
import ssl
import textwrap
from pathlib import Path

from cryptography.hazmat.primitives import hashes, padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from certs.building import SigningKey
from certs.errors import CertificateError
from certs.files import read

ROUNDS = 600_000
"""Of PBKDF2 with SHA-256: what OWASP asks for, and a fifth of a second for whoever knows the password."""

_PBES2 = bytes.fromhex("2a864886f70d01050d")  # RFC 8018 A.4
_PBKDF2 = bytes.fromhex("2a864886f70d01050c")  # RFC 8018 A.2
_HMAC_SHA256 = bytes.fromhex("2a864886f70d0209")  # RFC 8018 B.1.2
_AES256_CBC = bytes.fromhex("60864801650304012a")  # RFC 8018 B.2.5, NIST's arc

_INTEGER, _OCTETS, _NULL, _OID, _SEQUENCE = 0x02, 0x04, 0x05, 0x06, 0x30
_LONG_FORM = 0x80


def is_locked(path: Path) -> bool:
    """Whether the PEM file ``path`` has a key that needs a password. Raises CertificateError where it is unreadable."""
    # "BEGIN ENCRYPTED PRIVATE KEY" (RFC 7468 11), or "Proc-Type: 4,ENCRYPTED" in OpenSSL's old form (RFC 1421).
    return b"ENCRYPTED" in read(path, "key file")


def locked_pem(key: SigningKey, password: bytes) -> bytes:
    """``key`` as PEM that can only be read with ``password``, which must not be empty."""
    salt, start = secrets.token_bytes(16), secrets.token_bytes(16)
    secret = PBKDF2HMAC(hashes.SHA256(), 32, salt, ROUNDS).derive(password)
    pad = padding.PKCS7(128).padder()
    plain = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    cipher = Cipher(algorithms.AES256(secret), modes.CBC(start)).encryptor()
    sealed = cipher.update(pad.update(plain) + pad.finalize()) + cipher.finalize()
    derivation = _sequence(
        _der(_OID, _PBKDF2),
        _sequence(_der(_OCTETS, salt), _integer(ROUNDS), _sequence(_der(_OID, _HMAC_SHA256), _der(_NULL, b""))),
    )
    scheme = _sequence(_der(_OID, _AES256_CBC), _der(_OCTETS, start))
    algorithm = _sequence(_der(_OID, _PBES2), _sequence(derivation, scheme))
    return _pem(_sequence(algorithm, _der(_OCTETS, sealed)))


class KeyPassword:
    """The password of a key that OpenSSL loads: its callback, and whether it was the right one.

    Without a callback OpenSSL would stop and ask on the terminal.
    """

    def __init__(self, file: Path, password: bytes | None, option: str) -> None:
        self._file, self._password, self._option = file, password, option
        self._asked = False

    def ask(self) -> bytes:
        """Called by OpenSSL for a locked key only. Raises CertificateError where there is no password."""
        self._asked = True
        if self._password is None:
            raise CertificateError(
                f"The key in {self._file} is locked with a password.",
                f"Give its password with {self._option} file:PATH, or a key without one.",
            )
        return self._password

    def need_right(self, error: ssl.SSLError) -> None:
        """Raise CertificateError where it was the password that made OpenSSL fail."""
        # OpenSSL tells of a wrong password in different words by version and cipher; of a wrong pair in these.
        if self._asked and error.reason != "KEY_VALUES_MISMATCH":
            raise wrong_password(self._file) from error


def wrong_password(file: Path) -> CertificateError:
    """What to say of a password that does not fit."""
    return CertificateError(
        f"The key in {file} cannot be unlocked with the password given.", "Give the password it was made with."
    )


def _sequence(*parts: bytes) -> bytes:
    return _der(_SEQUENCE, b"".join(parts))


def _integer(value: int) -> bytes:
    # One bit more than it has: a leading 1 would make it negative (X.690 8.3).
    return _der(_INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _der(tag: int, content: bytes) -> bytes:
    """X.690 8.1: tag, length (the long form from 128 on), content."""
    length = len(content)
    if length < _LONG_FORM:
        return bytes([tag, length]) + content
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, _LONG_FORM | len(size)]) + size + content


def _pem(der: bytes) -> bytes:
    lines = textwrap.wrap(base64.b64encode(der).decode("ascii"), 64)
    return "\n".join(
        ["-----BEGIN ENCRYPTED PRIVATE KEY-----", *lines, "-----END ENCRYPTED PRIVATE KEY-----", ""]
    ).encode()
