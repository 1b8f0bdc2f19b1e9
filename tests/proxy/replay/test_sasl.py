"""Mechanisms as answers to challenges: the examples of the RFCs, and servers that do their part badly."""

from __future__ import annotations

import pytest

from proxy.replay.login import Credentials, choose
from proxy.replay.sasl import OAuth, Plain, SaslError, Scram


def test_plain() -> None:
    """RFC 4616 section 4."""
    mechanism = Plain("tim", b"tanstaaftanstaaf")
    assert mechanism.first == b"\0tim\0tanstaaftanstaaf"
    mechanism.check()
    with pytest.raises(SaslError):
        mechanism.answer(b"more?")


def test_xoauth2() -> None:
    mechanism = OAuth("XOAUTH2", "bob@example.org", b"ya29.token", "mail.example.org", 993)
    assert mechanism.first == b"user=bob@example.org\x01auth=Bearer ya29.token\x01\x01"
    assert mechanism.answer(b'{"status":"400"}') == b""


def test_oauthbearer() -> None:
    """RFC 7628 sections 4.1 and 4.3; commas and equal signs of a name are escaped (RFC 5801 section 4)."""
    mechanism = OAuth("OAUTHBEARER", "a=b,c@example.org", b"vF9dft4qmT", "mail.example.org", 143)
    assert mechanism.first == (
        b"n,a=a=3Db=2Cc@example.org,\x01host=mail.example.org\x01port=143\x01auth=Bearer vF9dft4qmT\x01\x01"
    )
    assert mechanism.answer(b'{"status":"invalid_token"}') == b"\x01"


@pytest.mark.parametrize("name", ["SCRAM-SHA-1", "SCRAM-SHA-256"])
def test_scram_begins_without_channel_binding(name: str) -> None:
    first = Scram(name, "user", b"pencil").first
    assert first.startswith(b"n,,n=user,r=")


def test_scram_server_that_proves_nothing() -> None:
    with pytest.raises(SaslError, match="has not proved"):
        Scram("SCRAM-SHA-1", "user", b"pencil").check()


@pytest.mark.parametrize(
    "challenge",
    [b"", b"no scram", b"r=other,s=QSXCR+Q6sek8bf92,i=4096", b"e=unknown-user", b"\xff\xfe"],
    ids=["empty", "other words", "another nonce", "an error", "no text"],
)
def test_scram_server_that_says_something_else(challenge: bytes) -> None:
    """What is wrong is said, without what was said or the password."""
    with pytest.raises(SaslError) as caught:
        Scram("SCRAM-SHA-256", "user", b"pencil").answer(challenge)
    assert "pencil" not in str(caught.value)


def test_scram_password_that_is_no_text() -> None:
    with pytest.raises(SaslError):
        Scram("SCRAM-SHA-256", "user", b"\xff")


@pytest.mark.parametrize(("password", "mechanism"), [(b"pencil", "SCRAM-SHA-256"), (b"stylo \xe9", "PLAIN")])
def test_a_password_that_scram_cannot_carry_goes_by_plain(password: bytes, mechanism: str) -> None:
    offered = frozenset({"AUTH=SCRAM-SHA-256", "AUTH=PLAIN"})
    assert choose(offered, Credentials("bob", password), "imaps://x") == mechanism
