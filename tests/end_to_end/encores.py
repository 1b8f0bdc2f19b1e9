"""Makes docs/encores.md: clients of the testbed recorded at a Dovecot, replayed at other servers, and compared.

Of each client one job is recorded at a fresh Dovecot and replayed at a fresh server of each kind below.

`python -m tests.end_to_end.encores` (or `make encores`) writes the page anew; words are names of clients, for those
only. What a client's job needs from elsewhere (a letter that comes while it waits) goes through imaptap as well, so
that the recording has all that happened to the account. With --db, recordings and replays stay in that file.
"""

from __future__ import annotations

import argparse
import filecmp
import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.end_to_end.encores_explained import WHY
from tests.end_to_end.testbed import CLIENTS, chosen, run_job, server_of
from tests.need import ROOT, shared
from tests.servers.recorder import EVERY_LISTENER, Recorder, environment, program

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.end_to_end.testbed import Kind, Outside
    from tests.servers.tee import Mode

PAGE = ROOT / "docs" / "encores.md"
AT_ONCE = 3
_NAME = re.compile(r"tb-[a-z-]+?-\d+( Ünï)?")
NAMED = "a mailbox of the job"
PATIENCE = 600
"""Seconds that a replay or a comparison may take at most: one that hangs shall be seen."""
TRIES = 3
"""Jobs that fail on a busy machine are recorded again."""


@dataclass(frozen=True)
class Stage:
    """A server that recordings are replayed at: what starts it, and what is said of it."""

    name: str
    kind: Kind
    words: tuple[str, ...] = ()
    about: str = ""
    by_append: bool = False
    """Whether it starts empty and gets the same mail by APPEND; --seed-mailboxes then learns the UIDs."""


STAGES = (
    Stage("equal", "dovecot", (), "a Dovecot 2.3 with the same mail and the same configuration"),
    Stage(
        "other",
        "dovecot",
        ("--separator", ".", "--prefix", "INBOX.", "--mechanisms", "scram-sha-256", "--no-compress", "--no-quota"),
        'a Dovecot 2.3 with "." for "/", "INBOX." before all names, SCRAM-SHA-256 only, neither COMPRESS nor QUOTA',
    ),
    Stage("cyrus", "cyrus", (), "a Cyrus IMAP 3.6 with the same mail"),
    Stage(
        "courier",
        "courier",
        ("--no-seed",),
        'a Courier 5.0 with the same mail, all below "INBOX.", that greets with PREAUTH and never tells UIDNEXT',
        by_append=True,
    ),
)


_UPLOAD = """
import corpus, imaplib, sys
client = imaplib.IMAP4("localhost", int(sys.argv[1]))
client.create("INBOX.Sent")  # by such a name it sees where mailboxes may be
corpus.upload(client, corpus.build(corpus.DEFAULT_SEED))
"""
"""What puts the testbed's mail into a server that greets with PREAUTH, in the testbed's folder: with its own means."""


class Sort(NamedTuple):
    """Differences that are alike: the command, their kind, and where they are, names and numbers aside."""

    command: str
    kind: str
    where: str

    def why(self, stage: Stage) -> str | None:
        """What explains it; None where nobody has looked into it yet."""
        text = " ".join(self)
        found = (why for stages, pattern, why in WHY if stage.name in stages.split("|") and re.fullmatch(pattern, text))
        return next(found, None)

    @classmethod
    def of(cls, exchange: dict[str, Any], difference: dict[str, Any]) -> Sort:
        """The sort of one difference, as `imaptap diff --format json` tells of it."""
        words = exchange["command"].split()
        command = " ".join(words[: 2 if words[0] == "UID" else 1])
        where = _NAME.sub("NAME", re.sub(r"\b\d+(\.\d+)*\b", "n", difference["where"]))
        where = re.sub(
            r"^((?:\* )?(?:LIST|LSUB|XLIST|STATUS|ACL|MYRIGHTS|QUOTAROOT|METADATA)) \S.*?(?= [a-z]+$|$)", r"\1", where
        )
        return cls(command, difference["kind"], where)


@dataclass
class Encore:
    """What came of one client's replay at one server."""

    client: str
    stage: Stage
    steps: Counter[str] = field(default_factory=Counter[str])
    reasons: Counter[str] = field(default_factory=Counter[str])
    differences: Counter[Sort] = field(default_factory=Counter["Sort"])
    trouble: str = ""


def main() -> int:
    """Write the page; the exit code is 1 where something could not be played."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("clients", nargs="*", metavar="CLIENT")
    words.add_argument("--db", type=Path)
    words.add_argument("--page", type=Path, default=PAGE)
    words.add_argument("--stage", choices=[stage.name for stage in STAGES], action="append")
    asked = words.parse_args()
    clients = chosen(words, asked.clients)
    folder = shared()
    if folder is None:
        words.error("there is no testbed beside the repository (../shared/testbed)")
    stages = [stage for stage in STAGES if not asked.stage or stage.name in asked.stage]
    with tempfile.TemporaryDirectory(prefix="tb-encores-") as work:
        Path(work).chmod(0o755)
        db: Path = asked.db or Path(work) / "encores.db"
        with ThreadPoolExecutor(AT_ONCE) as pool:
            jobs = [pool.submit(encores_of, folder / "testbed", client, stages, Path(work), db) for client in clients]
            encores = [encore for job in jobs for encore in job.result()]
    sys.stdout.write(page(encores, stages))
    troubles = [encore for encore in encores if encore.trouble]
    for encore in troubles:
        sys.stderr.write(f"{encore.client} at {encore.stage.name}: {encore.trouble}\n")
    unknown = {sort for encore in encores for sort in encore.differences if sort.why(encore.stage) is None}
    for sort in sorted(unknown):
        sys.stderr.write(f"not explained: {' '.join(sort)}\n")
    if not troubles and len(clients) == len(CLIENTS):
        asked.page.write_text(page(encores, stages))
    return 1 if troubles or unknown else 0


def encores_of(testbed: Path, client: str, stages: Sequence[Stage], work: Path, db: Path) -> list[Encore]:
    failed = ""
    for number in range(TRIES):
        name = f"{client}-{number}" if number else client
        failed = record(testbed, client, name, work, db)
        if not failed and not (failed := not_the_same_again(work, db, name)):
            return [_encore(testbed, client, name, stage, work, db) for stage in stages]
    return [Encore(client, stages[0], trouble=f"its job failed: {failed}")]


def record(testbed: Path, client: str, name: str, work: Path, db: Path, mode: Mode | None = None) -> str:
    """A client's job at a fresh Dovecot, recorded under this name; what it said where it failed, else nothing.

    `mode` is the client's TLS, and with "starttls" imaptap's own too; None: implicit, for those who have it.
    """
    mode = mode or ("plain" if client == "telnet" else "implicit")
    with ExitStack() as stack:
        server = stack.enter_context(server_of(testbed, "dovecot"))
        listeners = [word for url in EVERY_LISTENER for word in ("--listen", url)]
        words = ("--upstream-ca", str(server.ca), "--name", name, *listeners)
        url = f"imaps://localhost:{server.tls_port}"
        if mode == "starttls":
            url = f"imap://localhost:{server.plain_port}"
        recorder = stack.enter_context(Recorder(work / f"{name}-record", url, *words, db=str(db)))
        # What helps the client goes through imaptap too: the recording has all that happened to the account.
        at = (recorder.port(mode), recorder.ca, work / name)
        done = run_job(testbed, client, mode, *at, (recorder.port("implicit"), recorder.ca))
    return done.stdout[-500:] if done.returncode else ""


def _encore(testbed: Path, client: str, recorded: str, stage: Stage, work: Path, db: Path) -> Encore:
    encore = Encore(client, stage)
    name = f"{recorded}-{stage.name}"
    try:
        with server_of(testbed, stage.kind, *stage.words) as server:
            if stage.by_append:
                upload = [sys.executable, "-B", "-c", _UPLOAD, str(server.plain_port)]
                subprocess.run(upload, cwd=testbed, check=True, timeout=PATIENCE)
            _replay(encore, recorded, name, server, work, db)
        if encore.trouble:
            return encore
        told = _run(work, db, "diff", recorded, name, "--format", "json")
    except subprocess.TimeoutExpired as hung:
        encore.trouble = str(hung)
        return encore
    if told.returncode > 1:
        encore.trouble = told.stderr
        return encore
    encore.trouble = not_the_same_again(work, db, name)
    _count(encore, json.loads(told.stdout))
    return encore


def _replay(encore: Encore, recorded: str, name: str, server: Outside, work: Path, db: Path) -> None:
    secret = work / "secret"
    secret.touch(mode=0o600)
    secret.write_text("secret\n")
    seeding = ("--seed-mailboxes",) if encore.stage.by_append else ()
    to = ("--to", f"imaps://localhost:{server.tls_port}", "--upstream-ca", str(server.ca))
    user = ("--user", "bob", "--password-file", str(secret))
    done = _run(work, db, "replay", recorded, *to, *user, "--write", *seeding, "--name", name, "--quiet", "--json")
    if done.returncode > 1 or not done.stdout:
        encore.trouble = done.stderr or f"exit code {done.returncode}"
        return
    document = json.loads(done.stdout)
    for fate, count in document["fates"].items():
        encore.steps[fate] += count
    for reason in document["reasons"]:
        encore.reasons[f"{reason['fate']}: {reason['reason']}"] += reason["count"]


def _count(encore: Encore, document: dict[str, Any]) -> None:
    """How many differences there are of each sort."""
    for session in document["sessions"]:
        for exchange in session["exchanges"]:
            for each in exchange["differences"]:
                encore.differences[Sort.of(exchange["left"] or exchange["right"], each)] += 1


def not_the_same_again(work: Path, db: Path, name: str) -> str:
    """What is wrong with a recording that is written as a cassette, read into another store and written again.

    Nothing where both cassettes are the same, byte for byte.
    """
    first, second, store = (work / f"{name}{ending}" for ending in (".cassette", "-again.cassette", "-again.db"))
    export = ("--format", "cassette", "--output")
    for words in (
        ("export", name, *export, str(first)),
        ("import", str(first), "--db", str(store)),
        ("export", "last", *export, str(second), "--db", str(store)),
    ):
        done = _run(work, db, *words)
        if done.returncode:
            return f"imaptap {words[0]}: {done.stderr}"
    same = filecmp.cmp(first, second, shallow=False)
    for file in (first, second, *work.glob(f"{store.name}*")):
        file.unlink()
    return "" if same else "its cassette is another one when it is written again"


def _run(work: Path, db: Path, *words: str) -> subprocess.CompletedProcess[str]:
    env = {**environment(work / "home"), "IMAPTAP_DB": str(db)}
    return subprocess.run([program(), *words], capture_output=True, text=True, check=False, env=env, timeout=PATIENCE)


def page(encores: Sequence[Encore], stages: Sequence[Stage]) -> str:
    """The page: tables for each server."""
    parts = [_HEAD]
    for stage in stages:
        mine = [encore for encore in encores if encore.stage is stage]
        parts += [f"## At {stage.about}\n", *_steps(mine), *_sorts(stage, mine)]
    return "\n".join(parts)


_HEAD = """# Encores

What comes of it when real clients' sessions are played again at another server, and compared: the clients of the
testbed, each of which did one job at a Dovecot 2.3 through imaptap. `imaptap replay RECORDING --to URL --write` sent
every command again, and `imaptap diff` compared. Made by `make encores`, which fails where a difference has no
explanation here, or where a recording that is exported as a cassette, imported and exported again is not the same. The
accounts hold the same mail, but for what the servers make of it; nothing was seeded, though at the Courier
`--seed-mailboxes` looked whether it is the same mail, and so learned its UIDs. How it is done: [replay.md](replay.md),
[diff.md](diff.md).
"""


def _steps(encores: Sequence[Encore]) -> list[str]:
    lines = ["| client | steps | sent | skipped | not reached | differences |", "|---|---|---|---|---|---|"]
    for encore in encores:
        steps = encore.steps
        cells = (steps.total(), steps["sent"], steps["skipped"], steps["not reached"], encore.differences.total())
        lines.append(f"| {encore.client} | {' | '.join(map(str, cells))} |")
    reasons: Counter[str] = sum((encore.reasons for encore in encores), Counter())
    rows = (f"- {count} {_NAME.sub(NAMED, reason)}" for reason, count in reasons.most_common())
    return [*lines, "", *(["Not sent, and why:", "", *rows, ""] if reasons else [])]


def _sorts(stage: Stage, encores: Sequence[Encore]) -> list[str]:
    sorts: Counter[Sort] = sum((encore.differences for encore in encores), Counter())
    if not sorts:
        return ["No differences.", ""]
    lines = ["| times | command | kind | where | why |", "|---|---|---|---|---|"]
    for sort, count in sorts.most_common():
        lines.append(f"| {count} | {sort.command} | {sort.kind} | {sort.where} | {sort.why(stage) or '**unknown**'} |")
    return [*lines, ""]


if __name__ == "__main__":
    sys.exit(main())
