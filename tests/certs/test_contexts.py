import datetime as dt
import os
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509

from certs.authority import Authority
from certs.contexts import OwnLeaf, ServerContexts
from certs.errors import CertificateError
from tests.certs.making import DAY, Made, ec_key, handshake, make, now, rsa_key, strict_client

UPSTREAM = "mail.example.com"


def unchecked() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def shown(client: ssl.SSLObject) -> x509.Certificate:
    return x509.load_der_x509_certificate(client.getpeercert(binary_form=True) or b"")


def first_san(client: ssl.SSLObject) -> str:
    names = shown(client).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return str(next(iter(names)).value)


@pytest.fixture
def contexts(authority: Authority) -> ServerContexts:
    return ServerContexts(authority, UPSTREAM)


@pytest.mark.parametrize("name", [UPSTREAM, "other.example", "bücher.example", "localhost", "127.0.0.1", "::1"])
def test_a_strict_client_accepts_us_under_the_name_it_asks_for(
    authority: Authority, contexts: ServerContexts, name: str
) -> None:
    server, client = handshake(contexts.context, strict_client(authority.certificate_file), name)
    assert client.version() == "TLSv1.3"
    asked = None if name in {"127.0.0.1", "::1"} else name.encode("idna").decode()
    assert contexts.name_of(server.context) == asked
    assert first_san(client) == (asked or UPSTREAM)


def test_no_server_name_is_not_the_same_as_the_default_one(contexts: ServerContexts) -> None:
    without, client = handshake(contexts.context, unchecked(), None)
    assert contexts.name_of(without.context) is None
    assert first_san(client) == UPSTREAM
    asked, client = handshake(contexts.context, unchecked(), UPSTREAM)
    assert contexts.name_of(asked.context) == UPSTREAM
    assert first_san(client) == UPSTREAM


def test_a_context_of_somebody_else_has_no_name(contexts: ServerContexts) -> None:
    assert contexts.name_of(unchecked()) is None
    assert contexts.name_of(None) is None


@pytest.mark.parametrize("name", ["two words", "a" * 64, "x." * 128, "<script>", "..", "*", "\x1b[2J", ""])
def test_a_name_no_certificate_can_hold_gets_the_default_one(contexts: ServerContexts, name: str) -> None:
    context = contexts.for_name(name)
    _, client = handshake(context, unchecked(), None)
    assert first_san(client) == UPSTREAM
    assert contexts.name_of(context) == name.lower()


@pytest.mark.parametrize("name", ["two words", "a" * 60 + "!", "<b>"])
def test_such_a_name_over_the_wire(contexts: ServerContexts, name: str) -> None:
    server, client = handshake(contexts.context, unchecked(), name)
    assert first_san(client) == UPSTREAM
    assert contexts.name_of(server.context) == name


def test_a_context_is_made_once_for_a_name(contexts: ServerContexts) -> None:
    assert contexts.for_name("a.example") is contexts.for_name("A.example")
    assert contexts.for_name("a.example") is not contexts.for_name("b.example")
    assert contexts.for_name(None) is contexts.for_name(None)
    assert contexts.for_name(None) is not contexts.for_name(UPSTREAM)


def test_endless_names_do_not_grow_memory(contexts: ServerContexts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contexts, "_limit", 3)
    kept = contexts.for_name("first.example")
    for number in range(5):
        contexts.for_name("first.example")
        contexts.for_name(f"{number}.example")
    assert len(contexts) == 3
    assert contexts.for_name("first.example") is kept
    contexts.for_name("4.example")
    contexts.for_name("5.example")
    contexts.for_name("6.example")
    assert contexts.for_name("first.example") is not kept
    assert contexts.name_of(kept) == "first.example"


def test_the_bounds_are_as_documented(authority: Authority, tmp_path: Path) -> None:
    assert ServerContexts(authority, UPSTREAM)._limit == 256
    assert ServerContexts(authority, UPSTREAM, keylog=tmp_path / "keys")._limit == 64


class Clock:
    def __init__(self) -> None:
        self.time = now()

    def __call__(self) -> dt.datetime:
        return self.time


def test_a_leaf_is_made_anew_long_before_it_ends(home: Path) -> None:
    clock = Clock()
    contexts = ServerContexts(Authority.load_or_create(clock=clock), UPSTREAM)
    first = contexts.for_name("a.example")
    clock.time += 90 * DAY
    assert contexts.for_name("a.example") is first
    clock.time += 20 * DAY
    second = contexts.for_name("a.example")
    assert second is not first
    assert contexts.for_name("a.example") is second
    _, client = handshake(second, unchecked(), None)
    assert shown(client).not_valid_after_utc > clock.time + 190 * DAY


def test_an_authority_that_ends_while_we_run_still_serves(home: Path) -> None:
    clock = Clock()
    contexts = ServerContexts(Authority.load_or_create(clock=clock), UPSTREAM)
    clock.time += 4000 * DAY
    context = contexts.for_name("a.example")
    assert contexts.for_name("a.example") is context
    _, client = handshake(context, unchecked(), None)
    assert shown(client).not_valid_after_utc < clock.time


def test_extra_names_stand_in_every_leaf(authority: Authority) -> None:
    contexts = ServerContexts(authority, UPSTREAM, extra_names=["laptop.local", "192.0.2.7"])
    for name in ("laptop.local", "192.0.2.7", UPSTREAM):
        handshake(contexts.for_name(None), strict_client(authority.certificate_file), name)


def chain_of(kind: Callable[[], object]) -> tuple[Made, Made]:
    root = make("Root", kind(), ca=True)  # type: ignore[arg-type]
    return root, make("Middle", kind(), root, ca=True, path_length=0)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", [rsa_key, ec_key])
def test_an_own_authority_is_accepted_by_who_trusts_its_root(kind: Callable[[], object], home: Path) -> None:
    home.mkdir()
    root, middle = chain_of(kind)
    trusted, _ = root.write(home, "root")
    for authority in (Authority.load(*root.write(home, "a")), Authority.load(*middle.write(home, "b", root))):
        contexts = ServerContexts(authority, UPSTREAM)
        handshake(contexts.context, strict_client(trusted), UPSTREAM)


@pytest.mark.parametrize(("version", "name"), [("TLSv1_2", "TLSv1.2"), ("TLSv1_3", "TLSv1.3")])
def test_tls_1_2_and_1_3_are_spoken(contexts: ServerContexts, version: str, name: str) -> None:
    client = unchecked()
    client.minimum_version = client.maximum_version = ssl.TLSVersion[version]
    assert handshake(contexts.context, client, "a.example")[0].version() == name


def test_nothing_older_is_spoken(contexts: ServerContexts) -> None:
    assert contexts.context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert contexts.for_name("a.example").minimum_version == ssl.TLSVersion.TLSv1_2


def test_imap_is_agreed_to_and_other_protocols_do_not_hurt(contexts: ServerContexts) -> None:
    for offered, agreed in ((["imap"], "imap"), (["http/1.1"], None)):
        client = unchecked()
        client.set_alpn_protocols(offered)
        for context in (contexts.context, contexts.for_name("a.example")):
            assert handshake(context, client, "a.example")[0].selected_alpn_protocol() == agreed


def test_a_session_is_resumed_under_its_name(contexts: ServerContexts) -> None:
    client = unchecked()
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    _, first = handshake(contexts.for_name("a.example"), client, "a.example")
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = contexts.for_name("a.example").wrap_bio(to_server, to_client, server_side=True)
    again = client.wrap_bio(to_client, to_server, server_hostname="a.example", session=first.session)
    for _ in range(3):
        for end in (again, server):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    assert again.session_reused


def test_an_own_leaf_is_served_for_its_name_only(authority: Authority, tmp_path: Path) -> None:
    root, middle = chain_of(ec_key)
    leaf = make("own", rsa_key(), middle, names=("own.example",))
    own = OwnLeaf(*leaf.write(tmp_path, "own", middle))
    contexts = ServerContexts(authority, UPSTREAM, own_leaves={"Own.Example": own})
    trusted, _ = root.write(tmp_path, "root")
    server, client = handshake(contexts.context, strict_client(trusted), "own.example")
    assert shown(client) == leaf.certificate
    assert contexts.name_of(server.context) == "own.example"
    handshake(contexts.context, strict_client(authority.certificate_file), "other.example")


def test_an_own_leaf_for_the_default_name_serves_who_asks_for_none(authority: Authority, tmp_path: Path) -> None:
    leaf = make("own", ec_key(), names=(UPSTREAM,))
    contexts = ServerContexts(authority, UPSTREAM, own_leaves={UPSTREAM: OwnLeaf(*leaf.write(tmp_path, "own"))})
    assert shown(handshake(contexts.context, unchecked(), None)[1]) == leaf.certificate


def test_own_leaves_that_cannot_be_used(authority: Authority, tmp_path: Path) -> None:
    certificate, key = make("own", ec_key(), names=("own.example",)).write(tmp_path, "own")
    _, other = make("other", ec_key()).write(tmp_path, "other")
    locked = make("own", ec_key()).write(tmp_path, "locked", password=b"open sesame")
    (tmp_path / "empty").write_text("")
    for leaf, words in [
        (OwnLeaf(tmp_path / "missing", key), r"missing or the key .* cannot be read"),
        (OwnLeaf(certificate, other), "cannot be used together"),
        (OwnLeaf(tmp_path / "empty", key), "cannot be used together"),
        (OwnLeaf(*locked), "locked with a password"),
        (OwnLeaf(*locked, password=b"wrong"), r"locked\.key cannot be unlocked with the password given"),
    ]:
        with pytest.raises(CertificateError, match=words):
            ServerContexts(authority, UPSTREAM, own_leaves={"own.example": leaf})
    ServerContexts(authority, UPSTREAM, own_leaves={"own.example": OwnLeaf(*locked, password=b"open sesame")})
    assert "sesame" not in repr(OwnLeaf(*locked, password=b"open sesame"))


def test_names_that_are_none_are_refused_at_once(authority: Authority) -> None:
    with pytest.raises(CertificateError, match="'two words'"):
        ServerContexts(authority, "two words")


def test_a_limited_authority_says_so_at_once(home: Path) -> None:
    authority = Authority.load_or_create(permitted=[UPSTREAM])
    with pytest.raises(CertificateError, match=r"limited to other names than elsewhere\.example"):
        ServerContexts(authority, "elsewhere.example")
    contexts = ServerContexts(authority, UPSTREAM)
    # Asked for a name it may not speak for, it shows the default one: a client then says so, and not 'bad CA'.
    assert first_san(handshake(contexts.context, unchecked(), "elsewhere.example")[1]) == UPSTREAM
    handshake(contexts.context, strict_client(authority.certificate_file), UPSTREAM)


def test_keys_are_logged_for_every_name_and_nobody_else_reads_them(authority: Authority, tmp_path: Path) -> None:
    keylog = tmp_path / "keys.log"
    before = os.umask(0)
    try:
        contexts = ServerContexts(authority, UPSTREAM, keylog=keylog)
    finally:
        os.umask(before)
    assert keylog.stat().st_mode & 0o777 == 0o600
    handshake(contexts.context, unchecked(), None)
    assert keylog.read_text().count("CLIENT_TRAFFIC_SECRET_0 ") == 1
    handshake(contexts.context, unchecked(), "a.example")
    assert keylog.read_text().count("CLIENT_TRAFFIC_SECRET_0 ") == 2


def test_a_key_log_that_cannot_be_written_is_named(authority: Authority, tmp_path: Path) -> None:
    with pytest.raises(CertificateError, match=r"key log file .* cannot be written"):
        ServerContexts(authority, UPSTREAM, keylog=tmp_path / "missing" / "keys.log")


def test_the_environment_makes_no_key_log(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys.log"))
    handshake(ServerContexts(authority, UPSTREAM).context, unchecked(), None)
    assert not (tmp_path / "keys.log").exists()


def test_a_key_log_that_vanishes_later_costs_no_session(authority: Authority, tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    contexts = ServerContexts(authority, UPSTREAM, keylog=folder / "keys.log")
    (folder / "keys.log").unlink()
    folder.rmdir()
    assert first_san(handshake(contexts.for_name("a.example"), unchecked(), None)[1]) == UPSTREAM


def test_leaf_keys_leave_nothing_on_the_disk(authority: Authority, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = sorted(home.iterdir())
    ServerContexts(authority, UPSTREAM).for_name("a.example")
    assert sorted(home.iterdir()) == files
    # Where there is no anonymous memory, a private file does it, and goes.
    monkeypatch.delattr(os, "memfd_create")
    seen: list[int] = []
    original = ssl.SSLContext.load_cert_chain

    def watched(self: ssl.SSLContext, path: str) -> None:
        seen.append(Path(path).stat().st_mode & 0o777)
        assert Path(path).parent == home
        original(self, path)

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", watched)
    contexts = ServerContexts(authority, UPSTREAM)
    assert set(seen) == {0o600}
    assert sorted(home.iterdir()) == files
    handshake(contexts.context, strict_client(authority.certificate_file), UPSTREAM)
