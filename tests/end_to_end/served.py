"""Makes docs/served.md: the clients of the testbed, each recorded at a Dovecot, then served without it, three times.

`python -m tests.end_to_end.served` (or `make served`) writes the page anew; words are names of clients, for those only.
With --db, recordings stay in that file.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tests.end_to_end.encores import not_the_same_again, record
from tests.end_to_end.testbed import CLIENTS, HURRIED, TRIES, UNSUPPORTED, chosen, run_job
from tests.end_to_end.unhurried import Change, copied
from tests.need import ROOT, shared
from tests.servers.served import Served

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.servers.tee import Mode

PAGE = ROOT / "docs" / "served.md"
AT_ONCE = 3
RUNS = 3

_COMMON = "clients/lib/common.sh"
_STEADY = (
    Change(_COMMON, "FOLDER=tb-$CLIENT-$$", "FOLDER=tb-$CLIENT-4711"),
    Change(_COMMON, "KEY=$CLIENT-$$-$(date +%s)", "KEY=$CLIENT-4711-1700000000"),
    Change(
        _COMMON, "export HOME XDG_CONFIG_HOME ", "export PERL_HASH_SEED=0 PERL_PERTURB_KEYS=0 HOME XDG_CONFIG_HOME "
    ),
    Change("clients/offlineimap.sh", "maxconnections = 3", "maxconnections = 1"),
)
"""Jobs name their folder and their letters by process and time, Perl shuffles its hashes each time that it runs, and
offlineimap's threads share its connections by chance: here they are the same each time.
"""


class Way(NamedTuple):
    """How a client connects while it is recorded, and while it is served."""

    recorded: Mode
    served: Mode


WAYS = (Way("implicit", "implicit"), Way("starttls", "starttls"), Way("implicit", "starttls"), Way("plain", "plain"))


@dataclass
class Outcome:
    """What came of one client's job without the server: how often it ended well, and what it asked in vain."""

    client: str
    way: Way
    well: int = 0
    missed: tuple[str, ...] = ()
    said: str = ""
    """The last words of a job that failed, or what went wrong before there was one."""

    def __str__(self) -> str:
        missed = "".join(f"\n  {each}" for each in self.missed)
        said = "" if self.good else f" {self.said}{missed}"
        return (
            f"{self.client}, recorded by {self.way.recorded}, served by {self.way.served}: {self.well} of {RUNS}{said}"
        )

    @property
    def good(self) -> bool:
        """Every time, with nothing asked that was not recorded."""
        return self.well == RUNS and not self.missed


def main() -> int:
    """Write the page, where all went well; else the exit code is 1."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("clients", nargs="*", metavar="CLIENT")
    words.add_argument("--db", type=Path)
    words.add_argument("--page", type=Path, default=PAGE)
    asked = words.parse_args()
    clients = chosen(words, asked.clients)
    folder = shared()
    if folder is None:
        words.error("there is no testbed beside the repository (../shared/testbed)")
    with tempfile.TemporaryDirectory(prefix="tb-served-") as place:
        work = Path(place)
        work.chmod(0o755)
        testbed = steady(folder / "testbed", work / "testbed")
        db: Path = asked.db or work / "served.db"
        with ThreadPoolExecutor(AT_ONCE) as pool:
            jobs = [pool.submit(outcomes_of, testbed, client, ways_of(client), work, db) for client in clients]
            outcomes = sorted((outcome for job in jobs for outcome in job.result()), key=lambda each: each.client)
    sys.stdout.write(page(outcomes))
    bad = [outcome for outcome in outcomes if not outcome.good]
    for outcome in bad:
        sys.stderr.write(f"not the same: {outcome}\n")
    if not bad and set(clients) == set(CLIENTS):
        asked.page.write_text(page(outcomes))
    return 1 if bad else 0


def steady(testbed: Path, copy: Path) -> Path:
    """A copy of the testbed whose jobs are the same each time."""
    return copied(testbed, copy, *_STEADY)


def ways_of(client: str) -> list[Way]:
    """All ways that this client can go; without TLS only where it has none."""
    modes = {mode for mode, clients in UNSUPPORTED.items() if client not in clients}
    without = modes == {"plain"}
    return [way for way in WAYS if modes.issuperset(way) and (way.recorded == "plain") == without]


def outcomes_of(testbed: Path, client: str, ways: Sequence[Way], work: Path, db: Path) -> list[Outcome]:
    """Record the client once for each way of being recorded, and serve it."""
    outcomes: list[Outcome] = []
    for mode in dict.fromkeys(way.recorded for way in ways):
        mine = [way for way in ways if way.recorded == mode]
        name, failed = _recorded(testbed, client, mode, work, db)
        failed = failed or not_the_same_again(work, db, name)
        for way in mine:
            outcome = Outcome(client, way, said=failed) if failed else _served(testbed, client, way, name, work, db)
            outcomes.append(outcome)
            sys.stderr.write(f"{outcome}\n")
    return outcomes


def _recorded(testbed: Path, client: str, mode: Mode, work: Path, db: Path) -> tuple[str, str]:
    """The recording's name, and why there is none. Jobs that fail on a busy machine are recorded again."""
    name = failed = ""
    for number in range(TRIES):
        name = "-".join([client, mode, *([str(number)] if number else [])])
        failed = record(testbed, client, name, work, db, mode)
        if not failed:
            break
    return name, failed


def _served(testbed: Path, client: str, way: Way, name: str, work: Path, db: Path) -> Outcome:
    """Three times in a row; those who are in a hurry begin anew where it was not imaptap's fault."""
    outcome = Outcome(client, way)
    for _ in range(TRIES if client in HURRIED else 1):
        place = Path(tempfile.mkdtemp(prefix="", dir=work))  # short: names of sockets are
        place.chmod(0o755)
        outcome = _in_a_row(testbed, client, way, name, place, db)
        if outcome.good or outcome.missed:
            break
    return outcome


def _in_a_row(testbed: Path, client: str, way: Way, name: str, work: Path, db: Path) -> Outcome:
    outcome = Outcome(client, way)
    with Served(work / "served", name, "--db", str(db), "--no-record", code=None) as served:
        for number in range(RUNS):
            side = (served.port("implicit"), served.ca)
            at = (served.port(way.served), served.ca, work / str(number))
            done = run_job(testbed, client, way.served, *at, side)
            outcome.well += done.returncode == 0
            if done.returncode:
                outcome.said = done.stdout[-500:]
    outcome.missed = tuple(_missed(served))
    return outcome


def _missed(served: Served) -> Iterator[str]:
    for miss in served.report()["missed"]:
        yield f"{miss['command']} ({miss['why']})"


def page(outcomes: Sequence[Outcome]) -> str:
    """The page: a row for each client and way."""
    lines = ["| client | recorded by | served by | same end | asked, not recorded |", "|---|---|---|---|---|"]
    for outcome in outcomes:
        way = outcome.way
        cells = (f"{outcome.well} of {RUNS}", str(len(outcome.missed)))
        lines.append(f"| {outcome.client} | {_TOLD[way.recorded]} | {_TOLD[way.served]} | {' | '.join(cells)} |")
    without = [
        client for client in dict.fromkeys(each.client for each in outcomes) if client in UNSUPPORTED["starttls"]
    ]
    told = [f"Without STARTTLS: {', '.join(without)}.", ""] if without else []
    return "\n".join([_HEAD, *lines, "", *told])


_TOLD = {"implicit": "TLS", "starttls": "STARTTLS", "plain": "plain text"}
_HEAD = """# Clients served

What comes of it when real clients do their job without their server: the clients of the testbed, each recorded once at
a Dovecot 2.3, which was then stopped, and served from the recording, three times in a row. A job ends with a look at
all that came of it, down to the bytes of each letter; "same end" is how often that found what it should. Made by
`make served`, which fails where one did not each time, or where a recording that is exported as a cassette, imported
and exported again is not the same, byte for byte. How it is done: [serve.md](serve.md). With recordings that
are anonymised: [anonymised.md](anonymised.md).

Jobs name their mailbox and letters alike each time, as a test would, and programs in Perl keep the order of their
hashes (`PERL_HASH_SEED=0 PERL_PERTURB_KEYS=0`). offlineimap has one connection: with three, its threads share the
mailboxes as it happens, so that one is asked about in other connections, and nearer to another change, than when it was
recorded, and gets an answer that the server gave, but perhaps one from before or after that change (1 of 3). mutt,
neomutt and fetchmail, which do not wait long for their letters, begin their three runs anew where a machine was too
slow for that.
"""


if __name__ == "__main__":
    sys.exit(main())
