"""The statements of M 6 that a real server can show: STARTTLS, LOGINDISABLED, COMPRESS, SCRAM and IDLE with Dovecot."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import ssl
import zlib
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any

import pytest

from tests.servers.certificates import make_identity
from tests.servers.dovecot import Dovecot
from tests.servers.recorder import EVERY_LISTENER, SCHEMES, Recorder
from tests.servers.scripted import Player, dial

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LISTENERS = tuple(word for url in EVERY_LISTENER for word in ("--listen", url))
TRANSPORTS = pytest.mark.parametrize("transport", ["asyncio", "aiofastnet"])
UPSTREAMS = pytest.mark.parametrize("upstream", ["implicit", "starttls", "plain"])
MODES = pytest.mark.parametrize("mode", ["implicit", "starttls", "plain"])


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dovecot]:
    """A Dovecot that hears no password in clear. It trusts who comes from its own address, so it needs a second one."""
    identity = make_identity(tmp_path_factory.mktemp("strict"), ("127.0.0.2",))
    with Dovecot(plaintext_auth=False, identity=identity, extra="listen = 127.0.0.1, 127.0.0.2") as server:
        yield server


def record(
    folder: Path, server: Dovecot, upstream: str, transport: str, *words: str, host: str = "localhost"
) -> Recorder:
    """A recorder in front of it."""
    port = server.tls_port if upstream == "implicit" else server.plain_port
    url = f"{SCHEMES[upstream]}://{host}:{port}"
    return Recorder(folder, url, "--upstream-ca", str(server.ca), "--transport", transport, *LISTENERS, *words)


class Mail:
    """A client that says a command and reads up to its answer."""

    def __init__(self, player: Player) -> None:
        self.player = player
        self._tags = iter(range(1000))

    def greeting(self) -> str:
        """The server's first line."""
        return self.until(rb"[^\r]*\r\n")

    def until(self, pattern: bytes) -> str:
        """All up to the end of what matches."""
        while not (found := re.search(pattern, self.player.pending)):
            assert self.player.read(), bytes(self.player.pending)
        said = bytes(self.player.pending[: found.end()])
        del self.player.pending[: found.end()]
        return said.decode()

    def say(self, text: str) -> str:
        """Send a line; its tag."""
        tag = f"w{next(self._tags)}"
        self.player.connection.sendall(f"{tag} {text}\r\n".encode())
        return tag

    def ask(self, text: str) -> str:
        """A command with its whole answer."""
        return self.until(rb"(?m)^%s [^\r]*\r\n" % self.say(text).encode())

    def starttls(self) -> None:
        """Both sides shake hands."""
        assert " OK " in self.ask("STARTTLS")
        self.player.secure()


def call(recorder: Recorder, mode: str) -> Player:
    """Connect in this mode; STARTTLS is still to be said."""
    context = ssl.create_default_context(cafile=recorder.ca)
    return dial(recorder.port(mode), context, implicit=mode == "implicit")


def capabilities(answer: str) -> set[str]:
    """The words of the list in it."""
    found = re.search(r"CAPABILITY ([^\]\r]*)", answer)
    assert found, answer
    return set(found[1].split())


@TRANSPORTS
@UPSTREAMS
def test_what_every_kind_of_client_sees(dovecot: Dovecot, tmp_path: Path, upstream: str, transport: str) -> None:
    """STARTTLS shows where the client can use it and nowhere else; a login works in all nine pairs."""
    with record(tmp_path, dovecot, upstream, transport) as recorder:
        for mode in ("implicit", "starttls", "plain"):
            with closing(call(recorder, mode)) as player:
                mail = Mail(player)
                assert mail.greeting().startswith("* OK ")
                assert ("STARTTLS" in capabilities(mail.ask("CAPABILITY"))) is (mode == "starttls")
                if mode == "starttls":
                    mail.starttls()
                    assert "STARTTLS" not in capabilities(mail.ask("CAPABILITY"))
                in_answer = capabilities(mail.ask("LOGIN bob secret"))
                assert "IDLE" in in_answer
                assert "STARTTLS" not in in_answer
                assert " OK " in mail.ask("SELECT INBOX")
                assert "* BYE" in mail.ask("LOGOUT")
                assert player.rest() == b""
        recorder.ended(3)
        for number in (1, 2, 3):
            assert all(exchange["status"] == "OK" for exchange in recorder.session(number)["exchanges"])


@TRANSPORTS
@MODES
def test_no_password_in_clear(strict: Dovecot, tmp_path: Path, mode: str, transport: str) -> None:
    """LOGINDISABLED of the leg in clear is hidden where imaptap or the client encrypts it; who does not is told no."""
    with record(tmp_path, strict, "starttls", transport, host="127.0.0.2") as recorder:
        with closing(call(recorder, mode)) as player:
            mail = Mail(player)
            mail.greeting()
            assert ("LOGINDISABLED" in capabilities(mail.ask("CAPABILITY"))) is (mode == "starttls")
            if mode == "starttls":
                mail.starttls()
                assert "LOGINDISABLED" not in capabilities(mail.ask("CAPABILITY"))
            assert " OK " in mail.ask("LOGIN bob secret")
            assert "* BYE" in mail.ask("LOGOUT")
        with closing(call(recorder, "starttls")) as player:
            mail = Mail(player)
            mail.greeting()
            mail.say("LOGIN bob hunter2")
            assert "* BYE imaptap: The client wants to log in before STARTTLS" in mail.until(rb"BYE [^\r]*\r\n")
            assert player.rest() == b""
        assert recorder.ended(2)[1]["ending"] == "failed"
    assert b"hunter2" not in b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())


@TRANSPORTS
@pytest.mark.parametrize(
    ("policy", "upstream"),
    [("decode", "implicit"), ("decode", "starttls"), ("decode", "plain"), ("opaque", "plain"), ("strip", "implicit")],
)
def test_compress(dovecot: Dovecot, tmp_path: Path, upstream: str, transport: str, policy: str) -> None:
    """M 6.12: the client compresses at once after the OK; the session goes on and is on record as asked for."""
    with record(tmp_path, dovecot, upstream, transport, "--compress", policy) as recorder:
        with closing(call(recorder, "plain")) as player:
            mail = Mail(player)
            mail.greeting()
            words = capabilities(mail.ask("LOGIN bob secret"))
            assert ("COMPRESS=DEFLATE" in words) is (policy != "strip")
            tag = mail.say("COMPRESS DEFLATE")
            mail.until(rb"%s OK [^\r]*\r\n" % tag.encode())
            answer = deflated(player, b"d EXAMINE INBOX\r\ne FETCH 1 BODY.PEEK[]\r\nf COMPRESS DEFLATE\r\ng LOGOUT\r\n")
        [session] = recorder.ended(1)
        shown = recorder.session(session["session"])
        stored = recorder.stored(session["session"]).streams["server"]
    # Dovecot answers in an order of its own.
    answers = dict(re.findall(rb"(?m)^([defg]) (OK|NO|BAD)", answer))
    assert answers == {b"d": b"OK", b"e": b"OK", b"f": b"NO", b"g": b"OK"}
    commands = [
        (exchange["command"], exchange["status"]) for exchange in shown["exchanges"] if exchange["origin"] == "client"
    ]
    if policy == "opaque":
        assert commands == [("LOGIN", "OK"), ("COMPRESS", "OK")]
    else:
        assert commands[2:] == [("EXAMINE", "OK"), ("FETCH", "OK"), ("COMPRESS", "NO"), ("LOGOUT", "OK")]
        assert stored.endswith(answer)


def deflated(player: Player, commands: bytes) -> bytes:
    """Say all of this compressed; all that is answered until the server closes, inflated."""
    stream = zlib.compressobj(wbits=-15)
    player.connection.sendall(stream.compress(commands) + stream.flush(zlib.Z_SYNC_FLUSH))
    inflate = zlib.decompressobj(wbits=-15)
    answer = inflate.decompress(bytes(player.pending))
    player.pending.clear()
    while data := player.read():
        answer += inflate.decompress(data)
    return answer


@TRANSPORTS
@pytest.mark.parametrize(("policy", "shown"), [("auto", True), ("pass", True), ("hide", False)])
def test_scram(dovecot: Dovecot, tmp_path: Path, transport: str, policy: str, shown: bool) -> None:
    """M 6.10: without a -PLUS on offer it passes, and a login with it works through TLS on both sides."""
    with record(tmp_path, dovecot, "implicit", transport, "--scram", policy) as recorder:
        with closing(call(recorder, "implicit")) as player:
            mail = Mail(player)
            mail.greeting()
            words = capabilities(mail.ask("CAPABILITY"))
            assert not any(word.endswith("-PLUS") for word in words)
            assert ("AUTH=SCRAM-SHA-256" in words) is shown
            assert " OK " in scram_login(mail, "bob", "secret")
            mail.ask("LOGOUT")
        recorder.ended(1)
        exchange = recorder.session(1)["exchanges"][1]
        assert (exchange["command"], exchange["status"]) == ("AUTHENTICATE", "OK")


def scram_login(mail: Mail, user: str, password: str) -> str:
    """RFC 5802 with SHA-256; the server's signature is checked, so nothing was changed in between."""
    bare = f"n={user},r=rOprNGfwEbeRWgbNEkqO"
    mail.say("AUTHENTICATE SCRAM-SHA-256")
    mail.until(rb"\+ ?\r\n")
    mail.player.connection.sendall(base64.b64encode(f"n,,{bare}".encode()) + b"\r\n")
    first = base64.b64decode(mail.until(rb"\+ [^\r]*\r\n")[2:]).decode()
    fields = dict(field.split("=", 1) for field in first.split(","))
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(fields["s"]), int(fields["i"]))
    final = f"c=biws,r={fields['r']}"
    message = f"{bare},{first},{final}".encode()
    key = hmac.digest(salted, b"Client Key", "sha256")
    signature = hmac.digest(hashlib.sha256(key).digest(), message, "sha256")
    proof = base64.b64encode(bytes(a ^ b for a, b in zip(key, signature, strict=True))).decode()
    mail.player.connection.sendall(base64.b64encode(f"{final},p={proof}".encode()) + b"\r\n")
    verifier = base64.b64decode(mail.until(rb"\+ [^\r]*\r\n")[2:])
    expected = hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), message, "sha256")
    assert verifier == b"v=" + base64.b64encode(expected)
    mail.player.connection.sendall(b"\r\n")
    return mail.until(rb"(?m)^w\d+ [^\r]*\r\n")


@TRANSPORTS
@pytest.mark.parametrize("mode", ["implicit", "plain"])
def test_idle(dovecot: Dovecot, tmp_path: Path, mode: str, transport: str) -> None:
    """What happens in the mailbox comes through at once, without anybody asking."""
    with record(tmp_path, dovecot, "implicit", transport) as recorder, ExitStack() as stack:
        idler, other = (Mail(stack.enter_context(closing(call(recorder, mode)))) for _ in range(2))
        for mail in (idler, other):
            mail.greeting()
            mail.ask("LOGIN bob secret")
        other.ask(f"CREATE idle-{mode}-{transport}")
        idler.ask(f"SELECT idle-{mode}-{transport}")
        tag = idler.say("IDLE")
        idler.until(rb"\+ [^\r]*\r\n")
        assert " OK " in other.ask(f"APPEND idle-{mode}-{transport} {{8+}}\r\nA: b\r\n\r\n")
        assert "* 1 EXISTS" in idler.until(rb"\* 1 EXISTS\r\n")
        idler.player.connection.sendall(b"DONE\r\n")
        idler.until(rb"%s OK [^\r]*\r\n" % tag.encode())
        for mail in (idler, other):
            mail.ask("LOGOUT")
            mail.player.close()
        recorder.ended(2)
        exchanges: list[dict[str, Any]] = recorder.session(1)["exchanges"]
        [idle] = [exchange for exchange in exchanges if exchange["command"] == "IDLE"]
        assert idle["status"] == "OK"
