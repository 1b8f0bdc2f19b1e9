"""LOGIN and AUTHENTICATE (RFC 9051 sections 6.2.2 and 6.2.3).

What is said within a SASL exchange is masked in every recording, and not judged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.imap.grammar.sasl import Authenticate
from proxy.imap.lint.heard import Kind
from proxy.imap.lint.rules import ERROR, NOTE, WARNING, Family
from proxy.imap.transcript import Direction, Layer, readable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.imap.lint.heard import FromClient
    from proxy.imap.lint.known import Known
    from proxy.imap.lint.rules import Finding

FAMILY = Family("logins")
C = Direction.CLIENT

DISABLED = FAMILY.rule("login-disabled", C, ERROR, "9051 6.2.3", "LOGIN is sent though the server says LOGINDISABLED.")
IN_CLEAR = FAMILY.rule("login-in-clear", C, WARNING, "8314 3", "A password is sent without TLS.")
MECHANISM = FAMILY.rule(
    "mechanism-unannounced", C, WARNING, "9051 6.2.2", "The server does not announce this SASL mechanism."
)
INITIAL = FAMILY.rule(
    "sasl-ir-unannounced",
    C,
    ERROR,
    "4959 3",
    "AUTHENTICATE has an initial response, and the server does not say SASL-IR.",
)
LOGIN = FAMILY.rule(
    "login-not-authenticate", C, NOTE, "9051 6.2.3",
    "LOGIN is used though AUTHENTICATE PLAIN is there: it should be the last resort.",
)  # fmt: skip
OLD_MECHANISM = FAMILY.rule(
    "old-mechanism", C, NOTE, "6331 1", "The SASL mechanism is out of use: DIGEST-MD5, CRAM-MD5, NTLM or LOGIN."
)
NO_INFO = FAMILY.rule(
    "capability-after-login", C, NOTE, "9051 6.2.2",
    "The server told nothing new with its OK to the login, and the client does not ask what it can now.",
)  # fmt: skip

_OLD = frozenset((b"DIGEST-MD5", b"CRAM-MD5", b"NTLM", b"LOGIN"))
_SENDS_PASSWORD = frozenset((b"PLAIN", b"LOGIN"))


def client(heard: FromClient, known: Known) -> Iterator[Finding]:
    """What is wrong with a client's login."""
    said, body = heard.said, heard.body
    clear = not said.layer & Layer.TLS
    if heard.name == "LOGIN":
        seen = known.announced.seen if known.announced else frozenset[str]()
        if "LOGINDISABLED" in seen:
            yield said.found(DISABLED)
        if clear:
            yield said.found(IN_CLEAR)
        if "AUTH=PLAIN" in seen:
            yield said.found(LOGIN)
    elif isinstance(body, Authenticate):
        yield from _authenticate(heard, body, known)
    elif heard.kind is Kind.COMMAND and heard.name not in {"CAPABILITY", "LOGOUT", "ID", "NOOP", ""}:
        stale = known.announced and not known.announced.authenticated and known.state.authenticated
        if stale and known.first_time("capability-after-login"):
            yield said.found(NO_INFO)


def _authenticate(heard: FromClient, body: Authenticate, known: Known) -> Iterator[Finding]:
    said = heard.said
    mechanism = body.mechanism.decode("ascii", "backslashreplace")
    if known.offers(f"AUTH={mechanism}") is False:
        yield said.found(MECHANISM, detail=readable(body.mechanism))
    if body.initial is not None and known.offers("SASL-IR") is False:
        yield said.found(INITIAL)
    if body.mechanism in _SENDS_PASSWORD and not said.layer & Layer.TLS:
        yield said.found(IN_CLEAR)
    if body.mechanism in _OLD:
        yield said.found(OLD_MECHANISM, detail=readable(body.mechanism))
