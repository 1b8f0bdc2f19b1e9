import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography import x509

from certs.authority import Authority
from certs.contexts import ServerContexts
from certs.locking import is_locked
from imaptap.cli import passwords
from imaptap.cli.ca import ca
from tests.certs.making import DAY, ec_key, make, now
from tests.certs.serving import serving


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    monkeypatch.setenv("IMAPTAP_HOME", str(folder))
    return folder


def run(*arguments: str) -> Result:
    return CliRunner().invoke(ca, arguments, catch_exceptions=False)


def test_it_says_where_and_what_the_authority_is(home: Path) -> None:
    result = run()
    authority = Authority.load_or_create()
    assert result.exit_code == 0
    for each in (str(home / "ca.pem"), authority.subject, authority.fingerprint, str(authority.days_left)):
        assert each in result.stdout
    for client in ("Thunderbird", "Apple Mail", "Outlook", "Android", "Java", "OpenSSL", "mutt", "mbsync"):
        assert client in result.stdout
    assert f'CertificateFile "{home / "ca.pem"}"' in result.stdout
    assert "ends in" not in result.stdout


def test_no_fingerprint_is_taken_for_a_picture(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Authority, "fingerprint", "0A:AB:BC")
    assert "0A:AB:BC" in run().stdout


def test_an_authority_near_its_end_is_warned_about(home: Path) -> None:
    home.mkdir()
    make("Old", ec_key(), ca=True, end=now() + 10 * DAY).write(home, "ca")
    (home / "ca.key").chmod(0o600)
    assert "ends in 9 days" in run().stdout


def test_json(home: Path) -> None:
    found = json.loads(run("--json").stdout)
    authority = Authority.load_or_create()
    assert list(found) == ["path", "subject", "fingerprint", "not_after", "days_left", "clients"]
    assert found["path"] == str(home / "ca.pem")
    assert found["fingerprint"] == authority.fingerprint
    assert set(found["clients"][0]) == {"client", "steps"}


def test_export_writes_the_certificate_and_never_the_key(home: Path, tmp_path: Path) -> None:
    pem = run("export").stdout_bytes
    assert x509.load_pem_x509_certificate(pem) == Authority.load_or_create().certificate
    assert b"PRIVATE" not in pem
    der = run("export", "--der").stdout_bytes
    assert x509.load_der_x509_certificate(der) == Authority.load_or_create().certificate
    target = tmp_path / "out.pem"
    assert run("export", "-o", str(target)).stdout == ""
    assert target.read_bytes() == pem


def test_export_never_overwrites_the_key(home: Path) -> None:
    run()
    key = (home / "ca.key").read_bytes()
    result = run("export", "-o", str(home / "ca.key"))
    assert (result.exit_code, (home / "ca.key").read_bytes()) == (2, key)


def test_export_to_nowhere(home: Path, tmp_path: Path) -> None:
    result = run("export", "-o", str(tmp_path / "missing" / "out.pem"))
    assert result.exit_code == 2
    assert result.stderr.splitlines()[0].endswith("cannot be written: No such file or directory.")


def test_errors_are_two_sentences(home: Path) -> None:
    run()
    (home / "ca.key").chmod(0o644)
    for command in ([], ["export"], ["check", "localhost:1"]):
        result = run(*command)
        assert result.exit_code == 2
        assert result.stderr == (
            f"imaptap: The key file {home / 'ca.key'} is open to other users (mode 0644).\n"
            f"Run: chmod 600 {home / 'ca.key'}\n"
        )


def test_create_limits_the_authority(home: Path) -> None:
    result = run("create", "--only", "mail.example.com", "--only", "192.0.2.7")
    assert result.exit_code == 0
    assert str(home / "ca.pem") in result.stdout
    assert "mail.example.com, 192.0.2.7" in result.stdout
    authority = Authority.load_or_create()
    for name in ("mail.example.com", "192.0.2.7", "localhost", "127.0.0.1"):
        assert authority.permits(name)
    assert not authority.permits("elsewhere.example")


def test_create_without_a_limit(home: Path) -> None:
    assert "any host" in run("create").stdout
    assert Authority.load_or_create().permits("elsewhere.example")


def test_create_never_replaces(home: Path) -> None:
    fingerprint = Authority.load_or_create().fingerprint
    result = run("create", "--only", "mail.example.com")
    assert result.exit_code == 2
    assert result.stderr == (
        f"imaptap: There is a certificate authority already: {home / 'ca.pem'}.\n"
        "To have a new one, which clients must then trust, remove "
        f"{home / 'ca.pem'} and {home / 'ca.key'} first.\n"
    )
    assert Authority.load_or_create().fingerprint == fingerprint


@pytest.fixture
def password(tmp_path: Path) -> str:
    """Where a password is."""
    file = tmp_path / "password"
    file.touch(0o600)
    file.write_text("open sesame\n")
    return f"file:{file}"


def test_create_with_a_lock(home: Path, password: str) -> None:
    """What only shows the certificate needs no password afterwards."""
    result = run("create", "--ca-key-password", password)
    assert result.exit_code == 0
    assert "Its key is locked with a password." in result.stdout
    assert is_locked(home / "ca.key")
    fingerprint = Authority.load_or_create(password=b"open sesame").fingerprint
    assert json.loads(run("--json").stdout)["fingerprint"] == fingerprint
    assert "BEGIN CERTIFICATE" in run("export").stdout
    with serving(None, (b"* BYE\r\n",)) as port:
        assert "ca.key" not in run("check", f"127.0.0.1:{port}", "--starttls").stderr


def test_create_without_a_lock_says_so(home: Path) -> None:
    assert "Its key is not locked with a password." in run("create").stdout
    assert not is_locked(home / "ca.key")


def test_the_environment_locks_it_on_first_use(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever command that is."""
    monkeypatch.setenv("IMAPTAP_CA_KEY_PASSWORD", "open sesame")
    assert run("export").exit_code == 0
    assert is_locked(home / "ca.key")
    assert Authority.load_or_create(password=b"open sesame").days_left > 0


def test_a_password_on_the_command_line_is_refused(home: Path) -> None:
    result = run("create", "--ca-key-password", "hunter2")
    assert result.exit_code == 2
    assert "hunter2" not in result.output
    assert len(result.stderr.splitlines()) == 2
    assert not home.exists()


@pytest.mark.parametrize("answers", ["sesame\nsesame\n", "sesame\nsesam\nsesame\nsesame\n"], ids=["same", "other"])
def test_create_asks_twice(home: Path, monkeypatch: pytest.MonkeyPatch, answers: str) -> None:
    """Until both are the same."""
    monkeypatch.setattr(passwords, "_at_a_terminal", lambda: True)
    result = CliRunner().invoke(ca, ("create", "--ca-key-password", "prompt"), input=answers, catch_exceptions=False)
    assert (result.exit_code, result.stdout.splitlines()[0]) == (0, f"Made {home / 'ca.pem'}")
    assert f"New password for {home / 'ca.key'}" in result.stderr
    assert "sesame" not in result.output
    assert Authority.load_or_create(password=b"sesame").days_left > 0


def test_no_answer_is_no_password(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_at_a_terminal", lambda: True)
    result = CliRunner().invoke(ca, ("create", "--ca-key-password", "prompt"), input="", catch_exceptions=False)
    assert result.exit_code == 130
    assert "No password was given." in result.stderr
    assert not home.exists()


def test_a_key_alone_is_an_authority_already(home: Path, password: str) -> None:
    """It is not locked, whatever the new one was to be."""
    run("create")
    (home / "ca.pem").unlink()
    assert run("create", "--ca-key-password", password).exit_code == 2
    assert not is_locked(home / "ca.key")


def test_create_for_what_is_no_host(home: Path) -> None:
    result = run("create", "--only", "two words")
    assert result.exit_code == 2
    assert "'two words', which is no host name" in result.stderr
    assert not (home / "ca.pem").exists()


def test_check_says_what_a_strict_client_thinks(home: Path) -> None:
    contexts = ServerContexts(Authority.load_or_create(), "mail.example.com")
    with serving(contexts.context) as port:
        result = run("check", f"127.0.0.1:{port}")
    assert result.exit_code == 0
    assert result.stdout.startswith("accepted")
    with serving(contexts.context, (b"* OK\r\n", b"a1 OK\r\n")) as port:
        result = run("check", f"127.0.0.1:{port}", "--starttls", "--name", "mail.example.com", "--json")
    found = json.loads(result.stdout)
    assert list(found) == [
        "address", "name", "accepted", "reason", "names", "issuer", "days_left", "tls", "cipher",
    ]  # fmt: skip
    assert found["accepted"] is True
    assert found["name"] == "mail.example.com"
    assert "mail.example.com" in found["names"]


def test_check_of_what_is_not_accepted(home: Path, tmp_path: Path) -> None:
    contexts = ServerContexts(Authority.load_or_create(), "mail.example.com")
    other, _ = make("Other", ec_key(), ca=True).write(tmp_path, "other")
    with serving(contexts.context) as port:
        result = run("check", f"127.0.0.1:{port}", "--ca", str(other))
    assert result.exit_code == 1
    assert result.stdout.startswith("not accepted")
    with serving(contexts.context) as port:
        found = json.loads(run("check", f"127.0.0.1:{port}", "--ca", str(other), "--json").stdout)
    assert (found["accepted"], found["names"], found["tls"]) == (False, None, None)
    assert "refuses" in found["reason"]


@pytest.mark.parametrize("address", ["localhost", "::1:993", "localhost:imaps"])
def test_check_of_what_is_no_address(home: Path, address: str) -> None:
    result = run("check", address)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"imaptap: {address!r} is not HOST:PORT.\n")


def test_check_of_nobody(home: Path) -> None:
    with serving(None) as port:
        pass
    result = run("check", f"127.0.0.1:{port}")
    assert result.exit_code == 2
    assert result.stderr.startswith(f"imaptap: 127.0.0.1:{port} refused the connection.\n")


def test_control_characters_of_a_peer_are_escaped(home: Path) -> None:
    with serving(None, (b"* BYE \x1b[2J\x07\r\n",)) as port:
        result = run("check", f"127.0.0.1:{port}", "--starttls")
    assert result.exit_code == 2
    assert "\x1b" not in result.stderr
    assert "\x07" not in result.stderr
