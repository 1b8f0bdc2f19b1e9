"""`imaptap serve --mode`: which of them serves, which asks a server, and which records what and where."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from imaptap.cli.cassettes import cassette
from imaptap.cli.errors import UserError
from imaptap.cli.serve_options import Mode
from imaptap.cli.trust_options import trust
from imaptap.cli.written import need_place
from proxy.imap.letters.policy import Bodies
from proxy.live.admission import parse_network
from proxy.live.endpoint import parse_listen, parse_upstream
from proxy.live.settings import Settings
from storage import StorageError, database_file, need_name, open_store

if TYPE_CHECKING:
    from imaptap.cli.serve_options import ServeOptions

_CASSETTE = ".cassette"
_SERVING = (Mode.NONE, Mode.SPY)
"""They need a RECORDING, and say so where there is none when they look for it."""


@dataclass(frozen=True, slots=True)
class Course:
    """What a run does. `file` is the cassette that is served or recorded, where it is one, and `there` whether it is.

    `upstream` is how the server is reached, None where no mode asks for one.
    """

    mode: Mode
    file: Path | None
    there: bool
    upstream: Settings | None

    @property
    def records(self) -> bool:
        """Whether all comes from the server, and is recorded."""
        return self.mode is Mode.ALL or (not self.there and self.mode in {Mode.ONCE, Mode.NEW})

    @property
    def adds(self) -> bool:
        """Whether what is new is added to what is served."""
        return self.mode is Mode.NEW and not self.records

    @property
    def asks(self) -> bool:
        """Whether a server is asked what is not recorded, while the rest is served."""
        return self.mode in {Mode.NEW, Mode.SPY} and not self.records

    def keeps(self, options: ServeOptions, *, db_named: bool) -> bool:
        """Whether what is served is recorded, too, beside RECORDING. Raises UserError for words that would do nothing.

        `db_named`: whether --db was given.
        """
        own = self.records or self.adds
        if own and options.no_record:
            raise UserError(
                f"--mode {self.mode} is to record {options.address!r}, and --no-record to record nothing.",
                "Leave --no-record out, or give --mode none or spy.",
            )
        keeps = db_named and not (own or options.no_record or self.mode is Mode.SPY)
        if options.name is not None and not keeps:
            raise UserError(
                f"What is recorded with --mode {self.mode} is called {options.address!r}, and not {options.name!r}."
                if own
                else f"Nothing is recorded here that could be called {options.name!r}.",
                "Leave --name out: it is for what is served, where --db has that recorded.",
            )
        if options.bodies is not Bodies.FULL and self.mode in _SERVING and not keeps:
            raise UserError(
                "Nothing is recorded here of which letters could be kept, or not.",
                "Leave --bodies out, or give --db, or --mode once, new or all.",
            )
        return keeps


def course(options: ServeOptions) -> Course:
    """What was asked for. Raises UserError where it makes no sense, or could not be written at the end."""
    mode = Mode(options.mode)
    file, there = _place(options)
    found = Course(mode, file, there, _upstream(options))
    if mode is Mode.NONE and options.upstream is not None:
        raise UserError(
            "With --mode none no server is asked, so --upstream is of no use.", "Give --mode once, new, all or spy."
        )
    if (found.records or found.asks) and options.upstream is None:
        raise UserError(f"--mode {mode} has to ask a server, and none is given.", "Give --upstream imaps://HOST.")
    if found.records and found.there and _rest(options):
        raise UserError(f"{options.address!r} is one session, and --mode all records anew.", "Name its recording.")
    if found.records and not found.there and file is None:
        need_name(options.address)
    if file is not None and (found.records or found.adds):
        need_place(file)
    return found


def _upstream(options: ServeOptions) -> Settings | None:
    """As for clients, too: they reach the server itself where all is recorded."""
    if options.upstream is None:
        return None
    return Settings(
        upstream=parse_upstream(options.upstream),
        listen=tuple(map(parse_listen, options.listen)),
        allow=tuple(map(parse_network, options.allow)),
        trust=trust(options),
        bodies=options.bodies,
    )


def _place(options: ServeOptions) -> tuple[Path | None, bool]:
    """The cassette that the address names, if it does; and whether there is what it names."""
    found = cassette(options.address)
    if found is not None:
        return found[0], True
    file = Path(options.address)
    if file.suffix == _CASSETTE:
        if not file.exists():
            return file, False
        if options.mode not in _SERVING and not _recorded(options):
            raise UserError(f"{file} is there, and is no cassette.", "Remove it, or name another one.")
    return None, options.mode in _SERVING or _recorded(options)


def _recorded(options: ServeOptions) -> bool:
    path = database_file(options.db)
    if path is not None and not path.exists():
        return False
    with open_store(options.db, create=False) as store:
        try:
            store.recording(options.address.partition("/")[0])
        except StorageError:
            return False
    return True


def _rest(options: ServeOptions) -> str:
    known = cassette(options.address)
    return known[1] if known is not None else options.address.partition("/")[2]
