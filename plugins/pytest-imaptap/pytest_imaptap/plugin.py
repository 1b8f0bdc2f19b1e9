"""What pytest is told: the fixture, its marker, its options."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_imaptap.choice import MARKER, Choice, choose
from pytest_imaptap.course import Recording, Serving
from pytest_imaptap.values import CassetteError, ImapCassette, Mode

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from pytest_imaptap.program import Ready

_OUTCOME = pytest.StashKey[str]()
"""How the call of a test came out; empty before it."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where cassettes come from."""
    group = parser.getgroup("imap", "IMAP cassettes (imaptap)")
    group.addoption(
        "--imap-upstream", metavar="URL", help="record cassettes at this server: imaps://HOST, imap://HOST (STARTTLS)"
    )
    group.addoption(
        "--imap-upstream-ca",
        metavar="FILE",
        type=_absolute,
        help="trust these CA certificates for that server, and no others",
    )
    group.addoption("--imap-user", metavar="NAME", help="who logs in while cassettes are recorded (default: user)")
    group.addoption(
        "--imap-mode",
        choices=[each.value for each in Mode],
        help="none: never record; once: record what is not there; all: record anew (default: the marker's, or once)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line(
        "markers",
        f"{MARKER}(file=None, mode='once', user=None, strict=True): the cassette of the fixture {MARKER}, beside the "
        "test's module; default: cassettes/MODULE/TEST.cassette. strict: a test fails whose commands match nothing.",
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember how a test came out, for the end of its fixture."""
    report = yield
    if report.when != "teardown":
        item.stash[_OUTCOME] = report.outcome if report.when == "call" else ""
    return report


@pytest.fixture(scope="session")
def _imap_home() -> Iterator[Path]:
    """The data folder of all that is started in a run: an authority of its own, which goes away with it."""
    with tempfile.TemporaryDirectory(prefix="pytest-imaptap-") as folder:
        yield Path(folder)


@pytest.fixture
def imap_cassette(request: pytest.FixtureRequest, _imap_home: Path) -> Iterator[ImapCassette]:
    """An IMAP server for this test: its cassette, or a true server that is being recorded into it."""
    with _failing(), tempfile.TemporaryDirectory(prefix="pytest-imaptap-") as folder:
        choice = _choice(request.node)
        if choice.upstream:
            recording = Recording(choice, choice.upstream, Path(folder), _imap_home)
            with recording.program as program:
                yield _cassette(choice, program.ready)
                recording.finish(passed=_outcome(request) == "passed")
        else:
            serving = Serving(choice, Path(folder), _imap_home)
            with serving.program as program:
                yield _cassette(choice, program.ready)
                _judge(request, choice, serving.finish())


def _choice(item: pytest.Item) -> Choice:
    test = item.nodeid.partition("::")[2]
    return choose(item.path, test, item.get_closest_marker(MARKER), item.config.option)


def _cassette(choice: Choice, ready: Ready) -> ImapCassette:
    recording = choice.upstream is not None
    return ImapCassette(ready.host, ready.port, ready.starttls_port, ready.ca, choice.user, choice.file, recording)


def _judge(request: pytest.FixtureRequest, choice: Choice, misses: str) -> None:
    """Misses are said where a test has failed, and are a failure where it has passed, or never began."""
    if not misses:
        return
    outcome = _outcome(request)
    if outcome in {"failed", "skipped"} or (outcome == "passed" and not choice.strict):
        request.node.add_report_section("teardown", MARKER, misses)
        return
    hint = "Record it anew: --imap-mode all --imap-upstream imaps://HOST."
    raise CassetteError(f"{choice.file} does not have all that was asked.\n{misses}", hint)


def _outcome(request: pytest.FixtureRequest) -> str:
    """Of the call; empty if it was not called."""
    item: pytest.Item = request.node
    return item.stash.get(_OUTCOME, "")


def _absolute(name: str) -> Path:
    """Tests may change their folder."""
    return Path(name).absolute()


@contextlib.contextmanager
def _failing() -> Generator[None]:
    """A CassetteError fails the test by what it says, without a traceback."""
    try:
        yield
    except CassetteError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None
