"""Makes docs/clients.md: each client of the testbed does its job through imaptap, and `imaptap portrait` tells of it.

`python -m tests.end_to_end.portraits` (or `make portraits`) writes the page anew; words are names of clients, for a
page of those only. With --db, what was recorded stays in that file. With --print-only, nothing is recorded: the page is
made of what is in that file.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.end_to_end.testbed import Outside, chosen, run_job, server_of
from tests.need import ROOT, shared
from tests.servers.recorder import EVERY_LISTENER, Recorder, environment, program

if TYPE_CHECKING:
    from collections.abc import Sequence

PAGE = ROOT / "docs" / "clients.md"
AT_ONCE = 2
HOME = Path(os.environ.get("TB_HOME") or Path.home() / ".cache" / "imap-testbed")
_PACKAGE = "import importlib.metadata as m, sys; print(m.version(sys.argv[1]))"
_PYTHON = str(HOME / "venv" / "bin" / "python")
_PERL = "use Net::IMAP::Simple; print $Net::IMAP::Simple::VERSION"
_NODE = "console.log(require(process.argv[1] + '/node_modules/imap/package.json').version)"
VERSIONS: dict[str, tuple[str, ...]] = {
    "aerc": ("aerc", "-v"),
    "aioimaplib": (_PYTHON, "-c", _PACKAGE, "aioimaplib"),
    "curl": ("curl", "--version"),
    "fetchmail": ("fetchmail", "--version"),
    "getmail": ("getmail", "--version"),
    "imap-tools": (_PYTHON, "-c", _PACKAGE, "imap-tools"),
    "imapclient": (_PYTHON, "-c", _PACKAGE, "imapclient"),
    "imapfilter": ("imapfilter", "-V"),
    "imaplib": ("python3", "--version"),
    "interimap": ("dpkg-query", "--show", "interimap"),
    "mailutil": ("dpkg-query", "--show", "uw-mailutils"),
    "mbsync": ("mbsync", "--version"),
    "mutt": ("mutt", "-v"),
    "neomutt": ("neomutt", "-v"),
    "net-imap-simple": ("perl", "-e", _PERL),
    "node-imap": ("node", "-e", _NODE, str(HOME / "node")),
    "offlineimap": ("offlineimap", "--version"),
    "openssl": ("openssl", "version"),
    "telnet": ("dpkg-query", "--show", "inetutils-telnet"),
}
"""What tells a client's version: the first line of what it prints."""


@dataclass(frozen=True)
class Sitter:
    """A client that is to be portrayed, its version, and how its job ended."""

    client: str
    version: str
    code: int
    said: str = ""


def main() -> int:
    """Write the page; the exit code is 1 where a client did not do its job."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("clients", nargs="*", metavar="CLIENT")
    words.add_argument("--db", type=Path)
    words.add_argument("--page", type=Path, default=PAGE)
    words.add_argument("--print-only", action="store_true")
    asked = words.parse_args()
    clients = chosen(words, asked.clients)
    folder = shared()
    if folder is None:
        words.error("there is no testbed beside the repository (../shared/testbed)")
    with tempfile.TemporaryDirectory(prefix="tb-portraits-") as work:
        Path(work).chmod(0o755)
        db: Path = asked.db or Path(work) / "portraits.db"
        if asked.print_only:
            sitters = [Sitter(client, _version(client), 0) for client in clients]
        else:
            with ThreadPoolExecutor(AT_ONCE) as pool:
                jobs = [pool.submit(_sit, folder / "testbed", client, Path(work), db) for client in clients]
                sitters = [job.result() for job in jobs]
        failed = [sitter for sitter in sitters if sitter.code]
        for sitter in failed:
            sys.stderr.write(f"{sitter.client} did not do its job ({sitter.code}): {sitter.said}\n")
        if not failed:
            asked.page.write_text(page(sitters, db))
    return 1 if failed else 0


def page(sitters: Sequence[Sitter], db: Path) -> str:
    """The page: a section for each client, in the words of `imaptap portrait`."""
    parts = [_HEAD]
    parts += [f"## {sitter.client}\n\n{sitter.version}\n\n```text\n{_portrait(sitter, db)}```\n" for sitter in sitters]
    return "\n".join(parts)


_HEAD = """# What clients do

How the clients of the testbed spoke to a Dovecot 2.3 through imaptap, in the words of `imaptap portrait` and with the
day on which it was recorded. Made by `make portraits`. Each client did one job with TLS (telnet: without): folders
read, a letter saved, flags set, a letter deleted, new mail waited for, as far as it can do that. "Not seen" means that
the job had none of it, not that the client cannot do it. What a portrait says, and how:
[cli.md](cli.md#imaptap-portrait-recordingsession).
"""


def _sit(testbed: Path, client: str, work: Path, db: Path) -> Sitter:
    mode = "plain" if client == "telnet" else "implicit"
    with server_of(testbed, "dovecot") as server:
        listeners = [word for url in EVERY_LISTENER for word in ("--listen", url)]
        words = ("--upstream-ca", str(server.ca), "--name", client, *listeners)
        with Recorder(
            work / f"{client}-record", f"imaps://localhost:{server.tls_port}", *words, db=str(db)
        ) as recorder:
            done = _job(testbed, client, mode, recorder, server, work)
    return Sitter(client, _version(client), done.returncode, done.stdout[-500:])


def _job(
    testbed: Path, client: str, mode: str, recorder: Recorder, server: Outside, work: Path
) -> subprocess.CompletedProcess[str]:
    at = (recorder.port(mode), recorder.ca, work / client)
    return run_job(testbed, client, mode, *at, (server.tls_port, server.ca))


def _version(client: str) -> str:
    """Its version as a sentence. A package's version stands for a program that does not tell its own."""
    done = subprocess.run(VERSIONS[client], capture_output=True, text=True, errors="replace", check=False)
    lines = (done.stdout + done.stderr).strip().splitlines()
    if done.returncode or not lines:
        return "Version unknown."
    return f"Version: {' '.join(lines[0].split()).rstrip('.')}."


def _portrait(sitter: Sitter, db: Path) -> str:
    words = [program(), "portrait", sitter.client, "--db", str(db)]
    told = subprocess.run(words, capture_output=True, text=True, check=True, env=environment(db.parent / "home"))
    return told.stdout


if __name__ == "__main__":
    sys.exit(main())
