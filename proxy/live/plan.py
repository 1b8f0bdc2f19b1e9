"""Which gates and which words a pair of legs needs: the table of M section 6, as code."""

from __future__ import annotations

from proxy.imap.capabilities import Words
from proxy.imap.gate import ClientGate, StartTls
from proxy.live.endpoint import Security
from proxy.live.settings import Compress, Settings


def words(settings: Settings, client: Security, upstream: Security) -> Words:
    """What to do to capability lists, while the client's leg is as `client` says (TLS once STARTTLS is done)."""
    relays = client is Security.STARTTLS and upstream is Security.STARTTLS
    offers = client is Security.STARTTLS and not relays
    return Words(
        hide_starttls=not relays and not offers,
        offer_starttls=offers,
        hide_logindisabled=upstream is Security.STARTTLS and not relays,
        hide_compress=settings.compress is Compress.STRIP,
        hide_external=settings.trust.client_cert is None,
        scram=settings.scram,
    )


def client_gate(client: Security, upstream: Security) -> ClientGate | None:
    """The gate in the client's direction while its leg is clear, or the upstream's is; None where none is needed."""
    if client is Security.STARTTLS:
        if upstream is Security.STARTTLS:
            return ClientGate(StartTls.RELAYED, tls_required=True)
        gate = ClientGate(StartTls.OURS, tls_required=False)
        gate.upstream_clear = upstream is Security.PLAIN
        return gate
    if upstream is Security.PLAIN:
        return ClientGate(StartTls.DENIED, tls_required=False)
    return None
