"""What a client is told that asks what nothing recorded answers: what is known all the same, or why it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.imap.transcript import readable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proxy.replay.asked import Asked
    from proxy.replay.match import Near
    from proxy.replay.serving.role import Role

_NOTHING_NEW = frozenset({"NOOP", "CHECK"})


def self_evident(tag: bytes, wanted: Asked, role: Role) -> bytes:
    """The answer to what may be asked at any time; nothing where there is none."""
    if wanted.name in _NOTHING_NEW and role.logged_in | (wanted.name == "NOOP"):
        return tag + b" OK " + wanted.name.encode() + b" completed\r\n"
    if wanted.name == "CAPABILITY" and (known := role.capabilities):
        return b"* CAPABILITY " + " ".join(known).encode() + b"\r\n" + tag + b" OK CAPABILITY completed\r\n"
    return b""


def why_not(wanted: Asked, near: Iterable[Near], role: Role) -> str:
    """Why nothing answers it; `near` is what comes nearest, the nearest first."""
    first = next(iter(near), None)
    if first is None or first.recorded.name != wanted.name:
        return f"no {wanted.name} was recorded"
    where = f"{first.session}/{first.number}"
    if not first.differences:
        if not role.logged_in:
            return f"log in first; {where} is recorded behind a login"
        return f"{where} is played already, or about another selected mailbox"
    return readable(f"nearest is {where}: {first.differences[0]}".encode())
