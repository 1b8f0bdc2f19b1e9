"""Does a strict mail client accept the certificate that is shown at an address? Asked by being such a client."""

import datetime as dt
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from certs.engine import Context, plain_context
from certs.errors import CertificateError
from certs.explain import explain
from certs.loading import read_certificates
from certs.names import address_of

# A greeting and two answers; whoever sends more is no IMAP server that we could talk to.
_LINE_MAX = 1 << 16
_UNTAGGED_MAX = 100


@dataclass(frozen=True)
class CheckResult:
    """What a strict client found.

    ``accepted`` with ``names`` (of the certificate), ``issuer``, ``days_left``, ``tls`` version and ``cipher``; or not,
    with ``reason``, one sentence that says why.
    """

    accepted: bool
    reason: str | None = None
    names: tuple[str, ...] = ()
    issuer: str | None = None
    days_left: int | None = None
    tls: str | None = None
    cipher: str | None = None


class UnreachableError(CertificateError):
    """Nothing could be said about the certificate: no connection, or no TLS at that address."""


def check(
    host: str, port: int, server_name: str, ca_file: Path, starttls: bool = False, timeout: float = 10.0
) -> CheckResult:
    """Connect to ``host``:``port`` as the strictest client and verify the certificate for ``server_name``.

    In: ``ca_file``, the only certificates trusted; ``starttls``, whether TLS begins after STARTTLS (RFC 9051 6.2.1)
    or at once; ``timeout`` in seconds for each wait. Blocks. Raises UnreachableError when no certificate was seen, and
    CertificateError for a ``ca_file`` that cannot be used.
    """
    context = _strict(ca_file)
    address = f"{host}:{port}"
    try:
        with socket.create_connection((host, port), timeout) as connection:
            if starttls:
                _ask_for_tls(connection, address)
            with context.wrap_socket(connection, server_hostname=server_name) as tls:
                return _accepted(tls)
    except ssl.SSLCertVerificationError as error:
        return CheckResult(accepted=False, reason=_refusal(error, server_name))
    except (OSError, ValueError) as error:
        sentence, _ = explain(error, address)
        raise UnreachableError(
            sentence, "Check that imaptap listens there, and whether it needs --starttls."
        ) from error


def _strict(ca_file: Path) -> Context:
    read_certificates(ca_file)
    context = plain_context(ssl.PROTOCOL_TLS_CLIENT)
    # The default of Python 3.13: RFC 5280 to the letter, which older clients only ask for in part.
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    context.hostname_checks_common_name = False
    context.load_verify_locations(cafile=ca_file)
    return context


def _refusal(error: ssl.SSLCertVerificationError, server_name: str) -> str:
    detail = error.verify_message.rstrip(".") or "certificate verify failed"
    return f"A strict client refuses the certificate for {server_name}: {detail}."


def _accepted(tls: ssl.SSLSocket) -> CheckResult:
    der = tls.getpeercert(binary_form=True)
    cipher = tls.cipher()
    certificate = x509.load_der_x509_certificate(der or b"")
    left = certificate.not_valid_after_utc - dt.datetime.now(dt.UTC)
    return CheckResult(
        accepted=True,
        names=_names(certificate),
        issuer=certificate.issuer.rfc4514_string(),
        days_left=left.days,
        tls=tls.version(),
        cipher=cipher[0] if cipher else None,
    )


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return (
        *names.get_values_for_type(x509.DNSName),
        *(str(address) for address in names.get_values_for_type(x509.IPAddress)),
    )


def _ask_for_tls(connection: socket.socket, address: str) -> None:
    """The plain part: greeting, STARTTLS, its answer. Raises UnreachableError unless TLS may begin."""
    buffer = bytearray()
    greeting = _line(connection, buffer, address)
    if not greeting.upper().startswith(b"* OK"):
        raise _no_starttls(address, greeting)
    connection.sendall(b"a1 STARTTLS\r\n")
    answer = _line(connection, buffer, address)
    for _ in range(_UNTAGGED_MAX):
        if answer.startswith(b"a1 "):
            break
        answer = _line(connection, buffer, address)
    if not answer.upper().startswith(b"A1 OK"):
        raise _no_starttls(address, answer)
    # RFC 9051 6.2.1: nothing of the plain part may be carried over into TLS.
    if buffer:
        raise UnreachableError(
            f"{address} sent {len(buffer)} more bytes in clear after it agreed to STARTTLS.",
            "Whatever sits there is broken or attacked; do not log in through it.",
        )


def _line(connection: socket.socket, buffer: bytearray, address: str) -> bytes:
    """The next line, without its end; what came after it stays in ``buffer``."""
    while (end := buffer.find(b"\n")) < 0:
        chunk = connection.recv(4096)
        if not chunk or len(buffer) > _LINE_MAX:
            raise UnreachableError(
                f"{address} does not speak IMAP in clear: it sent {len(buffer)} bytes and no whole line.",
                "Leave out --starttls if TLS begins at once on this port.",
            )
        buffer += chunk
    line = bytes(buffer[:end]).rstrip(b"\r")
    del buffer[: end + 1]
    return line


def _no_starttls(address: str, answer: bytes) -> UnreachableError:
    return UnreachableError(
        f"{address} does not offer STARTTLS: it said {answer[:80].decode('ascii', 'backslashreplace')!r}.",
        "Leave out --starttls if TLS begins at once on this port.",
    )


def host_and_port(text: str) -> tuple[str, int]:
    """``HOST:PORT`` or ``[V6]:PORT`` taken apart. Raises ValueError when it is neither."""
    host, _, port = text.rpartition(":")
    address = address_of(host)
    number = int(port) if port.isascii() and port.isdigit() else 0
    # Without brackets ::1:993 could be an address as well as an address and a port.
    if not host or not 0 < number < 1 << 16 or (":" in host and not host.startswith("[")):
        raise ValueError(text)
    return (host if address is None else str(address)), number
