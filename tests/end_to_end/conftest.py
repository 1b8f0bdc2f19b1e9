"""The servers that the end-to-end tests share. Each is started once a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.servers.certificates import Identity, make_identity
from tests.servers.dovecot import Dovecot

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def dovecot() -> Iterator[Dovecot]:
    """Dovecot with everything on; account bob, password secret."""
    with Dovecot() as server:
        yield server


@pytest.fixture(scope="session")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    """Who the tees and scripted servers say they are."""
    return make_identity(tmp_path_factory.mktemp("identity"))
