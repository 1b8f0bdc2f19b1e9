"""What every run stands on: the load generator, certificates, and an upstream that answers from memory."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from processes import Program

HERE = Path(__file__).resolve().parent
EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


@dataclass(frozen=True)
class Certificates:
    """The rig's authority and a certificate for localhost under it; `both` has certificate and key in one file."""

    ca: Path
    ca_key: Path
    cert: Path
    key: Path
    both: Path


def build(work: Path) -> Path:
    """Compile the load generator."""
    program = work / "imapbench"
    _run("cc", "-O2", "-pthread", "-o", str(program), str(HERE / "imapbench.c"), "-lssl", "-lcrypto")
    return program


def make_certificates(folder: Path) -> Certificates:
    """With the openssl command, as ECDSA P-256."""
    made = Certificates(*(folder / name for name in ("ca.pem", "ca.key", "srv.pem", "srv.key", "srv-all.pem")))
    request, extensions = folder / "srv.csr", folder / "srv.ext"
    _run(
        *("openssl", "req", "-x509", *EC, "-keyout", str(made.ca_key), "-out", str(made.ca), "-subj", "/CN=bench CA"),
        *("-days", "30", "-addext", "basicConstraints=critical,CA:TRUE"),
        *("-addext", "keyUsage=critical,keyCertSign,cRLSign"),
    )
    _run("openssl", "req", *EC, "-keyout", str(made.key), "-out", str(request), "-subj", "/CN=localhost")
    extensions.write_text(
        "subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n"
        "keyUsage=digitalSignature\nextendedKeyUsage=serverAuth\n"
    )
    _run(
        *("openssl", "x509", "-req", "-in", str(request), "-CA", str(made.ca), "-CAkey", str(made.ca_key)),
        *("-CAcreateserial", "-days", "30", "-extfile", str(extensions), "-out", str(made.cert)),
    )
    made.both.write_text(made.cert.read_text() + made.key.read_text())
    return made


def start_upstreams(work: Path, program: Path, certificates: Certificates, port: int) -> list[Program]:
    """The same server twice: TLS on `port`, clear text on the one after it."""
    tls = ["--cert", str(certificates.cert), "--key", str(certificates.key)]
    started = [
        Program("upstream", [str(program), "serve", "--port", str(port), *tls], work / "upstream.log"),
        Program("upstream-plain", [str(program), "serve", "--port", str(port + 1), "--plain"], work / "plain.log"),
    ]
    for number, upstream in enumerate(started):
        upstream.wait_port(port + number)
    return started


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[0]}: {done.stderr.strip()[-800:]}")
