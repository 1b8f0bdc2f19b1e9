"""The options of a run, its order, and what it says at its end about what could not be tested."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests.need import NOT_HERE
from tests.servers.postgresql import PostgreSQL

if TYPE_CHECKING:
    from collections.abc import Iterator

BESIDE = "plugins"
ORDER = ("proxy/imap", "certs", "imaptap", "proxy", "storage", "", BESIDE, "end_to_end")
"""Quick folders first. "" is what lies directly in tests/; BESIDE lies beside it."""

LONGEST = tuple(
    f"end_to_end/{name}.py"
    for name in (
        *("test_testbed", "test_workers", "test_serve_clients", "test_encores", "test_secrets", "test_wire"),
        *("serve_modes/test_keeping", "test_serve", "test_anonymise", "test_faults", "test_replay", "test_kill"),
        *("test_bodies", "test_import", "test_planted", "test_soak", "test_hostile", "test_export_wire"),
    )
)
"""Files that go before the others of their folder, the longest first, so that several processes come to their ends at
about one time."""

IN_THE_BACKGROUND = ("end_to_end/test_testbed.py",)
"""Files that go before all others where several processes share the work: they wait most of their time."""

# How long hypothesis looks: shortly, for this is part of `make test`; with HYPOTHESIS_PROFILE=long much longer. There
# is no deadline: what one example takes says more of the machine than of us.
settings.register_profile(
    "short", max_examples=200, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("long", settings.get_profile("short"), max_examples=20_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "short"))

TESTS = Path(__file__).resolve().parent
SHARED = "PYTEST_XDIST_WORKER" in os.environ
"""Whether several processes share the work."""


def rank(path: Path) -> tuple[int, int]:
    """A test file's place in the order: that of the longest entry that it lies under, and its own among LONGEST."""
    if not path.is_relative_to(TESTS):
        return ORDER.index(BESIDE), 0
    name = path.relative_to(TESTS).as_posix()
    if name in IN_THE_BACKGROUND and SHARED:
        return -1, 0
    folder = name.rpartition("/")[0]
    under = [entry for entry in ORDER if not entry or folder == entry or folder.startswith(entry + "/")]
    place = LONGEST.index(name) if name in LONGEST else len(LONGEST)
    return ORDER.index(max(under, key=len)), place


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--soak`: the long forms of the tests that have one; `make soak` asks for them."""
    parser.addoption(
        "--soak", action="store_true", help="play the long forms of the tests that have one, and only these"
    )
    parser.addoption("--minutes", type=float, default=15, help="how long the mixed soak takes, with --soak")
    parser.addoption("--seed", type=int, help="where tests with chance in them begin (else 1, with --soak the time)")


def keep_compiled() -> None:
    """Where Python shall leave no compiled files beside the sources, it has a place for them in its environment.

    With none at all, every program that a test starts would compile the same files again: a quarter of its time.
    """
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):
        os.environ.setdefault("PYTHONPYCACHEPREFIX", str(Path(sys.prefix) / "compiled"))
        sys.pycache_prefix, sys.dont_write_bytecode = os.environ["PYTHONPYCACHEPREFIX"], False


def pytest_configure() -> None:
    """What nohup or a shell in the background has had ignored would be ignored by every program that a test starts.

    And what one has compiled, all others need not.
    """
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)  # ignored here as before, but a program does not inherit that
    keep_compiled()


@pytest.fixture(scope="session")
def soak(request: pytest.FixtureRequest) -> bool:
    """Whether the long form of a test is asked for."""
    return bool(request.config.getoption("soak"))


@pytest.fixture(scope="session")
def minutes(request: pytest.FixtureRequest) -> float:
    """How long the mixed soak is to take."""
    return float(request.config.getoption("minutes"))


@pytest.fixture(scope="session")
def seed(request: pytest.FixtureRequest, soak: bool) -> int:
    """The first seed for a test with chance in it; such a test prints the one that it plays."""
    given = request.config.getoption("seed")
    return int(time.time()) if given is None and soak else given or 1


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """A PostgreSQL server, started once a run. Tests that stop it start it again."""
    with PostgreSQL() as server:
        yield server


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Sort by folder and leave the order within each as it was. With `--soak` what has no long form is left out."""
    items.sort(key=lambda item: rank(item.path))
    if config.getoption("soak"):
        short = [item for item in items if "soak" not in getattr(item, "fixturenames", ())]
        config.hook.pytest_deselected(items=short)
        items[:] = [item for item in items if item not in set(short)]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name every program whose absence cost a test, with how many."""
    missing: Counter[str] = Counter()
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        _, found, program = reason.partition(NOT_HERE)
        if found:
            missing[program] += 1
    if missing:
        terminalreporter.section("not tested, for want of a program", yellow=True)
        for program, tests in sorted(missing.items()):
            terminalreporter.line(f"{program}: {tests} test{'s' if tests > 1 else ''} skipped")
        terminalreporter.line("`make test` installs these where it may (root or sudo, apt); in CI they are failures.")
