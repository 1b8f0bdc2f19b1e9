"""Which bytes of which line are secret, in rows: between «» in each line (M 7.2-7.5)."""

from __future__ import annotations

import base64
import re

import pytest

from proxy.imap.commands import read_head
from proxy.imap.secrets import (
    CommandSecrets,
    challenge_secret,
    sasl_passwords,
    sasl_secret,
    secret_literal,
    server_secrets,
    token_spans,
)
from proxy.imap.vault import Spans, Vault


def marked(text: str) -> tuple[bytes, Spans]:
    """The line without its marks, and where the marks were."""
    line, spans = b"", []
    for index, part in enumerate(re.split("[«»]", text)):
        if index % 2:
            spans.append((len(line), len(line) + len(part.encode())))
        line += part.encode()
    return line + b"\r\n", spans


def found(line: bytes, *, authenticated: bool = False, suspect: bool = False) -> tuple[CommandSecrets, Spans]:
    """What is secret in a command of one line."""
    secrets = CommandSecrets(read_head(line), authenticated=authenticated, suspect=suspect)
    last = not re.search(rb"\{\d+\+?\}\r\n\Z", line)
    return secrets, sorted(secrets.line(line, first=True, last=last))


IN_ANY_STATE = [
    "a LOGIN bob «secret»",
    "a login bob «secret»",
    "a  LOGIN   bob   «secret»",
    'a LOGIN "bob" "«sec\\"ret»"',
    'a LOGIN "b \\"o\\" b" «secret»',
    "a LOGIN bob «secret more»",
    'a LOGIN bob «"secret" more»',
    "a LOGIN «bobsecret»",
    'a LOGIN «"bob secret»',
    'a LOGIN bob «"secret»',
    'a LOGIN «"bob"secret»',
    "a\tLOGIN\tbob\t«secret»",
    'a LOGIN«"bob"secret»',
    "a LOGIN bob {6}",
    "a LOGIN {3}",
    "a LOGIN",
    "a LOGIN ",
    'a LOGIN "" ""',
    "a UID LOGIN bob «secret»",
    "a LOGNI «bob secret»",
    "a LOGINN «bob secret»",
    "a XLOGIN «bob secret»",
    "a PROXYAUTH «joe»",
    "a XAUTHPASS «x»",
    "a UNLOCK «x»",
    "LOGIN «bob secret»",
    "PASS «secret»",
    " a «LOGIN bob secret»",
    "a AUTHENTICATE PLAIN",
    "a AUTHENTICATE PLAIN =",
    "a AUTHENTICATE PLAIN «AGJvYgBzZWNyZXQ=»",
    "a authenticate XOAUTH2 «abc def»",
    'a ID ("name" "x" "os" "y" "x-key" "«secret»" "date" NIL "x" NIL "y" "«z»")',
    "a ID NIL",
    'a SETMETADATA "" (/private/vendor/a/b "«secret»" /shared/comment "x" /private/comment "y")',
    'a SETMETADATA "" ("/private/vendor/a" "«s»")',
    "a SELECT INBOX",
    "a URLFETCH imap://«joe»@h/x;urlauth=a:internal:«0ff1ce»",
    'a GENURLAUTH "imap://«joe»@h/x;urlauth=a" INTERNAL',
    "a XAPPLEPUSHSERVICE aps-version 2 aps-account-id «abc» aps-device-token «def» mailboxes (INBOX)",
]


@pytest.mark.parametrize("text", IN_ANY_STATE)
@pytest.mark.parametrize("authenticated", [False, True])
def test_secrets_of_a_command(text: str, *, authenticated: bool) -> None:
    line, spans = marked(text)
    assert found(line, authenticated=authenticated)[1] == spans


@pytest.mark.parametrize("text", ["a XFOO «bob secret»", "a FROB «x»", "x y «z»"])
def test_unknown_commands_may_be_logins_only_before_one(text: str) -> None:
    line, spans = marked(text)
    assert found(line)[1] == spans
    assert found(line, authenticated=True)[1] == []


@pytest.mark.parametrize("text", ["«secret»", "«two words»", "«a FROB x»", "a NOOP", "a LOGIN bob «x»"])
def test_what_follows_a_login_that_went_wrong_may_be_the_rest_of_it(text: str) -> None:
    """M 4.3, 4.7: unless it is a command that we know."""
    line, spans = marked(text)
    assert found(line, authenticated=True, suspect=True)[1] == spans


@pytest.mark.parametrize(
    ("line", "secret"),
    [
        (b"a LOGIN {3}\r\n", False),
        (b"a LOGIN bob {6+}\r\n", True),
        (b'a LOGIN "bob" {6}\r\n', True),
        (b"a AUTHENTICATE PLAIN {6}\r\n", True),
        (b"a FROB x {6}\r\n", True),
        (b'a ID ("x" {6}\r\n', True),
        (b'a SETMETADATA "" (/private/vendor/x ~{6}\r\n', True),
        (b'a SETMETADATA "" (/private/comment {6}\r\n', False),
        (b"a APPEND x {6}\r\n", False),
    ],
)
def test_secret_literals(line: bytes, *, secret: bool) -> None:
    assert found(line)[0].literal_is_secret is secret


@pytest.mark.parametrize(
    ("line", "passwords"),
    [
        (b"a LOGIN bob secret\r\n", {b"secret"}),
        (b'a LOGIN bob "s\\"t"\r\n', {b's"t'}),
        (b"a LOGIN bob x y\r\n", {b"x y", b"x", b"y"}),
        (b'a LOGIN bob "half\r\n', {b'"half', b"half"}),
        (b"a LOGNI bob secret\r\n", {b"bob secret", b"bob", b"secret"}),
    ],
)
def test_passwords_are_learned_as_a_server_may_take_them(line: bytes, passwords: set[bytes]) -> None:
    secrets, _ = found(line)
    assert secrets.tells_passwords
    assert {x for x in secrets.learned if x} == passwords


def test_an_unknown_command_of_two_words_before_a_login_may_be_one() -> None:
    """It stays in doubt though its next text run is short."""
    secrets, _ = found(b"a FROB bob secret {1+}\r\n")
    secrets.line(b"\r\n", first=False, last=True)
    assert secrets.tells_passwords
    assert b"secret" in secrets.learned
    assert not found(b"a FROB secret\r\n")[0].tells_passwords


@pytest.mark.parametrize(
    ("line", "secret"), [(b"YWJj\r\n", 4), (b"YWJj\n", 4), (b"*\r\n", 0), (b"=\r\n", 0), (b"\r\n", 0), (b"* x\r\n", 3)]
)
def test_sasl_lines_are_secret_but_for_cancelling_and_nothing(line: bytes, secret: int) -> None:
    assert sasl_secret(line) == ([(0, secret)] if secret else [])


@pytest.mark.parametrize(
    ("line", "spans"),
    [(b"+ YWJj\r\n", [(2, 6)]), (b"+YWJj\r\n", [(1, 5)]), (b"+\r\n", []), (b"+ \r\n", []), (b"+  x\r\n", [(2, 4)])],
)
def test_challenges_are_secret(line: bytes, spans: Spans) -> None:
    assert challenge_secret(line) == spans


@pytest.mark.parametrize(
    ("mechanism", "clear", "step", "password"),
    [
        ("PLAIN", b"\0bob\0secret", 0, b"secret"),
        ("PLAIN", b"admin\0bob\0secret", 0, b"secret"),
        ("LOGIN", b"secret", 1, b"secret"),
        ("XOAUTH2", b"user=bob\x01auth=Bearer tok.en\x01\x01", 0, b"tok.en"),
        ("OAUTHBEARER", b"n,a=bob,\x01auth=Bearer tok.en\x01\x01", 0, b"tok.en"),
        ("CRAM-MD5", b"bob 0123456789abcdef", 0, b"bob 0123456789abcdef"),
    ],
)
def test_sasl_tells_passwords(mechanism: str, clear: bytes, step: int, password: bytes) -> None:
    line = base64.b64encode(clear)
    learned = sasl_passwords(mechanism, line, step)
    assert password in learned
    assert line in learned


def test_sasl_tells_nothing_where_there_is_nothing() -> None:
    assert sasl_passwords("LOGIN", base64.b64encode(b"bob"), 0) == []
    assert [sasl_passwords("PLAIN", line, 0) for line in (b"", b"*", b"=\r\n")] == [[], [], []]


@pytest.mark.parametrize(
    "text",
    [
        '* GENURLAUTH "imap://«joe»@h/x;urlauth=submit+fred:internal:«91354a47»"',
        "* NO [REFERRAL IMAP://«user;AUTH=*»@h/x] there",
        "* OK [WEBALERT «https://h/?t=1»] look",
        "* NO [BADURL «/x;urlauth=a:b:0»] no",
        "* OK see imaps://«bob»@h/",
        "* OK imap://h/x@y is no user",
        '* ID ("name" "x" "sid" "«42»" "version" "1")',
        '* METADATA "" (/private/vendor/x "«s»" /shared/comment "c")',
        "* OK [ALERT] nothing here",
    ],
)
def test_secrets_of_a_server_line(text: str) -> None:
    line, spans = marked(text)
    kind = line.split()[1].decode()
    # A token of a URL inside a code that is hidden whole is found twice.
    assert set(spans) <= set(server_secrets(line, kind, first=True))
    covered = {i for a, b in server_secrets(line, kind, first=True) for i in range(a, b)}
    assert covered == {i for a, b in spans for i in range(a, b)}


def test_id_values_after_a_literal_are_all_hidden() -> None:
    """Whether it was a key or a value is not known any more."""
    assert server_secrets(b' "name" "x")\r\n', "ID", first=False) == [(2, 6), (9, 10)]


def test_secret_literals_of_the_server() -> None:
    assert secret_literal(b'* ID ("x" {3}\r\n', "ID")
    assert secret_literal(b'* METADATA "" (/private/vendor/x {3}\r\n', "METADATA")
    assert not secret_literal(b'* METADATA "" (/shared/comment {3}\r\n', "METADATA")
    assert not secret_literal(b"* 1 FETCH (BODY[] {3}\r\n", "FETCH")


def test_tokens_are_found_in_either_direction_and_any_case() -> None:
    line, spans = marked("X;URLAUTH=A:INTERNAL:«0FF» and imap://h/ and aps-device-token «abc»")
    assert token_spans(line) == spans


class TestVault:
    def places(self, *secrets: bytes, data: bytes, words: bool = True, ended: bool = True) -> list[bytes]:
        vault = Vault()
        for secret in secrets:
            vault.learn(secret)
        return sorted({data[a:b] for a, b in vault.find(data, words=words, ended=ended)})

    def test_forms(self) -> None:
        secret = b'pa"ss\\word'
        data = b"x " + secret + b' y "pa\\"ss\\\\word" z ' + base64.b64encode(secret) + b" " + secret.upper()
        assert self.places(secret, data=data) == sorted(
            [secret, b'pa\\"ss\\\\word', base64.b64encode(secret), secret.upper()]
        )

    def test_inside_other_words(self) -> None:
        assert self.places(b"pass", data=b"xpassword") == [b"pass"]

    def test_short_ones_as_words_only_and_only_where_asked(self) -> None:
        assert self.places(b"ab", data=b"ab cab abc (AB)") == [b"AB", b"ab"]
        assert self.places(b"ab", data=b"ab", words=False) == []
        assert self.places(b"ab", data=b"xab") == []

    def test_a_word_at_the_end_may_go_on(self) -> None:
        assert self.places(b"ab", data=b"x ab", ended=False) == []
        assert self.places(b"ab", data=b"x ab ", ended=False) == [b"ab"]

    def test_nothing_and_too_much_are_not_learned(self) -> None:
        vault = Vault()
        vault.learn(b"")
        vault.learn(b"\r\n")
        vault.learn(b"x" * 10_000)
        assert vault.longest == 0

    def test_the_newest_are_kept(self) -> None:
        """A client that tries passwords all day costs no more than one that tries some."""
        vault = Vault()
        for number in range(10_000):
            vault.learn(b"password-%05d" % number)
        assert len(vault._forms) < 100
        assert vault.find(b"password-09999") == [(0, 14)]

    def test_it_does_not_show_what_it_knows(self) -> None:
        vault = Vault()
        vault.learn(b"secret")
        assert "secret" not in repr(vault) + str(vault)
