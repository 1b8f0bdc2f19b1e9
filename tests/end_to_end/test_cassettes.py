"""Real clients recorded at a Dovecot, sent through a cassette and back."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.jobs import CLIENTS, Place
from tests.servers.dovecot import Dovecot
from tests.servers.recorder import EVERY_LISTENER, Recorder

if TYPE_CHECKING:
    from pathlib import Path

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
    first = recorder.run("export", recorder.recording, "--format", "cassette")
    assert b"secret" not in first.replace(b"kind=secret", b"")
    # Nothing that these clients do makes it necessary to tell more than what was said.
    assert b"tells=everything" not in first
    file = tmp_path / "again.cassette"
    file.write_bytes(first)
    recorder.run("import", str(file))
    assert recorder.run("export", "again", "--format", "cassette") == first
    recorder.run("check", "again")
    recorder.run("diff", recorder.recording, "again")
    # The file itself in place of the recording: only the name is another one.
    assert recorder.run("show", f"{file}/1") == recorder.run("show", "again/1")
    was, now = (recorder.json("show", name)["sessions"] for name in (recorder.recording, "again"))
    assert [each["exchanges"] for each in was] == [each["exchanges"] for each in now]
