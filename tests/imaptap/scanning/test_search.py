"""What is found where, in which form; and what only looks like it."""

from __future__ import annotations

import base64
import hashlib
import quopri
import urllib.parse

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imaptap.scanning.detectors import Detectors, Kind
from imaptap.scanning.needles import Needles
from imaptap.scanning.search import Search
from proxy.imap.grammar.utf7 import encode

CANARY = "Zaunkönig 4711"
PLAIN = CANARY.encode()
EVERYTHING = Search(Needles([CANARY]), Detectors(frozenset(Kind)))
CANARIES = Search(Needles([CANARY, "second one"]), Detectors(frozenset()))

FORMS = {
    "as it is": PLAIN,
    "capitals": CANARY.upper().encode(),
    "base64 of capitals": base64.b64encode(CANARY.upper().encode()),
    "base64 of small letters": base64.b64encode(b"x" + CANARY.lower().encode() + b"xx"),
    "modified UTF-7 of small letters": encode(CANARY.lower()),
    "latin-1": CANARY.encode("latin-1"),
    "utf-16-le": CANARY.encode("utf-16-le"),
    "utf-16-be": CANARY.encode("utf-16-be"),
    "base64": base64.b64encode(PLAIN),
    "base64, offset 1": base64.b64encode(b"." + PLAIN + b"..."),
    "base64, offset 2": base64.b64encode(b".." + PLAIN + b"..."),
    "base64 in lines": base64.encodebytes(b"." * 50 + PLAIN + b"." * 50).replace(b"\n", b"\r\n"),
    "base64url": base64.urlsafe_b64encode(b"\xff\xff\xff" + PLAIN),
    "base64 twice": base64.b64encode(base64.b64encode(PLAIN)),
    "hex": PLAIN.hex().encode(),
    "HEX": PLAIN.hex().upper().encode(),
    "hex with spaces": PLAIN.hex(" ").encode(),
    "quoted-printable": quopri.encodestring(PLAIN, quotetabs=True),
    "quoted-printable, folded": b"Zaunk=C3=B6=\r\nnig 4711",
    "encoded word": b"=?utf-8?Q?Zaunk=C3=B6nig=204711?=",
    "encoded word with an underscore": b"=?utf-8?Q?Zaunk=C3=B6nig_4711?=",
    "encoded word in latin-1": b"=?iso-8859-1?Q?Zaunk=F6nig_4711?=",
    "all quoted-printable": b"".join(b"=%02X" % byte for byte in PLAIN),
    "percent": urllib.parse.quote(CANARY).encode(),
    "percent, small": urllib.parse.quote(CANARY).lower().encode(),
    "plus": urllib.parse.quote_plus(CANARY).encode(),
    "modified UTF-7": encode(CANARY),
    "JSON": b"Zaunk\\u00f6nig 4711",
    "HTML": "".join(f"&#{ord(each)};" for each in CANARY).encode(),
    "reversed": CANARY[::-1].encode(),
    "folded": b"Zaunk\xc3\xb6\r\n nig 4711",
    "folded at its blank": b"Zaunk\xc3\xb6nig\r\n 4711",
    "wrapped": b"Zaunk\xc3\xb6nig\n4711",
    "wrapped in quoted-printable": b"> Zaunk=C3=B6nig \r\n> 4711",
    "in base64 text": base64.b64encode(b"A letter to " + PLAIN + b" and others"),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_canary_in_any_form(form: str) -> None:
    data = b"{ " * 20 + FORMS[form] + b" }" * 20
    found = list(CANARIES.through([data]))
    assert {hit.what for hit in found} == {"canary 1"}
    assert 0 <= found[0].offset - 40 <= 60


def test_another_text_is_none() -> None:
    assert list(CANARIES.through([b"Zaunkoenig 4711, secondone, 4711 Zaunk\xc3\xb6nig"])) == []


def test_lines_are_counted() -> None:
    hit = next(CANARIES.through([b"one\r\ntwo\r\n  " + PLAIN]))
    assert (hit.offset, hit.lines) == (12, 2)


def test_it_is_told_where_what_was_folded_and_quoted_stands() -> None:
    data = b"=C3=A9 one\r\n two =\r\nthree %41\r\nto bob=40company.org, =C3=A9\r\n and %42"
    (hit,) = EVERYTHING.through([data])
    assert (hit.what, hit.offset) == ("address", data.index(b"bob"))


SMALL = Search(Needles([CANARY]), Detectors(frozenset()), block=4096)


@given(st.integers(0, 100_000), st.integers(200, 70_000))
@settings(deadline=None)
def test_wherever_it_stands(place: int, part: int) -> None:
    """Once, whatever parts and blocks the bytes come in."""
    data = b"." * place + PLAIN + b"." * (100_000 - place)
    parts = [data[at : at + part] for at in range(0, len(data), part)]
    assert [(hit.what, hit.offset) for hit in SMALL.through(parts)] == [("canary 1", place)]


@given(st.binary(max_size=2000))
def test_anything_can_be_searched_and_is_found_again(data: bytes) -> None:
    assert list(EVERYTHING.through([data])) == list(EVERYTHING.through([data]))


THERE = [
    (b"-----BEGIN OPENSSH PRIVATE KEY-----", "private key"),
    (b"x eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcdef x", "JSON web token"),
    (b"id AKIAIOSFODNN7EXAMPLE.", "AWS access key"),
    (b"ghp_" + b"a1B2" * 9, "GitHub token"),
    (b"Authorization: Bearer abcdefghij0123456789", "bearer token"),
    (b"https://bob:hunter2@host/", "password in a URL"),
    (b"a1 LOGIN bob hunter2\r\n", "LOGIN"),
    (b'a1 login "bob" "hunter2"\r\n', "LOGIN"),
    (b'a1 login "bob" "$passwords"\r\n', "LOGIN"),
    (b"password: xxxx=\nsecret", "password"),
    (b"a1 AUTHENTICATE PLAIN AGJvYgBodW50ZXIy\r\n", "SASL answer"),
    (b"a LOGIN bob {6}\r\nsecret\r\n", "LOGIN with a literal"),
    (b"a LOGIN {3}\r\n+ go\r\nbob {6+}\r\nsecret\r\n", "LOGIN with a literal"),
    (b'a LOGIN {3+}\r\nbob "sec ret"\r\n', "LOGIN with a literal"),
    (b"C: a LOGIN {3}\nS: +\nC: bob {6}\nS: + go\nC: secret\n", "LOGIN with a literal"),
    (b"C: a LOGIN {3}\nS: +\nC| bob{{-}}\nC:  {6}\nS: +\nC| secret{{-}}\nC:\n", "LOGIN with a literal"),
    (b"C: a LOGIN {3}\nS: +\nC| bob\\\nC:  {6}\nS: +\nC| secret\\\nC:\n", "LOGIN with a literal"),
    (b"1764200000.123456 a LOGIN bob {6}\r\n1764200001.123456 secret\r\n", "LOGIN with a literal"),
    (
        b"1764200000.123456 I: a LOGIN bob {6}\r\n1764200000.123456 O: + OK\r\n1764200001.123456 I: secret\r\n",
        "LOGIN with a literal",
    ),
    (b"C: a AUTHENTICATE PLAIN\nS: +\nC: AGJvYgBzZWNyZXQ=\n", "SASL answer in a line of its own"),
    (b"a AUTHENTICATE PLAIN\r\nAGJvYgBzZWNyZXQ=\r\n", "SASL answer in a line of its own"),
    (b"a AUTHENTICATE LOGIN\r\n+ VXNlcm5hbWU6\r\nYm9i\r\n", "SASL answer in a line of its own"),
    (b"password: hunter2", "password"),
    (b"From: Bob <bob@mail.company.org>", "address"),
    (base64.b64encode(b"a letter to bob@mail.company.org, see"), "address"),
    (b"bob=40company=2Eorg", "address"),
    (b"<'bob@company.org'>", "address"),
    (b"user=bob@company.org\x01", "address"),
    (b"imap://bob@company.org/", "address"),
    (b"user/bob@company.org", "address"),
    (b"<o'brien@company.org>", "address"),
    (b'"the bob"@company.org', "address"),
    (b"reply+" + b"A1" * 40 + b"@company.org", "address"),
    (b"wvu@abcdef.xq=\r\nz.company.org", "address"),
    (b"bob@comp=\r\nany.org\r\nmail.wvu.xqz", "address"),
    (b"to abc\r\nbob=40comp=\r\nany.org", "address"),
    (b"wvu@abcdef.xq%7A.company.org", "address"),
    (base64.b64encode(b"\x00\x01\xff\x80" * 9 + b"/URI (mailto:bob@company.org)" + b"\x00\x01\xff" * 9), "address"),
    (b'(("Bob" NIL "bob" "company.org"))', "address in an envelope"),
    (b"from 8.8.8.8 by", "IP address"),
    (b"key q8Xz0P2vLk9TnW4sYb7RcE1m here", "word of chance"),
]


@pytest.mark.parametrize(("data", "what"), THERE)
def test_what_is_a_secret(data: bytes, what: str) -> None:
    assert what in {hit.what for hit in EVERYTHING.through([b"; " + data])}


NOT_THERE = [
    b"a1 LOGIN bob xxxxxxx\r\n",
    b'a1 LOGIN bob "xxxxxxx"\r\n',
    b"a1 AUTHENTICATE PLAIN xxxxxxxxxxxxxxxx\r\n",
    b"a LOGIN bob {6}\r\nxxxxxx\r\n",
    b"a LOGIN {3}\r\n+ go\r\nbob {6}\r\n+ go\r\nxxxxxx\r\n",
    b"C: a LOGIN {3}\nS: + go\nC| bob{{-}}\nC:  {6}\nS: + go\nC| xxxxxx{{-}}\nC:\n",
    b"C: a LOGIN {3}\nS: + go\nC| bob\\\nC:  {6}\nS: + go\nC| \\{login 6}\\\nC:\n",
    b'C: a LOGIN bob "\\{login 6}"\nS: a OK\n',
    b'C: a LOGIN bob "<masked login>"\nS: a OK\n',
    b'ok login "$user" "$password"\n',
    b"user=${IMAP_USER:-$user} password=${IMAP_PASSWORD:-}\ncase $pace in\n",
    b'password = os.environ.get("IMAP_PASSWORD") or getpass.getpass()\n',
    b"at imap+insecure://localhost:34911, for imaps://localhost:1\x00\x00\x00@",
    b"C: a LOGIN bob {6}\nS: a NO not in clear\n",
    b"1764200000.123456 I: a LOGIN bob {6}\r\n1764200000.123456 O: a NO never\r\n",
    b"C: a AUTHENTICATE PLAIN\nS: +\nC: xxxxxxxxxxxxxxxx\n",
    b"C: a AUTHENTICATE PLAIN\nS: +\nC: \\{sasl 16}\n",
    b"a AUTHENTICATE EXTERNAL\r\na NO no\r\n",
    b"https://bob:xxxxxx@host/",
    b"bob@mail.example.org bob@localhost bob@x.invalid",
    b"wvu@abcdef.xqz",
    b'(("Bob" NIL "bob" "abcdef.xqz")("Bob" NIL "bob" "mail.example.org"))',
    b'("name" "cat.jpg")',
    b"127.0.0.1 10.1.2.3 192.168.0.1 1.2.3.4.5 999.1.1.1",
    b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN LOGIN-REFERRALS] Dovecot ready.\r\n",
    b"the password is wrong",
    b"password: xxxxxxx\nHello there\npassword=xxxx\r\nuser=bob\n",
    b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
]

NOISE = b"".join(hashlib.sha256(bytes([number])).digest() for number in range(20))
NOT_THERE += [
    b"to wvu@abcdef.xqz\r\nmail.company.org",
    b"to abc\r\nwvu@abcdef.example\r\n company.org",
    b"wvu@abcdef\nmail.company.org",
    base64.b64encode(NOISE + b"\x00q@w4.de\x01" + NOISE),
    base64.b64encode(NOISE + b"\x9c\x00ssh://a:b@c\xff" + NOISE),
]


@pytest.mark.parametrize("data", NOT_THERE)
def test_what_only_looks_like_one(data: bytes) -> None:
    assert list(EVERYTHING.through([data])) == []


def test_where_it_ends() -> None:
    """Also where it was written otherwise."""
    said = b"password: hunter2"
    assert [(hit.offset, hit.end) for hit in EVERYTHING.through([b"; ", said, b" "])] == [(2, 2 + len(said))]
    assert [(hit.offset, hit.end) for hit in CANARIES.through([b"; Zaunk\xc3\xb6=\r\nnig 4711."])] == [(2, 20)]


@pytest.mark.parametrize(
    "part", [b" LOGIN {3}\r\n", b" LOGIN a {3}\r\n+ ", b" LOGIN {1}\r\n" + b" a" * 100, b"AUTHENTICATE PLAIN\r\n+"]
)
def test_what_begins_like_a_login_again_and_again(part: bytes) -> None:
    """Nothing is looked at more often than a fixed number of times (the test's time runs out, otherwise)."""
    assert list(EVERYTHING.through([part * (300_000 // len(part))])) == []


def test_an_address_is_found_in_an_envelope() -> None:
    search = Search(Needles(["bob@abcdef.org"]), Detectors(frozenset()))
    assert [hit.how for hit in search.through([b'(("Bob" NIL "bob" "abcdef.org"))'])] == ["in an envelope"]


def test_a_canary_may_be_long() -> None:
    canary = "of this letter nobody knows " * 40 + "ö"
    search = Search(Needles([canary]), Detectors(frozenset()))
    assert [hit.what for hit in search.through([b"; " + canary.encode()])] == ["canary 1"]
