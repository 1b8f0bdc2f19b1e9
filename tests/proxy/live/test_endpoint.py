"""Rows: URLs of servers and listeners, and what is wrong with others."""

from __future__ import annotations

import pytest

from proxy.live.endpoint import Endpoint, Security, parse_listen, parse_upstream
from proxy.live.errors import LiveError
from proxy.live.settings import Settings
from proxy.live.transport import TransportKind, loop_factory

UPSTREAMS = [
    ("imaps://mail.test", Endpoint(Security.TLS, "mail.test", 993)),
    ("IMAPS://Mail.Test:1/", Endpoint(Security.TLS, "mail.test", 1)),
    ("imap://mail.test", Endpoint(Security.STARTTLS, "mail.test", 143)),
    ("imap+insecure://[::1]", Endpoint(Security.PLAIN, "::1", 143)),
    ("imap://192.0.2.1:65535", Endpoint(Security.STARTTLS, "192.0.2.1", 65535)),
]


@pytest.mark.parametrize(("text", "endpoint"), UPSTREAMS)
def test_servers(text: str, endpoint: Endpoint) -> None:
    """The scheme says how it is protected, and which port is meant; the URL reads back."""
    assert parse_upstream(text) == endpoint
    assert parse_upstream(endpoint.url) == endpoint


@pytest.mark.parametrize(("text", "port"), [("imaps://h", 1993), ("imap://h", 1143), ("imap+insecure://h:0", 0)])
def test_listeners(text: str, port: int) -> None:
    """Ports that need no privilege."""
    assert parse_listen(text).port == port
    assert parse_listen(text).at_port(7).port == 7


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("mail.test", "scheme is none"),
        ("", "scheme is none"),
        ("http://mail.test", "scheme is http"),
        ("mail.test:993", "scheme is mail.test"),
        ("imaps://", "names no host"),
        ("imaps://mail.test:99999", "Port out of range"),
        ("imaps://mail.test:x", "no usable URL"),
        ("imaps://[::1", "no usable URL"),
        ("imaps://mail.test/INBOX", "more than scheme, host and port"),
        ("imaps://mail.test?x", "more than scheme, host and port"),
    ],
)
def test_what_is_no_url_of_ours(text: str, words: str) -> None:
    """Named, with what to do."""
    for parse in (parse_upstream, parse_listen):
        with pytest.raises(LiveError) as caught:
            parse(text)
        assert words in str(caught.value)
        assert caught.value.hint


def test_a_password_in_a_url_is_not_repeated() -> None:
    """It would end up in a terminal's history."""
    with pytest.raises(LiveError) as caught:
        parse_upstream("imaps://bob:hunter2@mail.test")
    assert "hunter2" not in f"{caught.value} {caught.value.hint}"


def test_routes() -> None:
    """By name in any case, else by port, else the one upstream."""
    default, named, by_port = (parse_upstream(f"imaps://{name}") for name in ("default", "named", "port"))
    settings = Settings(default, (), {"mail.test": named, "1143": by_port})
    assert settings.upstream_for(993, "MAIL.test") is named
    assert settings.upstream_for(1143, "mail.test") is named
    assert settings.upstream_for(1143, None) is by_port
    assert settings.upstream_for(1143, "other.test") is by_port
    assert settings.upstream_for(993, None) is default


def test_transports(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Python's own OpenSSL is not found, aiofastnet is not taken unasked, and refused when asked for."""
    aiofastnet = pytest.importorskip("aiofastnet")
    for kind in TransportKind:
        loop = loop_factory(kind)()
        # Each method that we use has to be replaced, or one leg would go on with asyncio's own transports.
        fast = {name for name in ("create_connection", "connect_accepted_socket", "start_tls") if name in vars(loop)}
        assert len(fast) == (0 if kind is TransportKind.ASYNCIO else 3)
        loop.close()
    monkeypatch.setattr(aiofastnet, "OPENSSL_DYN_LIBS", None)
    loop = loop_factory(TransportKind.AUTO)()
    assert "start_tls" not in vars(loop)
    loop.close()
    with pytest.raises(LiveError, match="OpenSSL"):
        loop_factory(TransportKind.AIOFASTNET)
