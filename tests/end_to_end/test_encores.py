"""Recordings of the testbed's clients, played at a Courier: `make encores` does so with all of them, at all servers."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from tests.end_to_end.encores import STAGES, encores_of
from tests.end_to_end.testbed import server_of
from tests.need import shared

FOLDER = shared()
COURIER = next(stage for stage in STAGES if stage.name == "courier")

pytestmark = pytest.mark.skipif(FOLDER is None, reason="no testbed beside the repository (../shared)")


@pytest.mark.parametrize("client", ["openssl", "imaplib"])
def test_every_step_is_sent_or_has_a_reason_and_every_difference_is_explained(client: str) -> None:
    """At a server that logs in by itself and calls the mailboxes otherwise."""
    assert FOLDER is not None
    with tempfile.TemporaryDirectory(prefix="tb-encores-") as work:  # not pytest's: the server's user must walk in
        Path(work).chmod(0o755)
        (encore,) = encores_of(FOLDER / "testbed", client, [COURIER], Path(work), Path(work) / "encores.db")
    assert encore.trouble == ""
    assert encore.steps["sent"] > 30
    assert encore.steps["sent"] + encore.steps["skipped"] == encore.steps.total()
    assert encore.steps["skipped"] == encore.reasons.total()
    assert [sort for sort in encore.differences if sort.why(COURIER) is None] == []


def test_a_server_that_keeps_its_complaints_open_is_waited_for_until_it_has_started_and_no_longer() -> None:
    assert FOLDER is not None
    with server_of(FOLDER / "testbed", "courier", "--no-seed") as server:
        assert server.tls_port
