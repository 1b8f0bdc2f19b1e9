"""Every client of the testbed beside the repository does its job through imaptap as it does direct."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from proxy.imap.lint import RULES
from tests.end_to_end.explained import ANY, explained, unexplained
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
    asking = [item for item in request.session.items if "testbed" in getattr(item, "fixturenames", ())]
    jobs = dict.fromkeys(item.callspec.params["job"] for item in asking)
    testbed = Testbed(FOLDER / "testbed", list(jobs), identity)
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


@pytest.mark.parametrize("job", JOBS, ids=str)
def test_what_lint_finds_is_explained(testbed: Testbed, job: Job) -> None:
    """docs/lint.md has a line for each warning and error, which is the client's or the server's own."""
    result = testbed.result(job)
    if result.code == CANNOT:
        absent(f"{job.client} ({result.output.strip().splitlines()[-1]})")
    assert unexplained(result.findings, job.client, job.kind.capitalize()) == []


def test_no_client_is_forgotten() -> None:
    """A client that is added to the testbed is added here."""
    assert FOLDER is not None
    scripts = {file.stem for file in (FOLDER / "testbed" / "clients").glob("*.sh")}
    assert scripts - {"run-all"} == set(CLIENTS)


def test_no_explanation_is_for_a_client_that_is_gone() -> None:
    """Nor for a rule that is none: those that the table names are those of the testbed, and its servers."""
    assert {name for name, _, _ in explained()} <= {*CLIENTS, ANY, "Dovecot", "Cyrus"}
    assert {(rule, severity) for _, rule, severity in explained()} <= {
        (rule.id, rule.severity.word) for rule in RULES.values()
    }
