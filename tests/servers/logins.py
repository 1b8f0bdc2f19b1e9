"""Every way to log in that Dovecot knows, as a client says it, with what of it is secret."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.servers.dovecot import token

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.servers.scripted import Player

PLAIN_MARKER = "MARKatom7Qx9LmN2vB4"
ODD_MARKER = 'MARK "quo\\ted" 8Zr3Kw5'
ACCOUNTS = {"eve": PLAIN_MARKER, "odd": ODD_MARKER}


@dataclass
class Attempt:
    """One conversation up to the answer to its login."""

    player: Player
    pause: float | None = None
    """Seconds between single bytes; None sends each line whole."""
    secrets: list[str] = field(default_factory=list)

    def say(self, text: str, *, end: str = "\r\n") -> None:
        """A line, or a piece of one. The pauses are the thing under test: they cut the line after every byte."""
        data = (text + end).encode()
        if self.pause is None:
            self.player.connection.sendall(data)
            return
        for byte in data:
            self.player.connection.sendall(bytes([byte]))
            time.sleep(self.pause)

    def hear(self) -> str:
        """The next line from the server; the empty string at the end."""
        while b"\n" not in self.player.pending and self.player.read():
            continue
        line, found, rest = bytes(self.player.pending).partition(b"\n")
        self.player.pending[:] = rest
        return (line + found).decode().rstrip("\r\n") if found else ""

    def go_ahead(self) -> str:
        """The text of a continuation."""
        line = self.hear()
        assert line.startswith("+"), line
        return line[1:].strip()

    def sasl(self, text: str, *, hidden: bool = True) -> None:
        """A line of a SASL exchange, which is as secret as what is in it."""
        encoded = base64.b64encode(text.encode()).decode()
        if hidden:
            self.secrets += [encoded, text]
        self.say(encoded)

    def challenge(self) -> str:
        """A server's challenge: material for guessing, so hidden too."""
        encoded = self.go_ahead()
        text = base64.b64decode(encoded).decode()
        self.secrets += [encoded, text]
        return text

    def result(self) -> str:
        """OK, NO or BAD, from the first tagged line."""
        while line := self.hear():
            if line.startswith("hunt1 "):
                return line.split()[1]
        return ""


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def line(form: str) -> Callable[[Attempt], str]:
    """LOGIN in one line."""

    def login(attempt: Attempt) -> str:
        attempt.secrets += ACCOUNTS.values()
        attempt.say("hunt1 " + form.format(plain=PLAIN_MARKER, odd=_quoted(ODD_MARKER)))
        return attempt.result()

    return login


def literals(plus: str) -> Callable[[Attempt], str]:
    """LOGIN with both words as literals."""

    def login(attempt: Attempt) -> str:
        attempt.secrets.append(ODD_MARKER)
        attempt.say(f"hunt1 LOGIN {{3{plus}}}")
        if not plus:
            attempt.go_ahead()
        attempt.say(f"odd {{{len(ODD_MARKER)}{plus}}}")
        if not plus:
            attempt.go_ahead()
        attempt.say(ODD_MARKER)
        return attempt.result()

    return login


def one_answer(mechanism: str, response: Callable[[], str], *, initial: bool) -> Callable[[Attempt], str]:
    """A mechanism in which the client says one thing, in the command itself or when asked."""

    def login(attempt: Attempt) -> str:
        text = response()
        parts = (part.removeprefix("auth=Bearer ") for part in text.replace("\1", "\0").split("\0"))
        attempt.secrets += [PLAIN_MARKER, text, *(part for part in parts if len(part) > 15)]
        if initial:
            attempt.say(f"hunt1 AUTHENTICATE {mechanism} ", end="")
        else:
            attempt.say(f"hunt1 AUTHENTICATE {mechanism}")
            attempt.go_ahead()
        attempt.sasl(text)
        heard = attempt.hear()
        if heard.startswith("+"):  # the error of OAuth, which wants an empty answer before its NO
            attempt.secrets.append(heard[1:].strip())
            attempt.say("AQ==" if mechanism == "OAUTHBEARER" else "")
            return attempt.result()
        while heard.startswith("*"):
            heard = attempt.hear()
        return heard.split()[1]

    return login


def login_mechanism(attempt: Attempt) -> str:
    """AUTHENTICATE LOGIN: name and password, each asked for."""
    attempt.secrets.append(PLAIN_MARKER)
    attempt.say("hunt1 authenticate login")
    attempt.go_ahead()
    attempt.sasl("eve", hidden=False)
    attempt.go_ahead()
    attempt.sasl(PLAIN_MARKER)
    return attempt.result()


def cram_md5(attempt: Attempt) -> str:
    """The digest and the challenge together can be guessed at, so neither may be kept."""
    attempt.secrets.append(PLAIN_MARKER)
    attempt.say("hunt1 AUTHENTICATE CRAM-MD5")
    digest = hmac.new(PLAIN_MARKER.encode(), attempt.challenge().encode(), "md5").hexdigest()
    attempt.secrets.append(digest)
    attempt.sasl(f"eve {digest}")
    return attempt.result()


def scram(name: str, *, initial: bool) -> Callable[[Attempt], str]:
    """SCRAM without channel binding."""

    def login(attempt: Attempt) -> str:
        attempt.secrets.append(ODD_MARKER)
        first = "n=odd,r=MARKnonce5Tq8Wd1Zx6"
        if initial:
            attempt.say(f"hunt1 AUTHENTICATE {name} ", end="")
        else:
            attempt.say(f"hunt1 AUTHENTICATE {name}")
            attempt.go_ahead()
        attempt.sasl("n,," + first)
        challenge = attempt.challenge()
        fields = dict(part.split("=", 1) for part in challenge.split(","))
        kind = name.removeprefix("SCRAM-").replace("-", "").lower()
        salted = hashlib.pbkdf2_hmac(kind, ODD_MARKER.encode(), base64.b64decode(fields["s"]), int(fields["i"]))
        key = hmac.digest(salted, b"Client Key", kind)
        final = f"c=biws,r={fields['r']}"
        signature = hmac.digest(hashlib.new(kind, key).digest(), f"{first},{challenge},{final}".encode(), kind)
        proof = base64.b64encode(bytes(a ^ b for a, b in zip(key, signature, strict=True))).decode()
        attempt.secrets += [proof, fields["s"], fields["r"]]
        attempt.sasl(f"{final},p={proof}")
        attempt.challenge()
        attempt.say("")
        return attempt.result()

    return login


def cancelled(attempt: Attempt) -> str:
    """AUTHENTICATE, then second thoughts."""
    attempt.say("hunt1 AUTHENTICATE CRAM-MD5")
    attempt.challenge()
    attempt.say("*")
    return attempt.result()


def bearer(user: str, secret: str) -> str:
    """OAUTHBEARER's response."""
    return f"n,a={user},\1auth=Bearer {secret}\1\1"


def xoauth2(user: str, secret: str) -> str:
    """XOAUTH2's response."""
    return f"user={user}\1auth=Bearer {secret}\1\1"


FORMS: dict[str, tuple[Callable[[Attempt], str], str]] = {
    "login atom": (line("LOGIN eve {plain}"), "OK"),
    "login lower case": (line('login "eve" "{plain}"'), "OK"),
    "login quoted": (line("LOGIN odd {odd}"), "OK"),
    "login refused": (line("LOGIN nobody {odd}"), "NO"),
    "login doubled spaces": (line("LOGIN  eve  {plain}"), "OK"),
    "login third word": (line("LOGIN eve wrong {plain}"), "BAD"),
    "login missing word": (line("LOGIN {plain}"), "BAD"),
    "login unclosed quote": (line('LOGIN eve "{plain}'), "BAD"),
    "login literals": (literals(""), "OK"),
    "login literals+": (literals("+"), "OK"),
    "plain": (one_answer("PLAIN", lambda: f"\0odd\0{ODD_MARKER}", initial=False), "OK"),
    "plain initial": (one_answer("PLAIN", lambda: f"\0odd\0{ODD_MARKER}", initial=True), "OK"),
    "plain refused": (one_answer("plain", lambda: f"\0nobody\0{PLAIN_MARKER}", initial=True), "NO"),
    "login mechanism": (login_mechanism, "OK"),
    "cram-md5": (cram_md5, "OK"),
    "cancelled": (cancelled, "BAD"),
    "scram-sha-1": (scram("SCRAM-SHA-1", initial=True), "OK"),
    "scram-sha-256": (scram("SCRAM-SHA-256", initial=False), "OK"),
    "xoauth2": (one_answer("XOAUTH2", lambda: xoauth2("eve", token("eve", PLAIN_MARKER)), initial=True), "OK"),
    "xoauth2 asked": (one_answer("XOAUTH2", lambda: xoauth2("eve", token("eve", PLAIN_MARKER)), initial=False), "OK"),
    "xoauth2 refused": (one_answer("XOAUTH2", lambda: xoauth2("eve", PLAIN_MARKER * 2), initial=True), "NO"),
    "oauthbearer": (one_answer("OAUTHBEARER", lambda: bearer("eve", token("eve", PLAIN_MARKER)), initial=True), "OK"),
    "oauthbearer refused": (one_answer("OAUTHBEARER", lambda: bearer("eve", PLAIN_MARKER), initial=False), "NO"),
}
"""Name to the conversation and the answer that Dovecot gives."""
