"""Listening beyond this machine: written out, and said."""

from __future__ import annotations

import socket

import pytest

from proxy.live import exposure
from proxy.live.admission import parse_network
from proxy.live.endpoint import parse_listen, parse_upstream
from proxy.live.errors import LiveError
from proxy.live.exposure import explain_exposure, is_ours, need_written_out
from proxy.live.settings import Settings
from tests.proxy.live.conftest import MakeRig

SERVER = parse_upstream("imaps://mail.example.org")


@pytest.mark.parametrize(
    ("url", "addresses"),
    [
        ("imap://localhost:0", ["127.0.0.1", "::1"]),
        ("imap://127.1:0", ["127.0.0.1"]),
        ("imap://alias.of.localhost:0", ["127.0.1.1"]),
        ("imap://0.0.0.0:0", ["0.0.0.0"]),
        ("imap://[::]:0", ["::"]),
        ("imap://192.0.2.7:0", ["192.0.2.7"]),
        ("imap://[fe80::1%25eth0]:0", ["fe80::1%eth0"]),
    ],
)
def test_what_may_be_listened_on(url: str, addresses: list[str]) -> None:
    """This machine by any name; anything else by its address."""
    need_written_out(parse_listen(url), addresses)


@pytest.mark.parametrize(
    ("host", "addresses", "write"),
    [
        ("0", ["0.0.0.0"], "imaps://0.0.0.0:1993"),
        ("0x0", ["0.0.0.0"], "imaps://0.0.0.0:1993"),
        ("*", ["0.0.0.0", "::"], "imaps://0.0.0.0:1993"),
        ("mail.example.org", ["192.0.2.7"], "imaps://192.0.2.7:1993"),
        ("mail.example.org", ["2001:db8::7", "2001:db8::7"], "imaps://[2001:db8::7]:1993"),
        ("localhost", ["127.0.0.1", "192.0.2.7"], "imaps://192.0.2.7:1993"),
    ],
)
def test_a_name_never_means_other_machines(host: str, addresses: list[str], write: str) -> None:
    """Not today, and not when it is given another address tomorrow. The hint can be pasted."""
    endpoint = parse_listen(f"imaps://{host}")
    with pytest.raises(LiveError, match="other machines may connect") as caught:
        need_written_out(endpoint, addresses)
    assert caught.value.hint.endswith(f"--listen {write}")


def test_a_listener_with_such_a_name_is_never_bound(make_rig: MakeRig, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked before the first socket is."""
    look_up = socket.getaddrinfo

    def everywhere(host: str, *rest: object, **more: int) -> object:
        return look_up("0.0.0.0" if host == "my.host" else host, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", everywhere)
    rig = make_rig("imaps://127.0.0.1:1", "imap://my.host:0")
    with pytest.raises(LiveError, match=r"my\.host stands for 0\.0\.0\.0"), rig:
        pass
    assert rig.recorder._sockets == []


@pytest.mark.parametrize("url", ["", "imaps://", "imaps://:1993", ":1993"])
def test_no_host_is_not_everywhere(url: str) -> None:
    """As it is in other programs."""
    with pytest.raises(LiveError):
        parse_listen(url)


def test_loopback_exposes_nothing() -> None:
    """So nothing is said."""
    listen = [parse_listen(url) for url in ("imaps://localhost", "imap://127.0.0.2", "imap+insecure://[::1]")]
    assert explain_exposure(Settings(SERVER, ()), listen) == ""
    allowed = explain_exposure(Settings(SERVER, (), allow=(parse_network("192.0.2.0/24"),)), listen)
    assert allowed == "--allow lets nobody in from elsewhere: imaptap listens on this machine only."


def test_what_listening_elsewhere_exposes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who can reach it, whom it leads to, what is in clear, what limits it."""
    monkeypatch.setattr(exposure, "_source", {"192.0.2.1": "198.51.100.4", "2001:db8::1": ""}.__getitem__)
    other = parse_upstream("imap://other.example.org")
    settings = Settings(SERVER, (), routes={"a.test": other, "b.test": SERVER})
    listen = [
        parse_listen(url)
        for url in (
            "imaps://0.0.0.0",
            "imap+insecure://[::]:2143",
            "imap://192.0.2.7:3143",
            "imap+insecure://localhost",
        )
    ]
    assert explain_exposure(settings, listen).splitlines() == [
        (
            "Other machines can connect to imaps://0.0.0.0:1993, which is every IPv4 address of this machine "
            "(198.51.100.4, say), and imap+insecure://[::]:2143, which is every IPv6 address of this machine, and "
            "imap://192.0.2.7:3143."
        ),
        "Whoever does is passed on to imaps://mail.example.org:993 or imap://other.example.org:143 and recorded.",
        (
            "Passwords and letters travel in clear on imap+insecure://[::]:2143, and imap://192.0.2.7:3143 unless the "
            "client asks for STARTTLS."
        ),
        "--allow CIDR would limit who is let in.",
    ]
    settings = Settings(SERVER, (), allow=(parse_network("192.0.2.0/24"), parse_network("2001:db8::7")))
    assert explain_exposure(settings, [parse_listen("imaps://192.0.2.7")]).splitlines() == [
        "Other machines can connect to imaps://192.0.2.7:1993.",
        "Whoever does is passed on to imaps://mail.example.org:993 and recorded.",
        "Only 192.0.2.0/24, 2001:db8::7/128 and this machine itself are let in.",
    ]


def test_which_addresses_are_ours() -> None:
    """Asked of the routes: nothing is sent, and what cannot be reached is not ours."""
    assert is_ours("127.0.0.1")
    assert is_ours("::1")
    assert not is_ours("203.0.113.77")
    beyond = exposure._source("192.0.2.1")
    assert not beyond or is_ours(beyond), "the address that this machine has for others"
