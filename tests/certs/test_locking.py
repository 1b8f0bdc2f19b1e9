"""Keys locked with a password: what imaptap writes, OpenSSL and cryptography read; and the reverse."""

import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from certs.authority import Authority, load_public
from certs.errors import CertificateError
from certs.locking import ROUNDS, is_locked, locked_pem
from certs.trust import upstream_context
from tests.certs.making import Key, ec_key, make, rsa_key
from tests.need import need

PASSWORD = b"open sesame"


def openssl(*words: str, password: bytes = PASSWORD, pem: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """It must not be asked for the password: that is given as it asks for it."""
    command = [need("openssl"), *words, "-passin", f"pass:{password.decode()}"]
    return subprocess.run(command, input=pem, capture_output=True, check=False)


@pytest.mark.parametrize(
    ("key", "password"),
    [
        *((ec_key(), each) for each in (b"x", PASSWORD, "naïve \N{KEY}".encode(), b"\xff\xfe", b"y" * 1023)),
        (rsa_key(), PASSWORD),  # to lock a key is slow, and how it is locked is not the key's affair
    ],
)
def test_what_is_locked_can_be_unlocked(key: Key, password: bytes) -> None:
    pem = locked_pem(key, password)
    assert pem.startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
    assert max(map(len, pem.splitlines())) == 64
    again = load_pem_private_key(pem, password)
    assert isinstance(again, type(key))
    assert again.private_numbers() == key.private_numbers()
    # Once in 256 times the padding is right by chance, and the words are others.
    with pytest.raises(ValueError):  # noqa: PT011
        load_pem_private_key(pem, password[:-1] + b"z")


def test_openssl_reads_it() -> None:
    pem = locked_pem(ec_key(), PASSWORD)
    assert openssl("pkey", "-noout", "-check", pem=pem).returncode == 0
    assert openssl("pkey", "-noout", "-check", password=b"wrong", pem=pem).returncode != 0


def test_it_takes_long_to_guess_the_password() -> None:
    """OpenSSL's own default is 2048 rounds. No two files look alike."""
    first, second = (locked_pem(key, PASSWORD) for key in [ec_key()] * 2)
    parsed = subprocess.run(
        [need("openssl"), "asn1parse"], input=first, capture_output=True, check=True
    ).stdout.decode()
    for word in ("PBES2", "PBKDF2", "hmacWithSHA256", "aes-256-cbc", f":{ROUNDS:06X}"):
        assert word in parsed
    assert ROUNDS >= 600_000
    assert first.splitlines()[2] != second.splitlines()[2]


def test_an_authority_is_made_with_a_lock(home: Path) -> None:
    authority = Authority.load_or_create(password=PASSWORD)
    key_file = home / "ca.key"
    assert (is_locked(key_file), key_file.stat().st_mode & 0o777) == (True, 0o600)
    assert Authority.load_or_create(password=PASSWORD).key.private_numbers() == authority.key.private_numbers()
    with pytest.raises(CertificateError, match=r"ca\.key is locked with a password") as caught:
        Authority.load_or_create()
    assert "--ca-key-password" in caught.value.hint
    with pytest.raises(CertificateError, match=r"ca\.key cannot be unlocked with the password given"):
        Authority.load_or_create(password=b"wrong")


def test_a_locked_authority_shows_its_certificate_to_everybody(home: Path) -> None:
    """No password is needed for what is not secret; the files are judged all the same."""
    authority = Authority.load_or_create(password=PASSWORD)
    public = load_public()
    assert (public.certificate, public.fingerprint) == (authority.certificate, authority.fingerprint)
    (home / "ca.key").chmod(0o644)
    with pytest.raises(CertificateError, match="open to other users"):
        load_public()


def test_an_unlocked_authority_is_compared_with_its_key(home: Path, authority: Authority) -> None:
    (home / "ca.key").write_bytes(make("x", ec_key()).key_pem())
    with pytest.raises(CertificateError, match="does not belong to the certificate"):
        load_public()


def test_a_lost_certificate_is_made_again_for_a_locked_key(home: Path) -> None:
    made = Authority.load_or_create(password=PASSWORD)
    (home / "ca.pem").unlink()
    assert Authority.load_or_create(password=PASSWORD).certificate.public_key() == made.certificate.public_key()


def test_keys_that_openssl_has_locked(tmp_path: Path) -> None:
    """PKCS #8 with scrypt or PBKDF2, and the old form with a Proc-Type header."""
    made = make("Good", rsa_key(), ca=True)
    certificate, _ = made.write(tmp_path, "good")
    secret = ("-passout", f"pass:{PASSWORD.decode()}")
    for number, words in enumerate([
        ("pkcs8", "-topk8", "-scrypt", *secret),
        ("pkcs8", "-topk8", "-v2", "aes-128-cbc", "-iter", "5000", *secret),
        ("rsa", "-aes128", "-traditional", *secret),
    ]):  # fmt: skip
        key = tmp_path / f"{number}.key"
        key.touch(0o600)
        key.write_bytes(openssl(*words, pem=made.key_pem()).stdout)
        assert is_locked(key), words
        assert Authority.load(certificate, key, PASSWORD).days_left > 0
        with pytest.raises(CertificateError, match="cannot be unlocked"):
            Authority.load(certificate, key, b"wrong")


def test_a_client_certificate_with_a_locked_key(tmp_path: Path) -> None:
    """A wrong password is one thing, a wrong certificate another."""
    mine = make("me", ec_key()).write(tmp_path, "me", password=PASSWORD)
    other, _ = make("other", ec_key()).write(tmp_path, "other")
    upstream_context(None, None, *mine, client_key_password=PASSWORD)
    with pytest.raises(CertificateError, match=r"me\.key cannot be unlocked"):
        upstream_context(None, None, *mine, client_key_password=b"wrong")
    with pytest.raises(CertificateError, match="cannot be used with the key"):
        upstream_context(None, None, other, mine[1], client_key_password=PASSWORD)
    with pytest.raises(CertificateError, match="locked with a password") as caught:
        upstream_context(None, None, *mine)
    assert "--upstream-key-password" in caught.value.hint


def test_no_password_shows_when_something_fails(home: Path, tmp_path: Path) -> None:
    """Neither in the words nor in what a traceback would print of them."""
    Authority.load_or_create(password=PASSWORD)
    own = make("own", ec_key()).write(tmp_path, "own", password=b"something else")
    for attempt in (
        lambda: Authority.load_or_create(password=b"hunter2"),
        lambda: upstream_context(None, None, *own, client_key_password=b"hunter2"),
    ):
        with pytest.raises(CertificateError) as caught:
            attempt()
        error: BaseException | None = caught.value
        while error is not None:
            assert "hunter2" not in f"{error!r} {error.args}"
            error = error.__cause__
