"""The command line, as the tests of commands have it."""

from __future__ import annotations

from tests.imaptap.cli.conftest import program

__all__ = ["program"]
