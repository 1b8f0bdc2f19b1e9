"""The formats: a row for each, and how its module is found when it is asked for."""

from __future__ import annotations

import enum
import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from imaptap.exporting.errors import ExportError

if TYPE_CHECKING:
    from collections.abc import Callable

    from imaptap.exporting.selection import Selection
    from imaptap.exporting.settings import Settings


class Kind(enum.Enum):
    """What a format is written to, which is the second argument of its `write`."""

    TEXT = enum.auto()
    """A binary file, UTF-8 that no terminal obeys: all that a peer sent is escaped."""
    BYTES = enum.auto()
    """A binary file that must not reach a terminal. It need not be seekable."""
    PATH = enum.auto()
    """The path of a file that is not there yet."""
    FOLDER = enum.auto()
    """The path of an empty folder."""


class Level(enum.Enum):
    """What an address names."""

    RECORDING = "a recording"
    SESSION = "a session"
    EXCHANGE = "an exchange"


@dataclass(frozen=True, slots=True)
class Format:
    """A format. `imaptap.exporting.MODULE` has its `write(selection, target, settings)`.

    That returns how many bytes it should have had and the recording has not (holes, literals that were not kept): it
    tells of them in its own way and goes on. Where a format cannot go on it raises GapError, and what was written
    stays. Either way the command exits 1. Raises ExportError where the selection cannot be written at all; nothing
    stays then, nor after any other exception.
    """

    name: str
    help: str
    kind: Kind
    options: tuple[str, ...] = ()
    """Which of the fields of `Settings` it heeds; others are refused."""
    needs: tuple[str, ...] = ()
    """Those of them that it cannot do without."""
    levels: tuple[Level, ...] = tuple(Level)
    filters: bool = True
    """Whether it can be made of the exchanges that a filter chose."""
    extra: str = ""
    """The extra of the package that it needs, if any."""
    module: str = ""
    """Where not called as the format."""

    def writer(self) -> Callable[[Selection, Any, Settings], int]:
        """Its `write`. Raises ExportError where its extra is not installed."""
        try:
            module = importlib.import_module(f"imaptap.exporting.{self.module or self.name}")
        except ImportError as error:
            if not self.extra:
                raise
            raise ExportError(
                f"--format {self.name} needs {error.name}, which is not installed.",
                f"Install it: pip install 'imaptap[{self.extra}]'.",
            ) from error
        write: Callable[[Selection, Any, Settings], int] = module.write
        return write


_ROWS = (
    Format(
        "raw",
        "the bytes of one side of a session",
        Kind.BYTES,
        options=("side", "as_sent"),
        needs=("side",),
        levels=(Level.SESSION, Level.EXCHANGE),
    ),
    Format(
        "cassette",
        "all of it as text that can be imported (docs/cassettes.md)",
        Kind.TEXT,
        levels=(Level.RECORDING, Level.SESSION),
        filters=False,
    ),
    Format("text", "C: and S: lines, for people and for import", Kind.TEXT, options=("bodies", "times")),
    Format("markdown", "for an issue tracker", Kind.TEXT, options=("bodies", "limit")),
    Format("html", "one page for a browser, with search and timeline", Kind.TEXT, options=("bodies",)),
    Format("ndjson", "all of it as JSON, an object a line, for programs and for import", Kind.TEXT),
    Format("sqlite", "a database with just this (docs/schema.md)", Kind.PATH),
    Format("parquet", "a table of the exchanges", Kind.BYTES, extra="analytics"),
    Format("pcapng", "made-up TCP connections for Wireshark and tshark", Kind.BYTES, options=("as_sent",)),
    Format("eml", "a file for each message in FETCH and APPEND", Kind.FOLDER),
    Format("mbox", "the same messages in one file", Kind.BYTES),
    Format("rawlog", "two files a session, as Dovecot's rawlog_dir has them", Kind.FOLDER, options=("as_sent",)),
    Format("mailkit", "the log of MailKit's ProtocolLogger", Kind.BYTES, options=("as_sent", "times")),
    Format("openssl", "a script that types it again into `openssl s_client`", Kind.TEXT),
    Format("python", "a program that asks it again with imaplib", Kind.TEXT),
    Format("imaptest", "scripted tests for Dovecot's ImapTest", Kind.FOLDER),
)

FORMATS: Final = {row.name: row for row in _ROWS}
"""By name, in the order of --help."""
