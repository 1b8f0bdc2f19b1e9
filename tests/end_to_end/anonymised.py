"""Sessions of the testbed's clients anonymised: nothing that their letters say is left, and they are as good as before.

`python -m tests.end_to_end.anonymised` (or `make anonymised`) records a job of each client, or of those named, at a
Dovecot, makes a cassette of it with pseudonyms, and looks there for addresses and subjects of the original. What is
wrong is printed; then the exit code is 1.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.end_to_end.encores import PATIENCE, TRIES, record
from tests.end_to_end.testbed import chosen
from tests.need import shared
from tests.servers.recorder import environment, program

MOST = 500
_PRIVATE = re.compile(rb"[\w.+-]{3,}@[\w-]+\.[\w.-]{2,}|(?<=\nSubject: )[^\r\n]{12,60}")
_CLIENTS_OWN = re.compile(r"[a-z-]+@(?:localhost|invalid)|noreply@.*")


def main() -> int:
    """The exit code."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("clients", nargs="*", metavar="CLIENT")
    clients = chosen(words, words.parse_args().clients)
    folder = shared()
    if folder is None:
        words.error("there is no testbed beside the repository (../shared/testbed)")
    troubles = 0
    with tempfile.TemporaryDirectory(prefix="tb-anonymised-") as work:
        Path(work).chmod(0o755)
        for client in clients:
            trouble = tried(folder / "testbed", client, Path(work))
            troubles += bool(trouble)
            sys.stdout.write(f"{client}: {trouble or 'nothing is left, and it is equal to itself'}\n")
            sys.stdout.flush()
    return 1 if troubles else 0


def tried(testbed: Path, client: str, work: Path) -> str:
    """What is wrong with one client's session, anonymised."""
    failed = ""
    for number in range(TRIES):
        name = f"{client}-{number}"
        db = work / f"{name}.db"
        failed = record(testbed, client, name, work, db)
        if not failed:
            return _wrong(work, db, name)
    return f"its job failed: {failed}"


def _wrong(work: Path, db: Path, name: str) -> str:
    cassette, canaries = work / f"{name}.cassette", work / f"{name}.txt"
    canaries.write_bytes(b"\n".join(_private(work, db, name)))
    steps = (
        (0, ("anonymise", name, "-o", str(cassette), "--db", str(db))),
        (1, ("scan", str(db), "--canaries", str(canaries), "--find", "canary")),
        (0, ("scan", str(cassette), "--canaries", str(canaries))),
        (0, ("diff", str(cassette), str(cassette))),
    )
    for code, words in steps:
        done = _run(work, *words)
        if done.returncode != code:
            said = (done.stdout + done.stderr).decode(errors="replace")
            return f"imaptap {' '.join(words)}: {done.returncode}\n{said[-1500:]}"
    return ""


def _private(work: Path, db: Path, name: str) -> list[bytes]:
    """Addresses and subjects that the recording has."""
    done = _run(work, "export", name, "--format", "cassette", "--db", str(db))
    lines = done.stdout.replace(b"\nS| ", b"\n")
    found = dict.fromkeys(
        each for each in _PRIVATE.findall(lines) if not _CLIENTS_OWN.fullmatch(each.decode("latin-1"))
    )
    return list(found)[:MOST]


def _run(work: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    env = environment(work / "home")
    return subprocess.run([program(), *words], capture_output=True, timeout=PATIENCE, check=False, env=env)


if __name__ == "__main__":
    sys.exit(main())
