"""The order of a run, and what it says at its end about what could not be tested."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from tests.need import NOT_HERE

if TYPE_CHECKING:
    import pytest

ORDER = ("proxy/imap", "certs", "imaptap", "proxy", "storage", "", "end_to_end")
"""Quick folders first. "" is what lies directly in tests/."""

TESTS = Path(__file__).resolve().parent


def rank(path: Path) -> int:
    """A test file's place in the order: that of the longest entry that it lies under."""
    if not path.is_relative_to(TESTS):
        return len(ORDER)
    folder = path.relative_to(TESTS).parent.as_posix()
    under = [entry for entry in ORDER if not entry or folder == entry or folder.startswith(entry + "/")]
    return ORDER.index(max(under, key=len))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort by folder and leave the order within each as it was."""
    items.sort(key=lambda item: rank(item.path))


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
