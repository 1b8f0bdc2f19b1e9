"""The servers that the end-to-end tests share. Each is started once a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.servers.certificates import Identity, make_identity
from tests.servers.courier import Courier
from tests.servers.cyrus import Cyrus
from tests.servers.dovecot import Dovecot
from tests.servers.pymap import Pymap

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


@pytest.fixture(scope="session")
def cyrus() -> Iterator[Cyrus]:
    """Cyrus; accounts ann and bob, password secret, with a Drafts and a Sent and no mail."""
    with Cyrus({"ann": "secret", "bob": "secret"}) as server:
        yield server


@pytest.fixture(scope="session")
def courier() -> Iterator[Courier]:
    """Courier, in the account of bob from the start."""
    with Courier() as server:
        yield server


@pytest.fixture(scope="session")
def pymap() -> Iterator[Pymap]:
    """pymap; account bob, password secret."""
    with Pymap() as server:
        yield server
