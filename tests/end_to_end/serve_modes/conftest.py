"""A Dovecot of these tests alone, since its mail is changed, and what was recorded there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.serve_modes.bob import PASSWORD, client, known, upstream
from tests.servers.dovecot import Dovecot
from tests.servers.served import Served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def server() -> Iterator[Dovecot]:
    """Account bob."""
    with Dovecot(users={"bob": PASSWORD}) as server:
        yield server


@pytest.fixture
def mail(server: Dovecot) -> Dovecot:
    """The server, with bob's mail as it was."""
    server.reseed("bob")
    return server


@pytest.fixture
def cassette(tmp_path: Path, mail: Dovecot) -> Path:
    """What `once` has recorded: the file was not there."""
    file = tmp_path / "bob.cassette"
    with Served(tmp_path / "once", str(file), "--mode", "once", *upstream(mail)) as served, client(served) as imap:
        known(imap)
    return file
