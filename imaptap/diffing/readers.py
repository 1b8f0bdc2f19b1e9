"""Both sides' sessions read by processes of their own, for one user's whom only one process can judge.

What is learned of a session's names and UIDs goes on with the next one, so the sessions of one user are judged one
after another. But two thirds of the work is to read them, and for that neither side has to know of the other.
"""

from __future__ import annotations

import contextlib
import multiprocessing
from typing import TYPE_CHECKING, NamedTuple, cast

from imaptap.diffing.begin import begin, births
from imaptap.diffing.parcels import packed, parcels, unpacked
from imaptap.reading.dialogues import all_dialogues
from storage import StorageError, open_store

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from multiprocessing.connection import Connection
    from types import TracebackType
    from typing import Self

    from proxy.imap.view.dialogue import Dialogue
    from storage import Session

DIED = "A process that compared sessions has died."
DIED_HINT = "It may have run out of memory. Compare single sessions: RECORDING/SESSION."
_OVER = b""


class _Failed(NamedTuple):
    """The last word of a reader that cannot go on."""

    message: str
    hint: str


class Reader:
    """A process that reads sessions, in the order in which they will be asked for. To be closed, by `with`."""

    def __init__(self, db: str, sessions: Sequence[Session], text_most: int) -> None:
        """`text_most` is how many bytes of text the answers of a dialogue may have."""
        context = multiprocessing.get_context("spawn")  # not forked: this process has threads, of rich's progress bar
        self._coming, theirs = context.Pipe(duplex=False)
        self._process = context.Process(target=_read, args=(theirs, db, sessions, text_most), daemon=True)
        with births():
            self._process.start()
        theirs.close()  # else its end would not be seen here
        self._under_way = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._coming.close()
        self._process.terminate()
        self._process.join()

    def next(self) -> Iterator[Dialogue]:
        """The dialogues of the next session; those of the one before that nobody took are passed over.

        Raises StorageError.
        """
        while self._under_way:
            self._take()
        self._under_way = True
        return self._told()

    def _told(self) -> Iterator[Dialogue]:
        while batch := self._take():
            yield from batch

    def _take(self) -> list[Dialogue]:
        """Some more of the session under way; none when it is over."""
        try:
            parcel = self._coming.recv_bytes()
        except (EOFError, OSError) as error:
            raise StorageError(DIED, DIED_HINT) from error
        if parcel == _OVER:
            self._under_way = False
            return []
        told = unpacked(parcel)
        if isinstance(told, _Failed):
            raise StorageError(told.message, told.hint)
        return cast("list[Dialogue]", told)


def _read(told: Connection, db: str, sessions: Sequence[Session], text_most: int) -> None:
    """What such a process does."""
    begin()
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # nobody wants to hear more
        try:
            with open_store(db, create=False) as store:
                for session in sessions:
                    for parcel in parcels(all_dialogues(store, session, text_most)):
                        told.send_bytes(parcel)
                    told.send_bytes(_OVER)
        except StorageError as error:
            told.send_bytes(packed(_Failed(str(error), error.hint)))
        except (BrokenPipeError, ConnectionResetError):
            raise
        except Exception as error:  # noqa: BLE001 - who judges must hear of it, whatever it is
            # Without its text, which may quote the traffic.
            fault = f"imaptap has a fault of its own: {type(error).__name__}."
            told.send_bytes(packed(_Failed(fault, "Please report this.")))
