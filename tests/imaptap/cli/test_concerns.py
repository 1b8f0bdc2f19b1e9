"""What other users could do with the files of a recording: said when it begins, or reason enough not to begin."""

from __future__ import annotations

import os
import stat
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from certs import privacy
from certs.authority import Authority
from certs.contexts import OwnLeaf
from imaptap.cli.concerns import concerns, refuse_planted
from imaptap.cli.errors import UserError
from imaptap.recording import Job
from proxy.live.endpoint import parse_upstream
from proxy.live.settings import Settings, UpstreamTrust
from storage import open_store
from tests.certs.making import ec_key, make

if TYPE_CHECKING:
    from certs.privacy import Concern

SERVER = parse_upstream("imaps://mail.example.org")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    monkeypatch.setenv("IMAPTAP_HOME", str(folder))
    return folder


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """A recording with nothing to be said about it."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data").chmod(0o755)
    where = str(tmp_path / "data" / "a db")
    open_store(where, create=True).close()
    return Job(Settings(SERVER, ()), Authority.load_or_create(), where)


@pytest.fixture
def strangers(monkeypatch: pytest.MonkeyPatch) -> None:
    """We are user 4242, and what whoever runs the tests has made is another's."""
    monkeypatch.setattr(os, "geteuid", lambda: 4242)
    monkeypatch.setattr(privacy, "_ROOT", -1)


def only(job: Job) -> Concern:
    [concern] = concerns(job)
    return concern


def test_what_imaptap_makes_itself_is_no_concern(job: Job) -> None:
    assert concerns(job) == []


def test_an_open_database(job: Job) -> None:
    """With its -wal and -shm; nothing is changed, for it may be meant so."""
    file = Path(job.db)
    with closing(open_store(file, create=True)) as store, store.writing():
        file.chmod(0o640)
        concern = only(job)
        assert f"{job.db} is open to other users (mode 0640)" in concern.message
        assert concern.hint.endswith(f"chmod 600 '{job.db}'")
        for beside in ("-wal", "-shm"):
            Path(job.db + beside).chmod(0o640)
        assert only(job).hint.endswith(f"chmod 600 '{job.db}' '{job.db}-wal' '{job.db}-shm'")
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_a_folder_in_which_others_replace_files(job: Job, tmp_path: Path) -> None:
    (tmp_path / "data").chmod(0o777)
    concern = only(job)
    assert concern.message == f"Other users can replace what is in the folder {tmp_path / 'data'} of the database."
    assert concern.hint.endswith(f"chmod go-w {tmp_path / 'data'}")
    (tmp_path / "data").chmod(0o1777)
    assert concerns(job) == []


def test_an_open_data_folder(job: Job, home: Path) -> None:
    home.chmod(0o755)
    assert only(job).hint == f"Run: chmod 700 {home}"


def test_keys_of_ones_own_for_one_host(job: Job, tmp_path: Path) -> None:
    """Refused they are not: they speak for one host, and lie about on test machines."""
    certificate, key = make("mine", ec_key()).write(tmp_path, "mine")
    leaf = Job(job.settings, job.authority, job.db, None, {"mine": OwnLeaf(certificate, key)})
    client = Job(
        Settings(SERVER, (), trust=UpstreamTrust(client_cert=certificate, client_key=key)), job.authority, job.db
    )
    both = tmp_path / "both.pem"
    both.write_bytes(key.read_bytes())
    both.chmod(0o604)
    one_file = Job(Settings(SERVER, (), trust=UpstreamTrust(client_cert=both)), job.authority, job.db)
    assert concerns(leaf) + concerns(client) == []
    key.chmod(0o644)
    for each, named in ((leaf, key), (client, key), (one_file, both)):
        assert f"The key file {named} is open to other users" in only(each).message


def test_another_users_database(job: Job, tmp_path: Path, strangers: None) -> None:
    """Shared on purpose, perhaps; but in a folder for everybody it may be a trap."""
    [concern, *_] = concerns(job)
    assert f"The database {job.db} belongs to another user" in concern.message
    refuse_planted(job.db)
    (tmp_path / "data").chmod(0o1777)
    with pytest.raises(UserError, match="where anybody may have put it"):
        refuse_planted(job.db)


@pytest.mark.usefixtures("strangers")
@pytest.mark.parametrize("suffix", ["", "-wal", "-shm", "-journal"])
@pytest.mark.parametrize("link", [False, True])
def test_a_trap_is_not_touched(tmp_path: Path, suffix: str, link: bool) -> None:
    """A link is the trap itself, wherever it leads; so is a file that SQLite reads beside the database."""
    tmp_path.chmod(0o1777)
    trap = tmp_path / f"new.db{suffix}"
    if link:
        trap.symlink_to(tmp_path / "nowhere")
    else:
        trap.touch()
    with pytest.raises(UserError, match="belongs to another user"):
        refuse_planted(str(tmp_path / "new.db"))
    assert [path.name for path in tmp_path.iterdir()] == [trap.name]


@pytest.mark.parametrize(
    "where", ["postgresql://tester@localhost/x", "{folder}/missing/x.db", "sqlite:///{folder}/new.db"]
)
def test_nothing_is_said_of_what_is_not_there(job: Job, tmp_path: Path, where: str) -> None:
    """A server has users of its own; whoever opens a file says that it is missing."""
    tmp_path.chmod(0o1777)
    where = where.format(folder=tmp_path)
    refuse_planted(where)
    assert concerns(Job(job.settings, job.authority, where)) == []
