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
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.end_to_end.encores_page import PAGE, Encore, Sort, Stage, page
from tests.end_to_end.testbed import CLIENTS, chosen, run_job, server_of
from tests.need import shared
from tests.servers import warm
from tests.servers.recorder import EVERY_LISTENER, Recorder, environment, program

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.end_to_end.testbed import Outside
    from tests.servers.tee import Mode

AT_ONCE = 3
PATIENCE = 600
"""Seconds that a replay or a comparison may take at most: one that hangs shall be seen."""
TRIES = 3
"""Jobs that fail on a busy machine are recorded again."""


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
    return warm.run([program(), *words], env, timeout=PATIENCE)


if __name__ == "__main__":
    sys.exit(main())
