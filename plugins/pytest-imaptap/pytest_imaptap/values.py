"""What a test is given, what it may ask for, and the error that says why it gets nothing."""

from __future__ import annotations

import enum
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class Mode(enum.StrEnum):
    """When a cassette is recorded: never, if it is not there yet, always."""

    NONE = "none"
    ONCE = "once"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class ImapCassette:
    """The server of a test: where it listens, whom to trust, who logs in.

    `port` speaks TLS from the first byte, `starttls_port` after STARTTLS. While `recording`, the true server is behind
    it and wants the true password; a served cassette takes any.
    """

    host: str
    port: int
    starttls_port: int
    ca: Path
    user: str
    file: Path
    recording: bool

    def ssl_context(self) -> ssl.SSLContext:
        """One that trusts this server's authority and nobody else."""
        return ssl.create_default_context(cafile=self.ca)


class CassetteError(Exception):
    """Why there is no server for a test, or why its cassette was not kept: what happened, and what to do."""

    def __init__(self, what: str, hint: str) -> None:
        super().__init__(f"{what}\n{hint}" if hint else what)
