"""Clients of the testbed beside the repository: recorded once, then served with the server gone, more than once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.encores import record
from tests.end_to_end.testbed import run_job
from tests.end_to_end.unhurried import Change, copied
from tests.need import shared
from tests.servers.served import Served

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = shared()

pytestmark = [
    pytest.mark.skipif(FOLDER is None, reason="no testbed beside the repository (../shared)"),
    pytest.mark.timeout(400),
]

COMMON = "clients/lib/common.sh"
NAMES = (
    Change(COMMON, "FOLDER=tb-$CLIENT-$$", "FOLDER=tb-$CLIENT-4711"),
    Change(COMMON, "KEY=$CLIENT-$$-$(date +%s)", "KEY=$CLIENT-4711-1700000000"),
)
"""Jobs name their folder and their letters by process and time: here they are the same each time that they run."""


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the testbed whose jobs are the same each time."""
    assert FOLDER is not None
    return copied(FOLDER / "testbed", tmp_path_factory.mktemp("jobs") / "testbed", *NAMES)


@pytest.mark.parametrize(
    ("client", "modes"),
    [
        ("imaplib", ("implicit", "starttls", "implicit")),
        ("curl", ("implicit", "starttls", "implicit")),
        ("mbsync", ("implicit", "implicit")),
    ],
)
def test_a_client_does_its_job_without_the_server(
    jobs: Path, tmp_path_factory: pytest.TempPathFactory, client: str, modes: tuple[str, ...]
) -> None:
    """With the same end, which the job itself judges: exit code 0. And nothing was asked that is not recorded."""
    work = tmp_path_factory.mktemp("work")
    for folder in (work, *work.parents[:2]):
        folder.chmod(0o755)
    db = work / "recorded.db"
    assert record(jobs, client, client, work, db) == ""
    with Served(work / "served", client, "--db", str(db), "--no-record") as served:
        side = (served.port("implicit"), served.ca)
        for number, mode in enumerate(modes):
            done = run_job(jobs, client, mode, served.port(mode), served.ca, work / f"{number}-{client}", side)
            assert done.returncode == 0, f"{mode}: {done.stdout}\n{served.log()}"
    assert served.report()["missed"] == []
