"""Who may connect."""

from __future__ import annotations

import pytest

from proxy.live.admission import Admission, parse_network
from proxy.live.errors import LiveError


@pytest.mark.parametrize(
    ("networks", "admitted", "refused"),
    [
        ([], ["203.0.113.9", "2001:db8::9", "127.0.0.1"], []),
        (["192.0.2.0/24"], ["192.0.2.0", "192.0.2.255"], ["192.0.1.255", "192.0.3.0", "2001:db8::1", "::c000:201"]),
        (["192.0.2.7"], ["192.0.2.7", "::ffff:192.0.2.7"], ["192.0.2.8", "::ffff:192.0.2.8"]),
        (["2001:db8::/32", "198.51.100.0/31"], ["2001:db8:ffff::1", "198.51.100.1"], ["2001:db9::", "198.51.100.2"]),
        (["::ffff:192.0.2.0/120"], ["192.0.2.200", "::ffff:192.0.2.1"], ["192.0.3.1"]),
        (["fe80::/10"], ["fe80::1%eth0"], ["fec0::1%eth0"]),
        (["0.0.0.0/0"], ["203.0.113.9", "::ffff:203.0.113.9"], ["2001:db8::9"]),
        (["::/0"], ["2001:db8::9"], ["203.0.113.9"]),
    ],
)
def test_who_is_let_in(networks: list[str], admitted: list[str], refused: list[str]) -> None:
    """IPv4 and IPv6 are two worlds, except for IPv4-mapped addresses."""
    admission = Admission(map(parse_network, networks))
    assert [host for host in admitted if not admission.admits(host)] == []
    assert [host for host in refused if admission.admits(host)] == []


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"])
def test_this_machine_is_always_let_in(host: str) -> None:
    """Or `imaptap ca check localhost:1993` would find nobody there."""
    assert Admission([parse_network("192.0.2.0/24")]).admits(host)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "'' is no network"),
        ("example.org", "'example.org' is no network"),
        ("192.0.2.0/33", "no network"),
        ("192.0.2", "no network"),
        ("192.0.2.0/24/1", "no network"),
        ("192.0.2.1/24", "Write 192.0.2.0/24"),
        ("2001:db8::1/32", "Write 2001:db8::/32"),
        ("::ffff:192.0.2.1/120", "Write ::ffff:"),
    ],
)
def test_what_is_no_network(text: str, words: str) -> None:
    """Also an address with a mask, which may be meant narrower than it reads."""
    with pytest.raises(LiveError) as caught:
        parse_network(text)
    assert words in f"{caught.value} {caught.value.hint}"
