"""The formats that can be imported, in the order in which a file is asked whether it is one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from imaptap.importing import cyrus, mailkit, pcap, rawlog, terminal, text, thunderbird

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from imaptap.importing.values import Statement

HEAD: Final = 64 * 1024
"""Bytes of a file by which it is recognised."""


class Format(NamedTuple):
    """A kind of log: how people call it, and who knows and reads it. With `together`, several files are one log."""

    name: str
    title: str
    recognise: Callable[[bytes], bool]
    read: Callable[[Sequence[Path]], Iterator[Statement]]
    together: bool = False


FORMATS: Final = (
    Format("pcap", "packet capture", pcap.recognise, pcap.read),
    Format("text", "transcript of imaptap", text.recognise, text.read),
    Format("rawlog", "Dovecot rawlog", rawlog.recognise, rawlog.read, together=True),
    Format("cyrus", "Cyrus telemetry", cyrus.recognise, cyrus.read),
    Format("thunderbird", "Thunderbird log", thunderbird.recognise, thunderbird.read),
    Format("mailkit", "MailKit protocol log", mailkit.recognise, mailkit.read),
    Format("transcript", "transcript", terminal.recognise, terminal.read),
)


def named(name: str) -> Format:
    """The format of this name."""
    return next(form for form in FORMATS if form.name == name)


def recognised(head: bytes) -> Format | None:
    """Of which format a file is that begins so; None for none."""
    return next((form for form in FORMATS if form.recognise(head)), None)
