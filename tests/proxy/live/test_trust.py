"""Who is trusted: certificates on both legs, fingerprints, client certificates (M 6.11, 6.13)."""

from __future__ import annotations

import hashlib
import ssl
from contextlib import closing
from pathlib import Path

import pytest

from proxy.imap.transcript import Ending, EventKind
from proxy.live.settings import UpstreamTrust
from tests.certs.making import ec_key, make
from tests.proxy.live.conftest import MakeRig
from tests.proxy.live.rig import Careless
from tests.servers.certificates import Identity, make_identity
from tests.servers.scripted import ScriptedServer, dial

LISTEN = ["imaps", "imap", "imap+insecure"]
BYE = "S: * BYE imaptap: ...\nEOF"


@pytest.fixture(scope="module")
def expired(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    """Of yesterday."""
    return make_identity(tmp_path_factory.mktemp("expired"), ends_in_days=-1)


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    """For another name."""
    return make_identity(tmp_path_factory.mktemp("foreign"), ("mail.example.org",))


IN_CLEAR = {
    "imap": ("S: * OK hi\nC: a STARTTLS\nS: a OK\nTLS\nEOF", b"* OK hi\r\n", b"a STARTTLS\r\n"),
    "imaps": ("S: * OK hi\nC: IMAPTAP00 STARTTLS\nS: IMAPTAP00 OK\nTLS\nEOF", b"", b""),
}
"""Servers behind imap:// by listener: what they play, what the client hears first, what it says then."""


def refused(make_rig: MakeRig, shown: Identity, listen: str, trust: UpstreamTrust, upstream: str = "imaps") -> str:
    """What the client reads at a server that shows this identity; record and notices say the same."""
    script, first, then = IN_CLEAR[listen] if upstream == "imap" else ("EOF", b"", b"")
    with (
        Careless(script, shown.server_context(), implicit=upstream == "imaps") as server,
        make_rig(f"{upstream}://localhost:{server.port}", trust=trust) as rig,
        closing(rig.dial(listen)) as client,
    ):
        client.expect(first)
        client.connection.sendall(then)
        bye = client.rest().decode()
        client.close()
        told = rig.told()
    assert told.ending is Ending.FAILED
    assert [event.name for event in told.events(EventKind.FAULT)] == ["session"]
    assert bye.startswith("* BYE imaptap: ")
    assert bye.count("\r\n") == 1
    assert told.closed.reason in bye
    assert rig.said(told.closed.reason)
    return bye


def fingerprint(identity: Identity) -> str:
    """Of its certificate."""
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(identity.cert.read_text())).hexdigest()


@pytest.mark.parametrize("listen", LISTEN)
def test_certificates_that_are_refused(
    make_rig: MakeRig, listen: str, identity: Identity, expired: Identity, foreign: Identity
) -> None:
    """M 6.13: each with its reason, within the client's reach."""
    assert "has expired" in refused(make_rig, expired, listen, UpstreamTrust(ca_file=expired.ca))
    assert "another name" in refused(make_rig, foreign, listen, UpstreamTrust(ca_file=foreign.ca))
    assert "not trusted here" in refused(make_rig, identity, listen, UpstreamTrust())
    wrong = UpstreamTrust(fingerprint="00" * 32)
    assert fingerprint(identity) in refused(make_rig, identity, listen, wrong)


PASSES = "S: * OK hi\nC: a NOOP\nS: a OK\n"


def passes(make_rig: MakeRig, shown: Identity, trust: UpstreamTrust, upstream: str = "imaps") -> None:
    """The same with a certificate that is accepted."""
    upgrade = "S: * OK hi\nC: IMAPTAP00 STARTTLS\nS: IMAPTAP00 OK\nTLS\nC: a NOOP\nS: a OK\nCLOSE"
    script = f"{PASSES}CLOSE" if upstream == "imaps" else upgrade
    with ScriptedServer(script, shown.server_context(), implicit=upstream == "imaps") as server:
        url = f"{upstream}://localhost:{server.port}"
        with make_rig(url, trust=trust) as rig, closing(rig.dial("imaps")) as client:
            client.play(f"{PASSES}EOF")


@pytest.mark.parametrize("upstream", ["imaps", "imap"])
@pytest.mark.usefixtures("our_tag")
def test_certificates_that_are_accepted(make_rig: MakeRig, upstream: str, expired: Identity, foreign: Identity) -> None:
    """A fingerprint accepts just that one, whatever is in it; a name may be given."""
    passes(make_rig, expired, UpstreamTrust(fingerprint=fingerprint(expired)), upstream)
    passes(make_rig, foreign, UpstreamTrust(ca_file=foreign.ca, name="mail.example.org"), upstream)


@pytest.mark.parametrize("listen", ["imap", "imaps"])
@pytest.mark.usefixtures("our_tag")
def test_the_certificate_behind_starttls(
    make_rig: MakeRig, listen: str, identity: Identity, expired: Identity, foreign: Identity
) -> None:
    """Verified in the same way, be STARTTLS the client's or ours; the client reads why, still in clear."""
    assert "has expired" in refused(make_rig, expired, listen, UpstreamTrust(ca_file=expired.ca), "imap")
    assert "another name" in refused(make_rig, foreign, listen, UpstreamTrust(ca_file=foreign.ca), "imap")
    assert "not trusted here" in refused(make_rig, identity, listen, UpstreamTrust(ca_file=foreign.ca), "imap")
    wrong = UpstreamTrust(fingerprint="00" * 32)
    assert fingerprint(identity) in refused(make_rig, identity, listen, wrong, "imap")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_client_that_refuses_our_certificate(make_rig: MakeRig, identity: Identity, version: ssl.TLSVersion) -> None:
    """Before our side of the handshake is done or after it: its reason, and what to do."""
    with (
        Careless("S: * OK hi\nEOF", identity.server_context()) as server,
        make_rig(f"imap+insecure://localhost:{server.port}") as rig,
    ):
        context = ssl.create_default_context()
        context.maximum_version = version
        with pytest.raises(ssl.SSLCertVerificationError):
            dial(rig.port("imaps"), context, implicit=True)
        told = rig.told()
    assert told.ending is Ending.FAILED
    assert "refused our certificate" in told.closed.reason
    assert rig.said("imaptap ca")


def test_a_client_certificate_for_the_upstream(make_rig: MakeRig, identity: Identity, tmp_path: Path) -> None:
    """M 6.11: shown when the server asks for it. Without it the server says no, in TLS 1.3 after the handshake."""
    issuer = make("clients", ec_key(), ca=True)
    ca, _ = issuer.write(tmp_path, "ca")
    certificate, key = make("imaptap", ec_key(), issuer).write(tmp_path, "client")
    context = identity.server_context()
    context.load_verify_locations(ca)
    context.verify_mode = ssl.CERT_REQUIRED
    shown = UpstreamTrust(ca_file=identity.ca, client_cert=certificate, client_key=key)
    for trust, script in ((shown, f"{PASSES}EOF"), (UpstreamTrust(ca_file=identity.ca), BYE)):
        with (
            Careless(f"{PASSES}CLOSE", context, implicit=True) as server,
            make_rig(f"imaps://localhost:{server.port}", trust=trust) as rig,
            closing(rig.dial("imaps")) as client,
        ):
            client.play(script)
            client.close()
            told = rig.told()
    assert "wants a client certificate" in told.closed.reason
