"""Where to listen and where to connect, as URLs."""

from __future__ import annotations

import pytest

from proxy.live.endpoint import Endpoint, Security, parse_listen, parse_upstream
from proxy.live.errors import LiveError
from proxy.live.settings import Settings
from proxy.live.transport import TransportKind, loop_factory


@pytest.mark.parametrize(
    ("text", "security", "host", "upstream_port", "listen_port"),
    [
        ("imaps://mail.example.org", Security.TLS, "mail.example.org", 993, 1993),
        ("imap://mail.example.org", Security.STARTTLS, "mail.example.org", 143, 1143),
        ("IMAP+insecure://127.0.0.1/", Security.PLAIN, "127.0.0.1", 143, 1143),
        ("imaps://[::1]:44", Security.TLS, "::1", 44, 44),
        ("imap://localhost:0", Security.STARTTLS, "localhost", 0, 0),
    ],
)
def test_urls(text: str, security: Security, host: str, upstream_port: int, listen_port: int) -> None:
    """The scheme says how the leg is protected; ports have defaults of their own on either side."""
    assert parse_upstream(text) == Endpoint(security, host, upstream_port)
    assert parse_listen(text) == Endpoint(security, host, listen_port)


def test_a_url_comes_back_whole() -> None:
    """With its port, and brackets around an address of IPv6."""
    assert parse_upstream("imaps://[::1]").url == "imaps://[::1]:993"
    assert parse_upstream("imap://host").url == "imap://host:143"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("imap.gmail.com", "no scheme", "imaps://imap.gmail.com"),
        ("imap.gmail.com:993", "no scheme", "imaps://imap.gmail.com:993"),
        ("http://host", "scheme is http", "imaps://host"),
        ("imaps://", "names no host", "imaps://host"),
        ("imaps://host:99999", "no usable URL", "imaps://host"),
        ("imaps://bob@host", "names a user", "the mail client logs in"),
        ("imaps://host/INBOX", "says more", "imaps://host"),
        ("imaps://host?x", "says more", "imaps://host"),
        ("", "no scheme", "imaps://"),
        ("imaps://host:x", "no usable URL", "imaps://host"),
        ("imaps://[::1", "no usable URL", "imaps://host"),
    ],
)
def test_what_is_no_such_url(text: str, message: str, hint: str) -> None:
    """One sentence what is wrong, one what to write."""
    with pytest.raises(LiveError, match=message) as caught:
        parse_upstream(text)
    assert hint in caught.value.hint


def test_a_password_in_a_url_is_not_repeated() -> None:
    """Errors end up on screens and in bug reports."""
    for text in ("imaps://bob:hunter2@host", "bob:hunter2@host"):
        with pytest.raises(LiveError) as caught:
            parse_upstream(text)
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
