"""Real clients recorded at a Dovecot, sent through a cassette and back."""

from __future__ import annotations

import json
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.jobs import CLIENTS, Place
from tests.servers.dovecot import Dovecot
from tests.servers.reader import Reader
from tests.servers.recorder import EVERY_LISTENER, Recorder, environment

SCHEMES = {"imaps": "tls_port", "imap": "plain_port"}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_export_import_export(scheme: str, tmp_path: Path) -> None:
    """Byte-equal; every mode of every client, so implicit TLS, STARTTLS by both and for one, COMPRESS, IDLE.

    What was imported is whole, and says the same.
    """
    listen = [word for url in EVERY_LISTENER for word in ("--listen", url)]
    with Dovecot() as server:
        upstream = f"{scheme}://localhost:{getattr(server, SCHEMES[scheme])}"
        with Recorder(tmp_path / "record", upstream, "--upstream-ca", str(server.ca), *listen) as recorder:
            context = ssl.create_default_context(cafile=recorder.ca)
            for client, (job, modes) in CLIENTS.items():
                for mode in modes:
                    work = tmp_path / f"{client}-{mode}"
                    work.mkdir()
                    job(Place(mode, recorder.port(mode), recorder.ca, context, work))
                    server.reseed("bob")
    reader = Reader({**environment(tmp_path / "home"), "IMAPTAP_DB": recorder.db})
    compare(Runner(reader), recorder.recording, tmp_path / "again.cassette")


def compare(run: Runner, recording: str, file: Path) -> None:
    first = run("export", recording, "--format", "cassette")
    assert b"secret" not in first.replace(b"kind=secret", b"")
    # Nothing that these clients do makes it necessary to tell more than what was said.
    assert b"tells=everything" not in first
    file.write_bytes(first)
    run("import", str(file))
    assert run("export", "again", "--format", "cassette") == first
    run("check", "again")
    run("diff", recording, "again")
    # The file itself in place of the recording: only the name is another one.
    assert run("show", f"{file}/1") == run("show", "again/1")
    was, now = (json.loads(run("show", name, "--json"))["sessions"] for name in (recording, "again"))
    assert [_exchanges(each) for each in was] == [_exchanges(each) for each in now]


@dataclass(frozen=True)
class Runner:
    """Runs commands on what was recorded, when that has ended."""

    reader: Reader

    def __call__(self, *words: str) -> bytes:
        code, stdout, output = self.reader.run(*words)
        assert (code, output) == (0, stdout.decode(errors="replace").replace("\r\n", "\n"))
        return stdout


def _exchanges(session: dict[str, Any]) -> list[dict[str, Any]]:
    """But for the number of their recording."""
    return [each | {"recording": 0} for each in session["exchanges"]]
