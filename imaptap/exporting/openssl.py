"""`--format openssl`: what the client typed, with pauses, as a script for bash that types it into `openssl s_client`.

All that was recorded stands in it between single quotes: as it is where it can be printed, else in the octal escapes of
`printf %b`. No byte of it is read by the shell.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, BinaryIO

from imaptap.exporting.typed import Server, server, typed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from imaptap.exporting.selection import Selection
    from imaptap.exporting.settings import Settings
    from imaptap.exporting.typed import Typed
    from storage import Session

_PAUSE_LEAST, _PAUSE_MOST = 200, 3000
"""Milliseconds. A shorter one may overtake the server, and nobody likes to wait longer."""
_PLAIN = re.compile(rb"[ -~]*")
_BLOCK = 4096
_NOBODY = Server("localhost", 993, "implicit")
_HEAD = r"""#!/bin/bash
# What a mail client typed, as imaptap recorded it. It types it again:
#   bash FILE [HOST [PORT [OPTION OF openssl s_client]...]]
# IMAP_USER and IMAP_PASSWORD log in; what of them is not set is asked for. IMAP_TLS is implicit, starttls or none.
# IMAP_PACE=50 makes the pauses half as long.
set -u
export LC_ALL=C
say() { printf '%s\r\n' "$1"; }
bytes() { printf '%b' "$1"; }
pause() {
    local ms=$(($1 * 10#$pace / 100))
    sleep "$((ms / 1000)).$(printf '%03d' $((ms % 1000)))"
}
quoted() {
    local text=${1//\\/\\\\}
    printf '"%s"' "${text//\"/\\\"}"
}
login() { say "$1 LOGIN $(quoted "$user") $(quoted "$password")"; }
connect() {
    local name=(-servername "$host" -verify_hostname "$host") start=()
    if [ "$tls" = none ]; then
        exec 3<> "/dev/tcp/$host/$port" && { cat <&3 & cat >&3; wait; }
        return
    fi
    [[ $host == *:* || $host =~ ^[0-9.]+$ ]] && name=(-verify_ip "$host")
    [ "$tls" = starttls ] && start=(-starttls imap)
    openssl s_client -quiet -verify_return_error "${name[@]}" ${start[@]+"${start[@]}"} -connect "$at" "$@"
}
"""
_START = r"""[ $# -gt 0 ] && host=$1 && shift
[ $# -gt 0 ] && port=$1 && shift
at=$host:$port
[[ $host == *:* ]] && at=[$host]:$port
tls=${IMAP_TLS:-$tls} pace=${IMAP_PACE:-100} user=${IMAP_USER:-$user} password=${IMAP_PASSWORD:-}
case $pace in '' | *[!0-9]*) echo "IMAP_PACE must be a number" >&2; exit 2 ;; esac
"""
_ASK = r"""[ -n "$user" ] || read -rp 'User: ' user
[ -n "$password" ] || { read -rsp 'Password: ' password; echo >&2; }
"""


def write(selection: Selection, target: BinaryIO, settings: Settings) -> int:  # noqa: ARG001
    """Write one script for all sessions, one after the other. Returns how many bytes of commands are missing."""
    target.write(_HEAD.encode())
    missing, numbers, user, logs_in, where = 0, list[int](), "", False, _NOBODY
    for session in selection.sessions():
        written = _Session(session, target)
        for command in typed(selection, session):
            missing += command.lost
            written.type(command)
        written.end()
        numbers.append(session.number)
        user, logs_in = user or written.user, logs_in or written.logs_in
        where = where if where is not _NOBODY else server(session) or _NOBODY
    start = f"host={quoted(where.host.encode())} port={where.port} tls={where.tls} user={quoted(user.encode())}\n"
    target.write(start.encode() + _START.encode() + (_ASK.encode() if logs_in else b""))
    target.writelines(f'session_{number} | connect "$@"\n'.encode() for number in numbers)
    return missing


def quoted(text: bytes) -> str:
    """Printable ASCII for the shell, as one word of which it reads nothing."""
    return "'" + text.decode("ascii").replace("'", "'\\''") + "'"


def escaped(data: bytes) -> str:
    """Any bytes, for `printf %b`: all but letters and digits in octal."""
    return "'" + "".join(chr(byte) if chr(byte).isalnum() and byte < 128 else f"\\0{byte:03o}" for byte in data) + "'"


class _Session:
    """Writes a session as a function of the shell."""

    def __init__(self, session: Session, target: BinaryIO) -> None:
        self._target = target
        self.user, self.logs_in = "", False
        self._last = 0
        self._over = False
        self._line(f"session_{session.number}() {{", indent="")

    def type(self, command: Typed) -> None:
        """The next command, and what was typed behind it while it went on."""
        self._over = command.exchange.command == "LOGOUT"
        if command.why_not:
            self._line(f"# exchange {command.exchange.number} is left out: {command.why_not}")
            return
        was = command.was or "not answered"
        if command.logs_in:
            self.logs_in, self.user = True, self.user or command.user()
            self._wait(command.asks[0].at)
            self._line(f"login {quoted(_tag(command))}  # exchange {command.exchange.number}, was {was}")
            return
        for number, ask in enumerate(command.asks):
            self._wait(ask.at)
            remark = "" if number else f"  # exchange {command.exchange.number}, was {was}"
            for text, literal in zip(ask.unit.texts, (*ask.unit.literals, None), strict=False):
                self._type(text, remark)
                remark = ""
                if literal is not None:
                    if literal.synchronising:
                        self._line(f"pause {_PAUSE_LEAST}")
                    self._bytes(command.content(literal) or ())

    def end(self) -> None:
        """The end of the function; the connection must come to its own."""
        self._line(f"pause {_PAUSE_LEAST}")
        if not self._over:
            self._line("say 'imaptap LOGOUT'  # the client went without a word, and then openssl would wait")
        self._line("}", indent="")

    def _wait(self, at: int) -> None:
        pause = min(max((at - self._last) // 1000, _PAUSE_LEAST), _PAUSE_MOST)
        self._last = at
        self._line(f"pause {pause}")

    def _type(self, text: bytes, remark: str) -> None:
        line = text.removesuffix(b"\r\n")
        if len(line) < len(text) and _PLAIN.fullmatch(line):
            self._line(f"say {quoted(line)}{remark}")
        elif text:
            self._bytes((text,), remark)

    def _bytes(self, blocks: Iterable[bytes], remark: str = "") -> None:
        for block in blocks:
            for start in range(0, len(block), _BLOCK):
                self._line(f"bytes {escaped(block[start : start + _BLOCK])}{remark}")

    def _line(self, text: str, indent: str = "    ") -> None:
        self._target.write(f"{indent}{text}\n".encode("ascii"))


def _tag(command: Typed) -> bytes:
    tag = command.asks[0].unit.texts[0].split(b" ", 1)[0]
    return tag if _PLAIN.fullmatch(tag) else b"imaptap"
