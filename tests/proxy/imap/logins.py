"""Every way to log in that we know, with a password that can be searched for (M 7.1, 7.2, 7.3)."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from urllib.parse import quote_from_bytes

from tests.proxy.imap.playing import Turn, client, server

MARKER = b'Zq7#kV"9\\Wz'
"""A password with a quote and a backslash in it; nothing else here has four of its characters in a row."""
USER = b"bob"


def quoted(word: bytes) -> bytes:
    """As a quoted string."""
    return b'"' + word.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def b64(data: bytes) -> bytes:
    """As a SASL line."""
    return base64.b64encode(data)


def forms(secret: bytes) -> Iterator[bytes]:
    """The encodings of M 7.1, each as the shortest run that the secret alone decides."""
    yield secret
    yield quoted(secret)[1:-1]
    yield secret.decode("latin-1").encode("utf-16-le")
    yield secret.hex().encode()
    yield quote_from_bytes(secret, safe=b"").encode()
    for offset in range(3):
        coded = b64(b"\0" * offset + secret)
        yield coded[(offset * 8 + 5) // 6 : len(coded) - 4]


def command(words: bytes, *, plus: bytes = b"") -> list[Turn]:
    """A command that may hold literals, written `<word>`: the server asks for each unless `plus` is "+"."""
    said: list[Turn] = []
    head, *rest = words.split(b"<")
    for part in rest:
        content, _, tail = part.partition(b">")
        said.append(client(head + b"{%d%s}\r\n" % (len(content), plus)))
        if not plus:
            said.append(server(b"+ go\r\n"))
        said.append(client(content))
        head = tail
    return [*said, client(head + b"\r\n")]


def sasl(mechanism: bytes, *answers: bytes, initial: bytes | None = None) -> list[Turn]:
    """AUTHENTICATE with these answers of the client, each asked for."""
    said: list[Turn] = [client(b"a AUTHENTICATE " + mechanism + (b" " + initial if initial else b"") + b"\r\n")]
    for answer in answers:
        said += [server(b"+ " + b64(b"challenge") + b"\r\n"), client(answer + b"\r\n")]
    return said


PLAIN = b64(b"\0" + USER + b"\0" + MARKER)
BEARER = b64(b"n,a=bob,\x01host=example.com\x01auth=Bearer " + MARKER + b"\x01\x01")
XOAUTH2 = b64(b"user=bob\x01auth=Bearer " + MARKER + b"\x01\x01")

LOGINS: dict[str, list[Turn]] = {
    "atoms": command(b"a LOGIN bob " + MARKER),
    "small letters": command(b"a login bob " + MARKER),
    "quoted": command(b'a LOGIN "bob" ' + quoted(MARKER)),
    "user with quotes": command(b'a LOGIN "b \\"o\\\\ b" ' + quoted(MARKER)),
    "two literals": command(b"a LOGIN <bob> <" + MARKER + b">"),
    "literal user": command(b"a LOGIN <bob> " + quoted(MARKER)),
    "literal password": command(b"a LOGIN bob <" + MARKER + b">"),
    "LITERAL+": command(b"a LOGIN <bob> <" + MARKER + b">", plus=b"+"),
    "double spaces": command(b"a  LOGIN   bob   " + MARKER + b"  "),
    "tabs": command(b"a\tLOGIN\tbob\t" + MARKER),
    "no spaces": command(b'a LOGIN"bob"' + quoted(MARKER)),
    "third word": command(b"a LOGIN bob " + MARKER + b" more"),
    "third word first": command(b"a LOGIN bob more " + MARKER),
    "one word": command(b"a LOGIN " + MARKER),
    "open quote": command(b'a LOGIN bob "' + MARKER),
    "open quote at the user": command(b'a LOGIN "bob ' + MARKER),
    "no tag": command(b"LOGIN bob " + MARKER),
    "space before the tag": command(b" a LOGIN bob " + MARKER),
    "empty tag": command(b" LOGIN bob " + MARKER),
    "mistyped": command(b"a LOGNI bob " + MARKER),
    "mistyped with a literal": command(b"a LOGNI bob <" + MARKER + b">"),
    "UID LOGIN": command(b"a UID LOGIN bob " + MARKER),
    "bare LF": [client(b"a LOGIN bob " + MARKER + b"\n")],
    "POP": command(b"PASS " + MARKER),
    "vendor": command(b"a XLOGIN bob " + MARKER),
    "PROXYAUTH": command(b"a PROXYAUTH " + MARKER),
    "two lines": [*command(b"a LOGIN bob"), server(b"a BAD missing password\r\n"), *command(MARKER)],
    "refused literal sent anyway": [client(b"a LOGIN bob {11}\r\n"), server(b"a NO\r\n"), *command(MARKER)],
    "refused user sent anyway": [
        client(b"a LOGIN {3}\r\n"),
        server(b"a NO\r\n"),
        client(b"bob {11}\r\n"),
        server(b"bob BAD\r\n"),
        *command(MARKER),
    ],
    "PLAIN": sasl(b"PLAIN", PLAIN),
    "PLAIN with IR": sasl(b"PLAIN", initial=PLAIN),
    "PLAIN with empty IR": sasl(b"PLAIN", PLAIN, initial=b"="),
    "PLAIN with IR in quotes": sasl(b"PLAIN", initial=quoted(PLAIN)),
    "PLAIN in clear": sasl(b"PLAIN", b"\0bob\0" + MARKER),
    "LOGIN": sasl(b"LOGIN", b64(USER), b64(MARKER)),
    "LOGIN with IR": sasl(b"LOGIN", b64(MARKER), initial=b64(USER)),
    "LOGIN in clear": sasl(b"login", USER, MARKER),
    "OAUTHBEARER": sasl(b"OAUTHBEARER", BEARER),
    "XOAUTH2": sasl(b"XOAUTH2", initial=XOAUTH2),
    "unknown mechanism": sasl(b"X-KEY", MARKER, b64(MARKER)),
    "sent after a refusal": [
        client(b"a AUTHENTICATE LOGIN\r\n"),
        server(b"a NO\r\n"),
        *command(b64(USER)),
        *command(b64(MARKER)),
    ],
    "sent too early": [client(b"a AUTHENTICATE LOGIN\r\n" + b64(USER) + b"\r\n" + b64(MARKER) + b"\r\n")],
}


def echoes() -> list[Turn]:
    """A server that says all it has heard, in the forms that it may have it in (M 7.5), and a client that does, too."""
    answers = [
        b"a BAD Error in IMAP command LOGIN bob " + MARKER,
        b"* BAD " + MARKER.upper() + b": unknown",
        MARKER + b" BAD unknown",
        b'* NO [X-WRONG] "' + quoted(MARKER)[1:-1] + b'" or ' + b64(MARKER),
        b"* " + MARKER + b" 1",
        b"* 1 FETCH (ENVELOPE (" + quoted(MARKER) + b" {11}\r\n" + MARKER + b"))",
    ]
    said: list[Turn] = [server(line + b"\r\n") for line in answers]
    said += command(MARKER + b" SELECT " + quoted(MARKER))
    said += command(b"z " + MARKER + b" 1")
    said += command(b"z SELECT <" + MARKER + b">", plus=b"+")
    return said
