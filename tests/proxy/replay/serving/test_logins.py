"""Logins at a served session: any password, one that is demanded, every mechanism that can be served."""

from __future__ import annotations

import base64
import hmac

import pytest
from scramp import ScramClient

from proxy.replay.serving.logins import Door, Login
from tests.proxy.replay.serving.stages import Stage, said, scene

SESSION = "S: * OK hello\nC: a LOGIN bob xxxxxx\nS: * CAPABILITY IMAP4rev1\nS: a OK in\nC: b NOOP\nS: b OK"
HELLO = "S: * OK hello\n"
IN = "S: * CAPABILITY IMAP4rev1\nS: q OK in\n"
OUT = "S: q NO [AUTHENTICATIONFAILED] imaptap: not the user and password of --user\n"
ANYBODY, BOB = Door(), Door("bob", b"secret")


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


BEARER = b64(b"user=bob\x01auth=Bearer secret\x01\x01")
OAUTH = b64(b"n,a=bob,\x01host=localhost\x01auth=Bearer secret\x01\x01")
LOGIN = f"C: q AUTHENTICATE LOGIN\nS: + {b64(b'Username:')}\nC: {b64(b'bob')}\nS: + {b64(b'Password:')}\n"
WAYS = [
    ("C: q LOGIN bob secret\n", True),
    ('C: q LOGIN "bob" "other"\n', False),
    ("C: q LOGIN eve secret\n", False),
    (f"C: q AUTHENTICATE PLAIN\nS: + \nC: {b64(b'%b' % bytes(1) + b'bob' + bytes(1) + b'secret')}\n", True),
    (f"C: q AUTHENTICATE PLAIN {b64(bytes(1) + b'bob' + bytes(1) + b'secret')}\n", True),
    (f"C: q authenticate plain {b64(bytes(1) + b'bob' + bytes(1) + b'other')}\n", False),
    (f"C: q AUTHENTICATE PLAIN {b64(b'nonsense')}\n", False),
    (f"{LOGIN}C: {b64(b'secret')}\n", True),
    (f"{LOGIN}C: {b64(b'no')}\n", False),
    (f"C: q AUTHENTICATE XOAUTH2 {BEARER}\n", True),
    (f"C: q AUTHENTICATE OAUTHBEARER {OAUTH}\n", True),
]  # fmt: skip


@pytest.mark.parametrize(("client", "right"), WAYS)
def test_a_demanded_password(client: str, right: bool) -> None:
    """Who has it is in, as recorded; who has not may try again."""
    Stage([scene(SESSION)], door=BOB).talk(HELLO + client + (IN if right else OUT))


@pytest.mark.parametrize("client", [client for client, _ in WAYS if b64(b"nonsense") not in client])
def test_any_password(client: str) -> None:
    """By default everybody is let in."""
    Stage([scene(SESSION)], door=ANYBODY).talk(HELLO + client + IN)


def test_a_wrong_password_uses_nothing_up() -> None:
    """The right one is answered as the first would have been."""
    Stage([scene(SESSION)], door=BOB).talk(f"{HELLO}C: q LOGIN bob wrong\n{OUT}C: q LOGIN bob secret\n{IN}")


def test_a_wrong_token_is_told_why_before_it_is_refused() -> None:
    """RFC 7628 section 3.2.2: a challenge with a JSON object, which the client answers with nothing."""
    wrong = b64(b"user=bob\x01auth=Bearer other\x01\x01")
    challenge = b64(b'{"status":"invalid_token"}')
    Stage([scene(SESSION)], door=BOB).talk(f"{HELLO}C: q AUTHENTICATE XOAUTH2 {wrong}\nS: + {challenge}\nC: \n{OUT}")


@pytest.mark.parametrize("line", ["*", "not base64!"])
def test_a_client_may_break_off(line: str) -> None:
    """And begin anew."""
    script = f"{HELLO}C: q AUTHENTICATE PLAIN\nS: + \nC: {line}\nS: q BAD imaptap: cancelled, or no base64\n"
    Stage([scene(SESSION)]).talk(f"{script}C: q LOGIN bob x\n{IN}")


@pytest.mark.parametrize("mechanism", ["GSSAPI", "DIGEST-MD5", "SCRAM-SHA-256"])
def test_what_cannot_be_served_is_refused(mechanism: str) -> None:
    """SCRAM needs a password that both sides know."""
    refused = "S: q NO [CANNOT] imaptap: this way to log in cannot be served"
    Stage([scene(SESSION)]).talk(f"{HELLO}C: q AUTHENTICATE {mechanism}\n{refused}")


def test_a_refusal_that_was_recorded_comes_again() -> None:
    """In its order, where no password is demanded: the client's own test of a wrong one works."""
    recorded = "S: * OK hello\nC: a LOGIN bob xxx\nS: a NO wrong\nC: b LOGIN bob xxx\nS: b OK in\nC: c NOOP\nS: c OK"
    Stage([scene(recorded)]).talk("S: * OK hello\nC: q LOGIN bob x\nS: q NO wrong\nC: r LOGIN bob y\nS: r OK in")
    Stage([scene(recorded)], door=BOB).talk("S: * OK hello\nC: q LOGIN bob secret\nS: q OK in")


@pytest.mark.parametrize(("password", "right"), [("secret", True), ("other", False)])
def test_cram_md5(password: str, right: bool) -> None:
    """RFC 2195: the digest is of the challenge, with the password as its key."""
    login = BOB.begin("CRAM-MD5")
    assert login is not None
    digest = hmac.new(password.encode(), next(login), "md5").hexdigest()
    with pytest.raises(StopIteration) as ended:
        login.send(f"bob {digest}".encode())
    assert ended.value.value == Login("bob", right)


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-1", "SCRAM-SHA-256"])
@pytest.mark.parametrize(("password", "right"), [("secret", True), ("other", False)])
def test_scram(mechanism: str, password: str, right: bool) -> None:
    """The client of the library scramp gets in with the right password only, and knows the server by its signature."""
    client = ScramClient([mechanism], "bob", password)
    login = BOB.begin(mechanism)
    assert login is not None
    assert next(login) == b""
    client.set_server_first(login.send(client.get_client_first().encode()).decode())
    if right:
        client.set_server_final(login.send(client.get_client_final().encode()).decode())
    with pytest.raises(StopIteration) as ended:
        login.send(b"" if right else client.get_client_final().encode())
    assert ended.value.value == Login("bob", right)


@pytest.mark.parametrize("password", [b"\xff\xfe", b"a\x07b"])
def test_a_password_that_scram_cannot_have_lets_nobody_in(password: bytes) -> None:
    """It is no fault that ends the connection: PLAIN may still have it."""
    served = Stage([scene(SESSION)], door=Door("bob", password)).enter()
    list(served.begin())
    first = b64(b"n,,n=bob,r=abc")
    assert list(said(served.receive(f"q AUTHENTICATE SCRAM-SHA-256 {first}\r\n".encode()))) == [OUT[3:-1]]
    plain = b64(b"\0bob\0" + password)
    assert list(said(served.receive(f"q AUTHENTICATE PLAIN {plain}\r\n".encode())))[-1] == "q OK in"
