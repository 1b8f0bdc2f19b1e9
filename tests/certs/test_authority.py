import datetime as dt
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from certs.authority import Authority, home
from certs.errors import CertificateError
from certs.files import create
from certs.names import general_name
from tests.certs.making import DAY, Made, ec_key, make, now, rsa_key


def openssl_verify(ca_file: Path, leaf: Path, name: str, untrusted: Path | None = None) -> str:
    chain = ["-untrusted", str(untrusted)] if untrusted else []
    command = ["openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", name]
    done = subprocess.run(
        [*command, "-CAfile", str(ca_file), *chain, str(leaf)], capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


def sans(certificate: x509.Certificate) -> list[str]:
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [str(name.value) for name in names]


def test_home_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("IMAPTAP_HOME", str(tmp_path))
    assert home() == tmp_path
    monkeypatch.delenv("IMAPTAP_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert home().name == "imaptap"


def test_first_use_makes_a_pair_that_only_the_owner_can_use(home: Path) -> None:
    before = os.umask(0)
    try:
        authority = Authority.load_or_create()
    finally:
        os.umask(before)
    assert authority.certificate_file == home / "ca.pem"
    assert (home.stat().st_mode & 0o777, (home / "ca.key").stat().st_mode & 0o777) == (0o700, 0o600)
    assert sorted(path.name for path in home.iterdir()) == ["ca.key", "ca.pem"]
    assert isinstance(authority.key, ec.EllipticCurvePrivateKey)
    assert authority.key.curve.name == "secp256r1"


def test_the_next_use_finds_the_same(authority: Authority) -> None:
    again = Authority.load_or_create()
    assert again.certificate == authority.certificate
    assert again.fingerprint == authority.fingerprint
    assert len(authority.fingerprint) == 95
    assert authority.subject.startswith("CN=imaptap CA ")
    assert 3600 < authority.days_left < 3650


def test_two_authorities_never_share_a_name(tmp_path: Path) -> None:
    first, second = (Authority.load_or_create(tmp_path / each) for each in "ab")
    assert first.subject != second.subject


def test_the_authority_is_what_rfc_5280_asks_for(authority: Authority) -> None:
    certificate = authority.certificate
    basic = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage)
    ski = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    aki = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    assert basic.critical
    assert (basic.value.ca, basic.value.path_length) == (True, 0)
    assert usage.critical
    assert (usage.value.key_cert_sign, usage.value.crl_sign, usage.value.digital_signature) == (True, True, False)
    assert aki.key_identifier == ski.digest
    assert 0 < certificate.serial_number < 1 << 160


def test_a_leaf_is_what_strict_clients_ask_for(authority: Authority) -> None:
    leaf = authority.issue("mail.example.com", ["other.example", "192.0.2.7"]).certificate
    assert sans(leaf) == ["mail.example.com", "other.example", "192.0.2.7", "localhost", "127.0.0.1", "::1"]
    usage = leaf.extensions.get_extension_for_class(x509.KeyUsage)
    basic = leaf.extensions.get_extension_for_class(x509.BasicConstraints)
    purpose = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert usage.critical
    assert (usage.value.digital_signature, usage.value.key_encipherment) == (True, False)
    assert basic.critical
    assert basic.value.ca is False
    assert list(purpose) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert now() - 3 * DAY < leaf.not_valid_before_utc < now() - DAY
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc <= 199 * DAY
    assert leaf.not_valid_after_utc - now() > 190 * DAY


def test_openssl_verifies_it_strictly(authority: Authority, tmp_path: Path) -> None:
    leaf = tmp_path / "leaf.pem"
    leaf.write_bytes(authority.issue("mail.example.com").pem)
    for name in ("mail.example.com", "localhost"):
        assert openssl_verify(authority.certificate_file, leaf, name) == f"{leaf}: OK\n"
    assert "mismatch" in openssl_verify(authority.certificate_file, leaf, "elsewhere.example")


@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_openssl_verifies_leaves_of_an_own_authority_with_its_chain(kind: str, tmp_path: Path) -> None:
    key = rsa_key() if kind == "rsa" else ec_key()
    root = make("Root", key, ca=True)
    # An SKI that nobody could compute from the key: it has to be copied.
    middle = make(
        "Middle", rsa_key() if kind == "rsa" else ec_key(), root, ca=True, path_length=0, ski=b"chosen by hand"
    )
    authority = Authority.load(*middle.write(tmp_path, "middle", root))
    made = authority.issue("mail.example.com")
    assert made.chain == (middle.certificate,)
    aki = made.certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    assert aki.key_identifier == b"chosen by hand"
    leaf, above, trusted = (tmp_path / name for name in ("leaf.pem", "above.pem", "root.pem"))
    leaf.write_bytes(made.pem)
    above.write_bytes(middle.pem)
    trusted.write_bytes(root.pem)
    assert openssl_verify(trusted, leaf, "mail.example.com", above) == f"{leaf}: OK\n"


def test_a_leaf_ends_with_its_authority(tmp_path: Path) -> None:
    root = make("Root", ec_key(), ca=True, start=now() - DAY, end=now() + 5 * DAY)
    leaf = Authority.load(*root.write(tmp_path, "root")).issue("mail.example.com")
    assert leaf.not_after == root.certificate.not_valid_after_utc
    assert leaf.certificate.not_valid_before_utc == root.certificate.not_valid_before_utc


def test_the_certificate_is_found_wherever_it_stands_in_the_file(tmp_path: Path) -> None:
    root = make("Root", ec_key(), ca=True)
    middle = make("Middle", ec_key(), root, ca=True)
    certificate, key = middle.write(tmp_path, "middle")
    certificate.write_bytes(root.pem + middle.pem)
    assert Authority.load(certificate, key).certificate == middle.certificate


@pytest.mark.parametrize("name", ["", "two words", "a" * 64 + ".example", "nul\0", "*", "\udcff", "x." * 200, "é" * 70])
def test_any_name_at_all_gives_a_leaf(authority: Authority, name: str) -> None:
    leaf = authority.issue(name, ["mail.example.com"])
    assert leaf.name == "mail.example.com"
    assert authority.issue(name).name == "localhost"


def test_a_long_name_stands_in_the_sans_and_not_in_the_common_name(authority: Authority, tmp_path: Path) -> None:
    name = "a" * 60 + "." + "b" * 60 + ".example"
    leaf = authority.issue(name)
    assert name in sans(leaf.certificate)
    assert leaf.certificate.subject.rfc4514_string() == "CN=localhost"


def test_no_key_shows_in_a_repr(authority: Authority) -> None:
    shown = repr(authority) + repr(authority.issue("mail.example.com"))
    assert "PRIVATE" not in shown
    assert "key=" not in shown
    assert "key_pem" not in shown


def test_names_limit_the_authority_when_it_is_made(home: Path, tmp_path: Path) -> None:
    authority = Authority.load_or_create(permitted=["example.com", "192.0.2.7"])
    constraints = authority.certificate.extensions.get_extension_for_class(x509.NameConstraints)
    assert constraints.critical
    assert authority.permits("mail.example.com")
    assert authority.permits("192.0.2.7")
    assert authority.permits("localhost")
    assert not authority.permits("badexample.com")
    assert not authority.permits("192.0.2.8")
    leaf = tmp_path / "leaf.pem"
    # One name it may not speak for would spoil the whole leaf, so it is left out.
    leaf.write_bytes(authority.issue("mail.example.com", ["elsewhere.example"]).pem)
    assert openssl_verify(authority.certificate_file, leaf, "mail.example.com") == f"{leaf}: OK\n"


def test_openssl_holds_a_limited_authority_to_its_names(home: Path, tmp_path: Path) -> None:
    authority = Authority.load_or_create(permitted=["example.com"])
    forged = make("x", ec_key(), Made(authority.certificate, authority.key), names=("elsewhere.example",))
    leaf = tmp_path / "leaf.pem"
    leaf.write_bytes(forged.pem)
    assert "permitted subtree violation" in openssl_verify(authority.certificate_file, leaf, "elsewhere.example")


def test_own_constraints_that_exclude_are_kept_too(tmp_path: Path) -> None:
    excluded = x509.NameConstraints(None, [general_name("secret.example")])
    authority = Authority.load_or_create(tmp_path)
    vars(authority)["_constraints"] = excluded
    assert not authority.permits("a.secret.example")
    assert authority.permits("example")


def test_a_limit_that_is_no_name_is_refused(home: Path) -> None:
    with pytest.raises(CertificateError, match="'two words'"):
        Authority.load_or_create(permitted=["two words"])
    assert not (home / "ca.pem").exists()


def test_an_open_key_is_refused_with_the_remedy(authority: Authority, home: Path) -> None:
    (home / "ca.key").chmod(0o640)
    with pytest.raises(CertificateError, match="mode 0640") as caught:
        Authority.load_or_create()
    assert caught.value.hint == f"Run: chmod 600 {home / 'ca.key'}"


def test_a_lost_key_is_named(authority: Authority, home: Path) -> None:
    (home / "ca.key").unlink()
    with pytest.raises(CertificateError, match=r"ca\.key .* cannot be read"):
        Authority.load_or_create()
    assert not (home / "ca.key").exists()


def test_a_certificate_lost_in_a_crash_is_made_again_for_the_key(authority: Authority, home: Path) -> None:
    key = (home / "ca.key").read_bytes()
    (home / "ca.pem").unlink()
    again = Authority.load_or_create()
    assert (home / "ca.key").read_bytes() == key
    assert again.certificate.public_key() == authority.certificate.public_key()


def test_an_expired_authority_says_what_to_remove(authority: Authority, home: Path) -> None:
    def later() -> dt.datetime:
        return now() + 3700 * DAY

    with pytest.raises(CertificateError, match="expired on") as caught:
        Authority.load_or_create(clock=later)
    assert "ca.pem" in caught.value.hint


def test_broken_pem_is_named(authority: Authority, home: Path) -> None:
    (home / "ca.pem").write_text("nonsense")
    with pytest.raises(CertificateError, match="holds no readable PEM certificate"):
        Authority.load_or_create()


def test_own_authorities_that_cannot_be_used(tmp_path: Path) -> None:
    good = make("Good", ec_key(), ca=True)
    certificate, key = good.write(tmp_path, "good")
    leaf = make("leaf", ec_key()).write(tmp_path, "leaf")
    old = make("Old", ec_key(), ca=True, end=now() - DAY).write(tmp_path, "old")
    early = make("Early", ec_key(), ca=True, start=now() + DAY).write(tmp_path, "early")
    weak = make("Weak", rsa_key(1024), ca=True).write(tmp_path, "weak")
    missing = tmp_path / "missing.pem"
    for pair, words in [
        ((missing, key), "missing.pem cannot be read: no such file"),
        ((certificate, missing), "missing.pem cannot be read: no such file"),
        ((certificate, certificate), "holds no readable private key"),
        ((certificate, leaf[1]), "does not belong to the certificate"),
        (leaf, "is not a CA"),
        (old, "expired on"),
        (early, "not valid before"),
        (weak, "1024 bits"),
    ]:
        with pytest.raises(CertificateError, match=words) as caught:
            Authority.load(*pair)
        assert caught.value.hint.endswith((".", "-"))


def test_a_locked_key_needs_its_password(tmp_path: Path) -> None:
    pair = make("Good", ec_key(), ca=True).write(tmp_path, "good", password=b"open sesame")
    assert Authority.load(*pair, password=b"open sesame").days_left > 0
    with pytest.raises(CertificateError, match="locked with a password"):
        Authority.load(*pair)
    with pytest.raises(CertificateError, match="cannot be unlocked"):
        Authority.load(*pair, password=b"wrong")


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CertificateError, match="cannot be made: not a directory"):
        Authority.load_or_create(tmp_path / "file" / "home")


def test_processes_that_start_at_once_end_up_with_one_authority(home: Path) -> None:
    use = "import sys; from certs.authority import Authority; sys.stdin.read(1); "
    command = [sys.executable, "-c", use + "print(Authority.load_or_create().fingerprint)"]
    children = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    for child in children:
        assert child.stdin is not None
        child.stdin.write("g")
        child.stdin.flush()
    found = [child.communicate()[0] for child in children]
    assert [child.returncode for child in children] == [0] * 4
    assert len(set(found)) == 1
    assert Authority.load_or_create().fingerprint == found[0].strip()
    assert sorted(path.name for path in home.iterdir()) == ["ca.key", "ca.pem"]


def test_who_comes_second_keeps_the_first_ones_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    assert create(path, b"first", 0o600)
    assert not create(path, b"second", 0o600)
    assert path.read_bytes() == b"first"


def test_who_loses_the_race_for_the_key_signs_for_the_winners(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    winner = ec_key()

    def another_is_faster(path: Path, content: bytes, mode: int) -> bool:
        if path.name == "ca.key" and not path.exists():
            create(path, make("x", winner).key_pem(), 0o600)
        return create(path, content, mode)

    monkeypatch.setattr("certs.authority.create", another_is_faster)
    assert Authority.load_or_create().certificate.public_key() == winner.public_key()
