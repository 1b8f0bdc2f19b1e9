import hashlib
import socket
import ssl
from pathlib import Path

import pytest

from certs.authority import Authority
from certs.contexts import ServerContexts
from certs.errors import CertificateError
from certs.trust import explain, explain_client, matches_fingerprint, require_fingerprint, upstream_context
from tests.certs.making import DAY, Made, ec_key, handshake, make, now, server_context

HOST = "mail.example.com"


@pytest.fixture
def root() -> Made:
    return make("Root", ec_key(), ca=True)


def colons(der: bytes) -> str:
    return hashlib.sha256(der).digest().hex(":").upper()


def test_only_the_given_ca_is_trusted(root: Made, tmp_path: Path) -> None:
    server = server_context(make(HOST, ec_key(), root, names=(HOST,)), tmp_path)
    trusted, _ = root.write(tmp_path, "root")
    handshake(server, upstream_context(trusted), HOST)
    assert upstream_context(trusted).cert_store_stats()["x509"] == 1
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(server, upstream_context(), HOST)


def test_a_servers_own_certificate_can_be_trusted(root: Made, tmp_path: Path) -> None:
    leaf = make(HOST, ec_key(), root, names=(HOST,))
    trusted, _ = leaf.write(tmp_path, "leaf")
    handshake(server_context(leaf, tmp_path), upstream_context(trusted), HOST)


def test_verification_is_on_by_default() -> None:
    context = upstream_context()
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2


def test_a_fingerprint_stands_in_for_verification(root: Made, tmp_path: Path) -> None:
    leaf = make("anything", ec_key(), end=now() - DAY)
    context = upstream_context(fingerprint=colons(leaf.der))
    _, client = handshake(server_context(leaf, tmp_path), context, HOST)
    shown = client.getpeercert(binary_form=True)
    assert matches_fingerprint(shown, colons(leaf.der))
    assert not matches_fingerprint(shown, colons(root.der))


def test_every_spelling_of_a_fingerprint_counts() -> None:
    plain = hashlib.sha256(b"der").hexdigest()
    for text in (plain, plain.upper(), colons(b"der"), f"sha256:{plain}", f"SHA-256={plain}", f" {plain}\n"):
        assert matches_fingerprint(b"der", text)
    assert not matches_fingerprint(b"other", plain)
    assert not matches_fingerprint(None, plain)


@pytest.mark.parametrize("text", ["", "ab:cd", "g" * 64, "a" * 40, "a" * 65])
def test_what_is_no_fingerprint_is_said(text: str) -> None:
    with pytest.raises(CertificateError, match="not a SHA-256 one"):
        upstream_context(fingerprint=text)
    with pytest.raises(CertificateError, match="not a SHA-256 one"):
        matches_fingerprint(b"der", text)


def test_another_certificate_is_named() -> None:
    wanted, found = (hashlib.sha256(each).hexdigest() for each in (b"a", b"b"))
    require_fingerprint(b"a", wanted, HOST)
    with pytest.raises(CertificateError, match=f"{HOST} shows .*{found}, not {wanted}"):
        require_fingerprint(b"b", wanted, HOST)
    with pytest.raises(CertificateError, match="no certificate"):
        require_fingerprint(None, wanted, HOST)


def test_a_client_certificate_is_shown_when_asked(root: Made, tmp_path: Path) -> None:
    server = server_context(make(HOST, ec_key(), root, names=(HOST,)), tmp_path)
    trusted, _ = root.write(tmp_path, "root")
    server.load_verify_locations(cafile=trusted)
    server.verify_mode = ssl.CERT_REQUIRED
    me = make("me", ec_key(), root)
    context = upstream_context(trusted, None, *me.write(tmp_path, "me"))
    assert handshake(server, context, HOST)[0].getpeercert(binary_form=True) == me.der


def test_files_that_cannot_be_used(root: Made, tmp_path: Path) -> None:
    certificate, key = root.write(tmp_path, "root")
    locked = root.write(tmp_path, "locked", password=b"open sesame")
    (tmp_path / "empty").write_text("")
    missing = tmp_path / "missing"
    for arguments, words in [
        ({"ca_file": missing}, "CA file .* cannot be read: no such file"),
        ({"ca_file": tmp_path / "empty"}, "holds no readable PEM"),
        ({"client_cert": missing}, "missing or its key cannot be read"),
        ({"client_cert": certificate, "client_key": tmp_path / "empty"}, "cannot be used with the key"),
        ({"client_cert": locked[0], "client_key": locked[1]}, "locked with a password"),
        ({"client_key": key}, "has no certificate"),
        ({"keylog": missing / "keys"}, "key log file .* cannot be written"),
    ]:
        with pytest.raises(CertificateError, match=words):
            upstream_context(**arguments)


def test_keys_of_the_upstream_are_logged(root: Made, tmp_path: Path) -> None:
    trusted, _ = root.write(tmp_path, "root")
    context = upstream_context(trusted, keylog=tmp_path / "keys")
    handshake(server_context(make(HOST, ec_key(), root, names=(HOST,)), tmp_path), context, HOST)
    assert "CLIENT_TRAFFIC_SECRET_0" in (tmp_path / "keys").read_text()


def test_imap_is_offered_unless_told_otherwise(authority: Authority) -> None:
    server = ServerContexts(authority, HOST).context
    for alpn, agreed in ((True, "imap"), (False, None)):
        context = upstream_context(authority.certificate_file, alpn=alpn)
        assert handshake(server, context, HOST)[1].selected_alpn_protocol() == agreed


def failure(server: ssl.SSLContext, client: ssl.SSLContext) -> ssl.SSLError:
    with pytest.raises(ssl.SSLError) as caught:
        handshake(server, client, HOST)
    return caught.value


@pytest.mark.parametrize(
    ("kind", "sentence", "option"),
    [
        ("expired", "has expired", "--upstream-fingerprint SHA256"),
        ("early", "is not valid yet", "clock"),
        ("self-signed", "is self-signed", "--upstream-ca FILE"),
        ("self-signed root", "issuer that is not trusted", "--upstream-ca FILE"),
        ("unknown", "issuer that is not trusted", "--upstream-ca FILE"),
        ("other name", "is for another name", "--upstream-name NAME"),
        ("no ca", "was refused", "--upstream-fingerprint SHA256"),
    ],
)
def test_really_bad_certificates_are_explained(
    kind: str, sentence: str, option: str, root: Made, tmp_path: Path
) -> None:
    trusted, _ = root.write(tmp_path, "root")
    stranger = make("Stranger", ec_key(), ca=True)
    no_ca = make("no CA", ec_key(), root)
    chain: tuple[Made, ...] = ()
    if kind == "expired":
        leaf = make(HOST, ec_key(), root, names=(HOST,), end=now() - DAY)
    elif kind == "early":
        leaf = make(HOST, ec_key(), root, names=(HOST,), start=now() + DAY)
    elif kind == "self-signed":
        leaf = make(HOST, ec_key(), names=(HOST,))
    elif kind == "self-signed root":
        leaf, chain = make(HOST, ec_key(), stranger, names=(HOST,)), (stranger,)
    elif kind == "unknown":
        leaf = make(HOST, ec_key(), stranger, names=(HOST,))
    elif kind == "other name":
        leaf = make(HOST, ec_key(), root, names=("elsewhere.example",))
    else:
        leaf, chain = make(HOST, ec_key(), no_ca, names=(HOST,)), (no_ca,)
    error = failure(server_context(leaf, tmp_path, *chain), upstream_context(trusted))
    said, hint = explain(error, HOST)
    assert said.startswith(f"The certificate of {HOST} ")
    assert sentence in said
    assert option in hint


def answered_with(answer: bytes) -> ssl.SSLError:
    """What a TLS client raises that gets ``answer`` to its hello."""
    incoming = ssl.MemoryBIO()
    client = upstream_context(fingerprint="0" * 64).wrap_bio(incoming, ssl.MemoryBIO(), server_hostname=HOST)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    incoming.write(answer)
    incoming.write_eof()
    with pytest.raises(ssl.SSLError) as caught:
        client.do_handshake()
    return caught.value


def test_plain_text_on_a_tls_port_is_explained() -> None:
    said, hint = explain(answered_with(b"* OK IMAP4rev1 ready\r\n"), HOST)
    assert said == f"{HOST} answered in plain text where TLS was expected."
    assert "imap://" in hint


def test_a_hang_up_in_the_handshake_is_explained() -> None:
    for error in (answered_with(b""), ConnectionResetError(104, "Connection reset by peer"), EOFError()):
        assert explain(error, HOST)[0] == f"{HOST} closed the connection before TLS was set up."


def test_alerts_are_explained() -> None:
    assert "no TLS version or cipher" in explain(answered_with(b"\x15\x03\x01\x00\x02\x02\x46"), HOST)[0]
    assert "wants a client certificate" in explain(answered_with(b"\x15\x03\x03\x00\x02\x02\x2a"), HOST)[0]
    assert "internal error" in explain(answered_with(b"\x15\x03\x03\x00\x02\x02\x50"), HOST)[0]


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (socket.gaierror(-2, "Name or service not known"), "was not found"),
        (ConnectionRefusedError(111, "Connection refused"), "refused the connection"),
        (TimeoutError(), "did not answer in time"),
        (OSError(113, "No route to host"), "no route to host"),
        (RuntimeError("secret"), "(RuntimeError)"),
        (ssl.SSLError(), "no reason given"),
        (ssl.SSLCertVerificationError(), "certificate verify failed"),
    ],
)
def test_everything_else_is_explained_too(error: Exception, sentence: str) -> None:
    said, hint = explain(error, HOST)
    assert HOST in said
    assert sentence in said
    assert "secret" not in said
    assert hint.endswith(".")


def test_our_own_errors_explain_themselves() -> None:
    assert explain(CertificateError("What.", "Do."), HOST) == ("What.", "Do.")


def test_a_client_that_refuses_us_is_explained(authority: Authority) -> None:
    server, client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server_end = ServerContexts(authority, HOST).context.wrap_bio(server, client, server_side=True)
    client_end = upstream_context().wrap_bio(client, server, server_hostname=HOST)
    with pytest.raises(ssl.SSLWantReadError):
        client_end.do_handshake()
    with pytest.raises(ssl.SSLWantReadError):
        server_end.do_handshake()
    with pytest.raises(ssl.SSLCertVerificationError):
        client_end.do_handshake()
    with pytest.raises(ssl.SSLError) as caught:
        server_end.do_handshake()
    said, hint = explain_client(caught.value)
    assert said == "The client refused our certificate (tlsv1 alert unknown ca)."
    assert "imaptap ca" in hint


@pytest.mark.parametrize(
    ("first", "sentence"),
    [
        (b"a1 CAPABILITY\r\n", "spoke plain text"),
        (b"", "closed the connection during"),
        (b"\x16\x03\x01\x00\x04\x01\x00\x00\x00", "TLS with the client failed"),
    ],
)
def test_what_a_client_begins_with_is_explained(authority: Authority, first: bytes, sentence: str) -> None:
    incoming = ssl.MemoryBIO()
    incoming.write(first)
    incoming.write_eof()
    server = ServerContexts(authority, HOST).context.wrap_bio(incoming, ssl.MemoryBIO(), server_side=True)
    with pytest.raises(ssl.SSLError) as caught:
        server.do_handshake()
    assert sentence in explain_client(caught.value)[0]


def test_a_client_too_old_is_explained(authority: Authority) -> None:
    old = ssl.SSLError()
    old.reason = "UNSUPPORTED_PROTOCOL"
    assert "TLS 1.2" in explain_client(old)[1]
