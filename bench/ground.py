"""What every run stands on: the load generator, certificates, ports."""

from __future__ import annotations

import contextlib
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

LOAD = Path(__file__).resolve().parent / "load"
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
    sources = sorted(str(file) for file in LOAD.glob("*.c"))
    run("cc", "-O2", "-pthread", "-o", str(program), *sources, "-lssl", "-lcrypto")
    return program


def make_certificates(folder: Path) -> Certificates:
    """With the openssl command, as ECDSA P-256."""
    made = Certificates(*(folder / name for name in ("ca.pem", "ca.key", "srv.pem", "srv.key", "srv-all.pem")))
    request, extensions = folder / "srv.csr", folder / "srv.ext"
    run(
        *("openssl", "req", "-x509", *EC, "-keyout", str(made.ca_key), "-out", str(made.ca), "-subj", "/CN=bench CA"),
        *("-days", "30", "-addext", "basicConstraints=critical,CA:TRUE"),
        *("-addext", "keyUsage=critical,keyCertSign,cRLSign"),
    )
    run("openssl", "req", *EC, "-keyout", str(made.key), "-out", str(request), "-subj", "/CN=localhost")
    extensions.write_text(
        "subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n"
        "keyUsage=digitalSignature\nextendedKeyUsage=serverAuth\n"
    )
    run(
        *("openssl", "x509", "-req", "-in", str(request), "-CA", str(made.ca), "-CAkey", str(made.ca_key)),
        *("-CAcreateserial", "-days", "30", "-extfile", str(extensions), "-out", str(made.cert)),
    )
    made.both.write_text(made.cert.read_text() + made.key.read_text())
    return made


def free_ports(targets: int) -> int:
    """A port that is free with the one after it, as are those that follow by hundreds, one for each target."""
    for base in range(22_000, 32_000, 1_000):  # below those that systems give to connections
        ports = [base, base + 1, *(base + 100 * number for number in range(1, targets + 1))]
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            for port in ports:
                stack.enter_context(socket.create_server(("127.0.0.1", port)))
            return base
    raise RuntimeError("no range of ports is free between 22000 and 32000")


def run(*command: str) -> None:
    """A command that must succeed."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[0]}: {done.stderr.strip()[-800:]}")
