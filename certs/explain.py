"""A failed connection in two sentences: what happened, and which option of ours puts it right."""

import socket
import ssl

from certs.errors import CertificateError

Explained = tuple[str, str]

# X509_V_ERR_*, OpenSSL's x509_vfy.h; the ssl module passes the bare numbers on.
_NOT_YET_VALID, _EXPIRED = 9, 10
_SELF_SIGNED, _SELF_SIGNED_IN_CHAIN = 18, 19
_UNKNOWN_ISSUERS = frozenset({2, 20, 21, 27})
_NAME_MISMATCHES = frozenset({62, 64})

_PIN = "--upstream-fingerprint SHA256"

# Plain text read as a TLS record: OpenSSL 1.1 to 3.1 name the version, 3.2 and later the length or the record.
_NOT_TLS = frozenset(
    {"WRONG_VERSION_NUMBER", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "UNKNOWN_PROTOCOL"}
)
_TOO_OLD = frozenset(
    {
        "UNSUPPORTED_PROTOCOL",
        "TLSV1_ALERT_PROTOCOL_VERSION",
        "NO_PROTOCOLS_AVAILABLE",
        "VERSION_TOO_LOW",
        "NO_SHARED_CIPHER",
        "DH_KEY_TOO_SMALL",
        "INAPPROPRIATE_FALLBACK",
    }
)
_CUT = frozenset({"UNEXPECTED_EOF_WHILE_READING"})
_WANTS_CERTIFICATE = frozenset(
    {"TLSV13_ALERT_CERTIFICATE_REQUIRED", "PEER_DID_NOT_RETURN_A_CERTIFICATE", "SSLV3_ALERT_BAD_CERTIFICATE"}
)
# What clients answer with when they do not like our leaf (RFC 8446 6.2).
_REFUSED_BY_CLIENT = frozenset(
    {
        "TLSV1_ALERT_UNKNOWN_CA",
        "SSLV3_ALERT_CERTIFICATE_UNKNOWN",
        "SSLV3_ALERT_BAD_CERTIFICATE",
        "SSLV3_ALERT_CERTIFICATE_EXPIRED",
        "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE",
        "TLSV1_ALERT_ACCESS_DENIED",
        "TLSV1_ALERT_DECRYPT_ERROR",
    }
)


def explain(error: BaseException, host: str) -> Explained:
    """Why the mail server ``host`` could not be reached or trusted: (sentence, hint).

    In: what connecting raised. Out: always two sentences, also for errors nobody thought of; never raises.
    """
    if isinstance(error, CertificateError):
        return error.message, error.hint
    if isinstance(error, ssl.SSLCertVerificationError):
        return _untrusted(error, host)
    if isinstance(error, ssl.SSLError):
        return _failed_handshake(error, host)
    return _unreachable(error, host)


def explain_client(error: BaseException) -> Explained:
    """Why TLS with a mail client failed: (sentence, hint). In: what its handshake raised. Never raises."""
    reason = _reason(error)
    if reason in _REFUSED_BY_CLIENT:
        return (
            f"The client refused our certificate ({_words(reason)}).",
            "Make the client trust imaptap's CA; `imaptap ca` says how.",
        )
    if reason in _NOT_TLS:
        return (
            "The client spoke plain text where TLS was expected.",
            "Set the client to SSL/TLS on this port, or listen with imap:// for STARTTLS.",
        )
    if reason in _TOO_OLD:
        return (
            f"The client and imaptap have no TLS version or cipher in common ({_words(reason)}).",
            "Set the client to TLS 1.2 or later, or listen with imap+insecure://.",
        )
    if isinstance(error, ssl.SSLError) and reason not in _CUT and not isinstance(error, ssl.SSLEOFError):
        return (
            f"TLS with the client failed ({_words(reason)}).",
            "Check the client's security settings for this account.",
        )
    return (
        "The client closed the connection during the TLS handshake.",
        "Often it does not trust imaptap's CA; `imaptap ca` says how to make it.",
    )


def _untrusted(error: ssl.SSLCertVerificationError, host: str) -> Explained:
    code = getattr(error, "verify_code", 0)
    if code == _EXPIRED:
        return (
            f"The certificate of {host} has expired.",
            f"Have the server renew it, or accept just this one with {_PIN}.",
        )
    if code == _NOT_YET_VALID:
        return (
            f"The certificate of {host} is not valid yet.",
            f"Check this machine's clock, or accept just this certificate with {_PIN}.",
        )
    if code == _SELF_SIGNED:
        return (
            f"The certificate of {host} is self-signed.",
            f"Trust it with --upstream-ca FILE, or accept just this one with {_PIN}.",
        )
    if code == _SELF_SIGNED_IN_CHAIN or code in _UNKNOWN_ISSUERS:
        return (
            f"The certificate of {host} comes from an issuer that is not trusted here.",
            f"Trust that issuer with --upstream-ca FILE, or accept just this certificate with {_PIN}.",
        )
    if code in _NAME_MISMATCHES:
        return (
            f"The certificate of {host} is for another name.",
            f"Name the one it is for with --upstream-name NAME, or accept just this certificate with {_PIN}.",
        )
    detail = getattr(error, "verify_message", "") or "certificate verify failed"
    return f"The certificate of {host} was refused: {detail}.", f"To accept just this certificate, use {_PIN}."


def _failed_handshake(error: ssl.SSLError, host: str) -> Explained:
    reason = _reason(error)
    if reason in _NOT_TLS:
        return (
            f"{host} answered in plain text where TLS was expected.",
            "Use imap:// (STARTTLS) for this port, or imaps:// with the server's TLS port, usually 993.",
        )
    if reason in _TOO_OLD:
        return (
            f"{host} offers no TLS version or cipher that is safe today ({_words(reason)}).",
            "imaptap speaks TLS 1.2 and later: have the server updated.",
        )
    if reason in _WANTS_CERTIFICATE:
        return (
            f"{host} wants a client certificate that it knows ({_words(reason)}).",
            "Give imaptap a client certificate and key for the upstream.",
        )
    if reason in _CUT or isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return _cut(host)
    return (
        f"TLS with {host} failed ({_words(reason)}).",
        "Check host and port, and whether the port is for imaps:// or for imap:// (STARTTLS).",
    )


def _unreachable(error: BaseException, host: str) -> Explained:
    if isinstance(error, socket.gaierror):
        return f"The name {host} was not found.", "Check how it is spelled, and that this machine's DNS works."
    if isinstance(error, ConnectionRefusedError):
        return f"{host} refused the connection.", "Check the port: usually 993 for imaps:// and 143 for imap://."
    if isinstance(error, TimeoutError):
        return f"{host} did not answer in time.", "Check the port, and whether a firewall stands in between."
    if isinstance(error, ConnectionError | EOFError):
        return _cut(host)
    if isinstance(error, OSError) and error.strerror:
        return f"{host} cannot be reached: {error.strerror.lower()}.", "Check host, port and network."
    return f"{host} cannot be reached ({type(error).__name__}).", "Check host, port and network."


def _cut(host: str) -> Explained:
    return (
        f"{host} closed the connection before TLS was set up.",
        "Check that the port speaks TLS: imaps:// is usually 993, imap:// (STARTTLS) 143.",
    )


def _reason(error: BaseException) -> str:
    """OpenSSL's name for it; builds without the name give only the text."""
    reason = getattr(error, "reason", None)
    return reason.upper().replace(" ", "_") if isinstance(reason, str) else ""


def _words(reason: str) -> str:
    return reason.replace("_", " ").lower() or "no reason given"
