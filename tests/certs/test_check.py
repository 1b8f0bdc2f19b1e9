import ssl
from pathlib import Path

import pytest

from certs.authority import Authority
from certs.check import UnreachableError, check, host_and_port
from certs.contexts import ServerContexts
from certs.errors import CertificateError
from tests.certs.making import ec_key, make, server_context
from tests.certs.serving import serving

NAME = "mail.example.com"
GREETING, READY = b"* OK ready\r\n", b"a1 OK begin\r\n"


@pytest.fixture
def ours(authority: Authority) -> ssl.SSLContext:
    return ServerContexts(authority, NAME).context


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", NAME, "asked.example"])
def test_what_we_show_is_accepted(authority: Authority, ours: ssl.SSLContext, name: str) -> None:
    with serving(ours) as port:
        result = check("127.0.0.1", port, name, authority.certificate_file)
    assert result.accepted
    assert name in result.names
    assert (result.issuer, result.tls, result.reason) == (authority.subject, "TLSv1.3", None)
    assert result.cipher
    assert result.days_left in {195, 196, 197}


@pytest.mark.parametrize("answer", [READY, b"* CAPABILITY IMAP4rev1\r\n" + READY, b"a1 ok go\r\n"])
def test_starttls_is_asked_for(authority: Authority, ours: ssl.SSLContext, answer: bytes) -> None:
    with serving(ours, (GREETING, answer)) as port:
        assert check("127.0.0.1", port, NAME, authority.certificate_file, starttls=True).accepted


def test_why_it_is_not_accepted(authority: Authority, ours: ssl.SSLContext, tmp_path: Path) -> None:
    stranger, _ = make("Stranger", ec_key(), ca=True).write(tmp_path, "stranger")
    with serving(ours) as port:
        result = check("127.0.0.1", port, NAME, stranger)
    assert not result.accepted
    assert result.reason is not None
    assert result.reason.startswith(f"A strict client refuses the certificate for {NAME}: ")
    assert "issuer" in result.reason


def test_a_lax_certificate_is_not_accepted(tmp_path: Path) -> None:
    root = make("Root", ec_key(), ca=True)
    trusted, _ = root.write(tmp_path, "root")
    with serving(server_context(make(NAME, ec_key(), root), tmp_path)) as port:
        # Its name stands in the common name only (RFC 9525 forbids to look there).
        result = check("127.0.0.1", port, NAME, trusted)
    assert not result.accepted
    assert "mismatch" in (result.reason or "")


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ((b"* BYE full\r\n",), "does not offer STARTTLS: it said '\\* BYE full'"),
        ((GREETING, b"a1 NO never\r\n"), "does not offer STARTTLS: it said 'a1 NO never'"),
        ((GREETING, b"a1 OK go\r\n* PREAUTH\r\n"), "11 more bytes in clear"),
        ((b"\x15\x03\x03",), "does not speak IMAP in clear"),
        ((GREETING, b"* x\r\n" * 200), "does not offer STARTTLS"),
    ],
)
def test_a_plain_part_that_goes_wrong(authority: Authority, script: tuple[bytes, ...], words: str) -> None:
    with serving(None, script) as port, pytest.raises(UnreachableError, match=words):
        check("127.0.0.1", port, NAME, authority.certificate_file, starttls=True)


def test_no_tls_there(authority: Authority) -> None:
    with serving(None, (GREETING,)) as port, pytest.raises(UnreachableError, match="plain text") as caught:
        check("127.0.0.1", port, NAME, authority.certificate_file)
    assert "--starttls" in caught.value.hint


def test_nobody_there(authority: Authority) -> None:
    with serving(None) as port:
        pass
    with pytest.raises(UnreachableError, match=f"127.0.0.1:{port} refused the connection"):
        check("127.0.0.1", port, NAME, authority.certificate_file)


def test_a_name_that_cannot_be_asked_for(authority: Authority, ours: ssl.SSLContext) -> None:
    with serving(ours) as port, pytest.raises(UnreachableError):
        check("127.0.0.1", port, "", authority.certificate_file)


def test_a_ca_file_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(CertificateError, match="cannot be read"):
        check("127.0.0.1", 1, NAME, tmp_path / "missing")


def test_addresses_are_taken_apart() -> None:
    assert host_and_port("localhost:1993") == ("localhost", 1993)
    assert host_and_port("[::1]:993") == ("::1", 993)
    for text in ("localhost", ":993", "localhost:", "localhost:0", "localhost:65536", "::1:993", "a:b", "a:9\u0663"):
        with pytest.raises(ValueError, match="^" + text.replace("[", "\\[") + "$"):
            host_and_port(text)
