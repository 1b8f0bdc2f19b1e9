"""How long a filter takes on a large database: `python -m bench.filter --db FILE|URL`.

Makes a recording of `--exchanges` exchanges where there is none yet (`bench.filter_data`), has it indexed, then asks
each question below several times, interleaved: for how many exchanges match in each recording (`imaptap ls --filter`),
and for the first page of 500. Prints medians in milliseconds as a Markdown table. What is measured is a `Search` from
beginning to end, the look whether the index is up to date included; not the start of Python. CPU is this process's, and
with PostgreSQL on the same machine its backend's too, in steps of 10 ms (not that of parallel workers, of which there
shall be none: say `?options=-c%20max_parallel_workers_per_gather=0` in the URL).
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench.filter_data import record
from storage import StorageError, open_store
from storage.filter import Search, parse
from storage.prune import size

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from storage import Store

PAGE = 500

_Time = tuple[float, float]

QUESTIONS = (
    "cmd:FETCH", "cmd:XYZZY", "tag:a0017", "tag:a001*", "tag:*7", "mailbox:INBOX", 'mailbox:"Work/*"', "status:OK",
    "status:NO", "code:TRYCREATE", "not status:*", "outcome:completed", "incomplete", "open", "origin:proxy",
    "response:SEARCH", "response:FETCH", 'mark:"tag reused"', "odd", "certainty:sure", "certainty:likely",
    "unsolicited", "ambiguous", "event:security", "rewrite",
    "quirk", "not quirk", "quirk:SHORT_ENVELOPE", "quirk:*SPACE", "flag:\\Deleted", "flag:\\Seen",
    "uid:4711", "uid:199000", "uid>199990", "uid>100", "not uid>100", "uid:4711 or status:NO", "not uid:4711",
    "internaldate>2026-11-01", "internaldate:2026-11-01", "internaldate<2021-01-01", "not internaldate>2023-01-01",
    'text:"over quota"', "text:invoice", "text:completed", 'text:"fetch completed"', 'text:"nil nil nil"',
    'text:"holi*"', 'text:"co*"', 'text:"c*"', 'text:"1*"', "not text:completed", "text:completed or status:NO",
    'text:"fetch completed" or flag:\\Seen', "text:invoice or text:meeting", "text:completed not text:invoice",
    "ms>500", "ms<1", "bytes>1MB", "bytes>1KB", "client_bytes>=30KB", "client_bytes>70", "server_bytes=0",
    "server_bytes>300", "at>2026-06-04T00:00Z", "at:2026-05-29T10Z", "recording:bench-2", "session:77", "session>100",
    "client:10.0.7.*", "client:*.7.*", "not client:10.0.7.*", "client:Client3", "server:mail1.example.org",
    "cap:CONDSTORE", "not cap:CONDSTORE", "cmd:FETCH mailbox:INBOX ms>100", "status:NO or status:BAD or ms>1s",
    "text:completed status:NO", "not (cmd:NOOP or cmd:FETCH or cmd:SEARCH)", "flag:\\Seen text:invoice bytes>200",
    "text:completed or client:Client3",
)  # fmt: skip
"""Each fact and each word of docs/filter.md at least once, and what is known to be hard."""


def main() -> None:
    """Make, index, ask, print."""
    options = _options()
    with open_store(options.db, create=True) as store:
        if not store.recordings():
            _timed("recorded", lambda: record(store, options.exchanges))
        before = size(store)
        _timed("indexed", lambda: Search(store, parse("open"), progress=_progress).counts())
        exchanges = sum(store.totals(each).exchanges for each in store.recordings())
        print(f"{exchanges} exchanges; the index took {(size(store) - before) / 1e6:.0f} MB of {size(store) / 1e6:.0f}")
        _ask(store, options.only or QUESTIONS, options.rounds)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--db", required=True, help="a SQLite file or a postgresql:// URL; made if it is not there")
    parser.add_argument("--exchanges", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", action="append", help="ask this filter, not those in QUESTIONS; may be repeated")
    return parser.parse_args()


def _timed(what: str, job: Callable[[], object]) -> None:
    begin, busy = time.perf_counter(), time.process_time()
    job()
    print(f"{what} in {time.perf_counter() - begin:.1f} s ({time.process_time() - busy:.1f} s of CPU here)", flush=True)


def _progress(done: int, count: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{done} of {count}", end="", file=sys.stderr)


def _ask(store: Store, questions: Iterable[str], rounds: int) -> None:
    asked = tuple(questions)
    counting: list[list[_Time]] = [[] for _ in asked]
    paging: list[list[_Time]] = [[] for _ in asked]
    matches = [0] * len(asked)
    for _, (index, question) in itertools.product(range(rounds), enumerate(asked)):
        with _clocked(store, counting[index]):
            matches[index] = sum(Search(store, parse(question)).counts().values())
        with _clocked(store, paging[index]):
            Search(store, parse(question)).first(PAGE)
    print("| filter | matches | count, ms | CPU | first page, ms | CPU |\n|---|---|---|---|---|---|")
    for question, found, *times in zip(asked, matches, counting, paging, strict=True):
        cells = (f"{1000 * statistics.median(each):.0f}" for some in times for each in zip(*some, strict=True))
        print(f"| `{question}` | {found} | {' | '.join(cells)} |")


@contextlib.contextmanager
def _clocked(store: Store, times: list[_Time]) -> Generator[None, None, None]:
    busy, begin = _busy(store), time.perf_counter()
    yield
    taken = time.perf_counter() - begin
    times.append((taken, _busy(store) - busy))


def _busy(store: Store) -> float:
    """Seconds of CPU of this process, and of what PostgreSQL has at work for this database."""
    mine = time.process_time()
    if store.engine.dialect.name != "postgresql":
        return mine
    with store.reading() as connection:
        query = "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
        backends = connection.exec_driver_sql(query).scalars().all()
    # utime and stime: proc(5)
    fields = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in backends]
    return mine + sum(int(each[11]) + int(each[12]) for each in fields) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    try:
        main()
    except StorageError as error:
        sys.exit(f"{error} {error.hint}")
