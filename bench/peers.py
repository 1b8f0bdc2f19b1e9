"""The proxies that are measured: how each is configured and started. imaptap is one of them."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.ground import Certificates


@dataclass(frozen=True)
class Place:
    """What a proxy is given: a folder, a port to listen on (the nine after it are its own too), the upstream."""

    folder: Path
    port: int
    upstream: int
    upstream_plain: int
    certificates: Certificates

    def put(self, name: str, text: str) -> str:
        """A configuration file in its folder."""
        (self.folder / name).write_text(text)
        return str(self.folder / name)


@dataclass(frozen=True)
class Spec:
    """How to start it, what it needs, what it records and where."""

    command: list[str]
    records: str = "nothing"
    record_paths: list[Path] = field(default_factory=list[Path])
    env: dict[str, str] = field(default_factory=dict[str, str])
    helpers: list[list[str]] = field(default_factory=list[list[str]])

    def missing(self) -> str | None:
        """The program that is not installed, if so."""
        return None if not self.command or shutil.which(self.command[0]) else self.command[0]


def imaptap(place: Place, words: tuple[str, ...] = ()) -> Spec:
    """Ours, recording into one SQLite file."""
    record, tls = place.folder / "record", place.certificates
    record.mkdir()
    beside = Path(sys.executable).parent / "imaptap"
    command = [str(beside) if beside.exists() else "imaptap", "record", f"imaps://localhost:{place.upstream}"]
    command += ["--listen", f"imaps://127.0.0.1:{place.port}", "--upstream-ca", str(tls.ca)]
    command += ["--leaf", f"localhost={tls.cert},{tls.key}", "--db", str(record / "record.db"), "-q", *words]
    return Spec(command, "every exchange and every byte", [record], {"IMAPTAP_HOME": str(place.folder / "home")})


def imaptap_asyncio(place: Place) -> Spec:
    """The same on plain asyncio, which is the fallback where no wheel of the faster transport exists."""
    return imaptap(place, ("--transport", "asyncio"))


def haproxy(place: Place) -> Spec:
    """TCP mode, TLS on both sides; the measure for CPU and throughput."""
    config = place.put(
        "haproxy.cfg",
        f"""global
    maxconn 9000
defaults
    mode tcp
    timeout connect 10s
    timeout client 1h
    timeout server 1h
frontend imaps
    bind 127.0.0.1:{place.port} ssl crt {place.certificates.both}
    default_backend up
backend up
    server s 127.0.0.1:{place.upstream} ssl verify required ca-file {place.certificates.ca} sni str(localhost) """
        "verifyhost localhost\n",
    )
    return Spec(["haproxy", "-q", "-db", "-f", config])


def stunnel(place: Place) -> Spec:
    """Two services back to back in one process: TLS to TCP to TLS."""
    config = place.put(
        "stunnel.conf",
        f"""foreground = yes
pid =
debug = 3
socket = l:TCP_NODELAY=1
socket = r:TCP_NODELAY=1
[server]
accept = 127.0.0.1:{place.port}
connect = 127.0.0.1:{place.port + 1}
cert = {place.certificates.cert}
key = {place.certificates.key}
[client]
client = yes
accept = 127.0.0.1:{place.port + 1}
connect = 127.0.0.1:{place.upstream}
CAfile = {place.certificates.ca}
verifyChain = yes
checkHost = localhost
""",
    )
    return Spec(["stunnel", config])


def socat(place: Place) -> Spec:
    """One process a connection."""
    listen = f"OPENSSL-LISTEN:{place.port},bind=127.0.0.1,reuseaddr,fork,backlog=4096,nodelay"
    dial = f"OPENSSL:127.0.0.1:{place.upstream},cafile={place.certificates.ca},commonname=localhost,nodelay"
    return Spec(["socat", "-b", "65536", f"{listen},cert={place.certificates.both},verify=0", dial])


def sslsplit(place: Place) -> Spec:
    """Forged certificates; each connection's bytes go to a file of their own."""
    content, tls = place.folder / "content", place.certificates
    content.mkdir()
    command = ["sslsplit", "-k", str(tls.ca_key), "-c", str(tls.ca), "-K", str(tls.key), "-u", "root"]
    command += ["-F", f"{content}/%T-%s-%d.log", "ssl", "127.0.0.1", str(place.port), "127.0.0.1", str(place.upstream)]
    return Spec(command, "raw bytes, one file a connection, no structure", [content])


def mitmdump(place: Place) -> Spec:
    """mitmproxy in raw TCP mode; the measure for what a recorder in Python costs."""
    flows, config = place.folder / "flows", place.folder / "conf"
    config.mkdir()
    program = os.environ.get("MITMDUMP", "mitmdump")
    command = [program, "-q", "--listen-host", "127.0.0.1", "-w", str(flows)]
    command += ["--mode", f"reverse:tls://localhost:{place.upstream}@{place.port}", "--set", f"confdir={config}"]
    command += ["--certs", f"*={place.certificates.both}"]
    command += ["--set", f"ssl_verify_upstream_trusted_ca={place.certificates.ca}"]
    return Spec(command, "raw TCP messages, in memory until the connection ends", [flows])


def emailproxy(place: Place) -> Spec:
    """email-oauth2-proxy: reads IMAP lines, turns LOGIN into XOAUTH2 with a token from a stub."""
    config = place.put(
        "emailproxy.config",
        f"""[Server setup]
[IMAP-{place.port}]
server_address = localhost
server_port = {place.upstream}
local_address = 127.0.0.1
local_certificate_path = {place.certificates.cert}
local_key_path = {place.certificates.key}
[Account setup]
[user@example.org]
token_url = http://127.0.0.1:{place.port + 1}/token
oauth2_scope = bench
oauth2_flow = password
redirect_uri = http://localhost
client_id = bench
client_secret = bench
[emailproxy]
encrypt_client_secret_on_first_use = False
""",
    )
    stub = str(Path(__file__).resolve().parent / "token_stub.py")
    command = [os.environ.get("EMAILPROXY", "emailproxy"), "--no-gui", "--config-file", config]
    command += ["--cache-store", str(place.folder / "cache.config")]
    helper = [sys.executable, stub, str(place.port + 1)]
    return Spec(command, env={"SSL_CERT_FILE": str(place.certificates.ca)}, helpers=[helper])


OURS: dict[str, Callable[[Place], Spec]] = {"imaptap": imaptap, "imaptap-asyncio": imaptap_asyncio}
PEERS: dict[str, Callable[[Place], Spec]] = {
    "haproxy": haproxy,
    "mitmdump": mitmdump,
    "stunnel": stunnel,
    "socat": socat,
    "sslsplit": sslsplit,
    "emailproxy": emailproxy,
}
USUAL = ("imaptap", "haproxy", "mitmdump", "stunnel", "sslsplit")
"""What is measured when nothing else is said."""
