"""Makes docs/anonymised.md: sessions of the testbed's clients, full of private strings, made fit to be shown.

`python -m tests.end_to_end.anonymised` (or `make anonymised`) writes the page anew; words are names of clients, for
those only. A job of each is recorded at a Dovecot with `private_testbed`'s mail, anonymised, searched for what was
planted, compared with itself and with what it was made of, served, and replayed at that. What is wrong is printed;
then the exit code is 1, and the page stays as it is.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.end_to_end.anonymised_page import PAGE, Outcome, page
from tests.end_to_end.canaries import FORMS, listed
from tests.end_to_end.encores import PATIENCE, TRIES, record
from tests.end_to_end.planted_testbed import private_testbed
from tests.end_to_end.testbed import CLIENTS, chosen
from tests.need import shared
from tests.servers.recorder import environment, program
from tests.servers.served import Served

AT_ONCE = 2
_ASKED_BY_ITSELF = "NAMESPACE"
"""What a replay asks of its own accord, recorded or not (docs/replay.md)."""
_SAME = """
SELECT session.number, exchange.number, command, origin, outcome, status, started, ended, exchange.client_bytes,
exchange.server_bytes, responses, marks FROM exchange JOIN session ON session.id = session_id ORDER BY 1, 2
"""
"""What anonymising changes nothing of (docs/schema.md)."""


def main() -> int:
    """The exit code."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("clients", nargs="*", metavar="CLIENT")
    words.add_argument("--page", type=Path, default=PAGE)
    words.add_argument("--keep", type=Path, help="a folder for recordings and cassettes, which stay there")
    asked = words.parse_args()
    clients = chosen(words, asked.clients)
    folder = shared()
    if folder is None:
        words.error("there is no testbed beside the repository (../shared/testbed)")
    with tempfile.TemporaryDirectory(prefix="tb-anonymised-") as place:
        work: Path = asked.keep or Path(place)
        work.chmod(0o755)
        testbed = private_testbed(folder / "testbed", Path(place) / "testbed")
        with ThreadPoolExecutor(AT_ONCE) as pool:
            outcomes = list(pool.map(lambda client: _told(testbed, client, work), clients))
    sys.stdout.write(page(outcomes))
    good = not any(outcome.problems for outcome in outcomes)
    if good and set(clients) == set(CLIENTS):
        asked.page.write_text(page(outcomes))
    return 0 if good else 1


def _told(testbed: Path, client: str, work: Path) -> Outcome:
    outcome = outcome_of(testbed, client, work)
    sys.stderr.write(f"{client}: {'; '.join(outcome.problems) or 'good'}\n")
    return outcome


def outcome_of(testbed: Path, client: str, work: Path) -> Outcome:
    """What came of one client's session. Jobs that fail on a busy machine are recorded again."""
    outcome = Outcome(client)
    for number in range(TRIES):
        name = f"{client}-{number}" if number else client
        db = work / f"{name}.db"
        if failed := record(testbed, client, name, work, db):
            outcome.trouble = f"its job failed: {failed}"
            continue
        outcome.trouble = ""
        try:
            _Anonymised(outcome, work, db, name).tried()
        except _WrongError as wrong:
            outcome.trouble = str(wrong)
        break
    return outcome


class _WrongError(Exception):
    """Something did not end as it should."""


class _Anonymised:
    """One recording, and the cassette that is made of it."""

    def __init__(self, outcome: Outcome, work: Path, db: Path, name: str) -> None:
        self._outcome, self._work, self._db, self._name = outcome, work, db, name
        self._cassette = work / f"{name}.cassette"
        self._canaries = work / f"{name}.canaries"
        self._shown = work / f"{name}-shown.db"

    def tried(self) -> None:
        """All of it. Raises _WrongError."""
        self._canaries.write_text("\n".join(listed()))
        self._seen()
        self._run("anonymise", self._name, "-o", str(self._cassette))
        self._left()
        self._run("import", str(self._cassette), "--name", "shown", db=self._shown)
        self._same()
        self._run("diff", "shown", "shown", db=self._shown)
        self._served_and_replayed()

    def _seen(self) -> None:
        """What of the strings is in the recording."""
        found = self._scanned(str(self._db), "--find", "canary")
        outcome = self._outcome
        outcome.strings = len({each["what"] for each in found})
        outcome.forms = len({each["how"].partition(",")[0].removesuffix("url") for each in found} & set(FORMS))
        outcome.places = len(found)

    def _left(self) -> None:
        """Whatever `scan` finds in the cassette, the strings and all that looks like a secret or like somebody."""
        found = self._scanned(str(self._cassette))
        self._outcome.left = len(found)
        self._outcome.which = tuple(f"{each['what']} ({each['how']}) {each['where']}" for each in found[:5])

    def _scanned(self, file: str, *words: str) -> list[dict[str, Any]]:
        listing = ("--canaries", str(self._canaries), "--most", "10000000", "--json")
        (told,) = self._json("scan", file, *listing, *words, codes=(0, 1))["files"]
        findings: list[dict[str, Any]] = told["findings"]
        return findings

    def _same(self) -> None:
        """Whether exchanges, results, times and sizes are those of the original."""
        before, after = _exchanges(self._db), _exchanges(self._shown)
        self._outcome.sessions = len({row[0] for row in after})
        self._outcome.exchanges = len(after)
        self._outcome.same = before == after

    def _served_and_replayed(self) -> None:
        """The cassette is the server, and what its client did is done there again."""
        outcome, secret = self._outcome, self._work / f"{self._name}.secret"
        secret.touch(mode=0o600)
        secret.write_text("anything\n")
        place = Path(tempfile.mkdtemp(prefix="", dir=self._work))
        known = ("--password-file", str(secret))  # else a login that was refused is refused again, whoever asks
        with Served(place, "shown", "--no-record", "--db", str(self._shown), *known, code=None) as served:
            to = ("--to", f"imaps://localhost:{served.port('implicit')}", "--upstream-ca", str(served.ca))
            how = ("--user", "anybody", *known, "--write", "--name", "encore", "--quiet", "--json")
            told = self._json("replay", "shown", *to, *how, codes=(0, 1), db=self._shown)
        outcome.steps.update(told["fates"])
        for each in told["reasons"]:
            outcome.reasons[f"{each['fate']}: {each['reason']}"] += each["count"]
        missed = (f"{each['command']} ({each['why']})" for each in served.report()["missed"])
        outcome.missed = tuple(each for each in missed if not each.startswith(_ASKED_BY_ITSELF))
        self._count(self._json("diff", "shown", "encore", "--format", "json", codes=(0, 1), db=self._shown))

    def _count(self, told: dict[str, Any]) -> None:
        """The differences, by their kinds and places."""
        exchanges = (exchange for session in told["sessions"] for exchange in session["exchanges"])
        for each in (each for exchange in exchanges for each in exchange["differences"]):
            values = [value for value in (each["left"], each["right"]) if value is not None]
            self._outcome.differences[" ".join([each["kind"], each["where"], *values])] += 1

    def _json(self, *words: str, codes: tuple[int, ...] = (0,), db: Path | None = None) -> Any:
        return json.loads(self._run(*words, codes=codes, db=db))

    def _run(self, *words: str, codes: tuple[int, ...] = (0,), db: Path | None = None) -> bytes:
        env = environment(self._work / "home") | {"IMAPTAP_DB": str(db or self._db)}
        try:
            done = subprocess.run([program(), *words], capture_output=True, timeout=PATIENCE, check=False, env=env)
        except subprocess.TimeoutExpired as hung:
            raise _WrongError(str(hung)) from hung
        if done.returncode not in codes:
            said = (done.stdout[-1000:] + done.stderr[-1000:]).decode(errors="replace")
            raise _WrongError(f"imaptap {' '.join(words)}: {done.returncode}\n{said}")
        return done.stdout


def _exchanges(db: Path) -> list[tuple[Any, ...]]:
    """The exchanges of all sessions, without what was said."""
    with closing(sqlite3.connect(f"file:{db}?mode=ro", uri=True)) as store:
        return store.execute(_SAME).fetchall()


if __name__ == "__main__":
    sys.exit(main())
