"""Every client of the testbed beside the repository does its job through imaptap as it does direct."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.testbed import CANNOT, CLIENTS, JOBS, Job, Testbed
from tests.need import absent, shared

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.certificates import Identity

FOLDER = shared()

pytestmark = [
    pytest.mark.skipif(FOLDER is None, reason="no testbed beside the repository (../shared)"),
    pytest.mark.timeout(420),  # a job's own limit is 100 s, and it may wait for those before it in its lane
]


@pytest.fixture(scope="module")
def testbed(request: pytest.FixtureRequest, identity: Identity) -> Iterator[Testbed]:
    """Starts the jobs of all tests that were selected in this file."""
    assert FOLDER is not None
    jobs = [
        item.callspec.params["job"] for item in request.session.items if "testbed" in getattr(item, "fixturenames", ())
    ]
    testbed = Testbed(FOLDER / "testbed", jobs, identity)
    try:
        yield testbed
    finally:
        testbed.close()


@pytest.mark.parametrize("job", JOBS, ids=str)
def test_client_does_its_job(testbed: Testbed, job: Job) -> None:
    """Exit code 0, and both stored streams are what the tee in front of the server saw, secrets aside."""
    result = testbed.result(job)
    if result.code == CANNOT:
        absent(f"{job.client} ({result.output.strip().splitlines()[-1]})")
    if result.code != 0:
        direct = testbed.direct(job)
        pytest.fail(f"through imaptap: {result.code}\n{result.output}\ndirect: {direct.code}\n{direct.output}")
    assert result.problem is None, result.problem


def test_no_client_is_forgotten() -> None:
    """A client that is added to the testbed is added here."""
    assert FOLDER is not None
    scripts = {file.stem for file in (FOLDER / "testbed" / "clients").glob("*.sh")}
    assert scripts - {"run-all"} == set(CLIENTS)
