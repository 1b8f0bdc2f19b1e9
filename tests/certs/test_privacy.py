"""Owners and modes: who else can get at a file."""

import os
import ssl
import stat
from pathlib import Path

import pytest

from certs import privacy
from certs.authority import Authority
from certs.engine import plain_context
from certs.errors import CertificateError
from certs.privacy import exposed, foreign_owner, need_private, writable_by_others
from tests.certs.making import ec_key, make

ME = 4242
OWN = os.getuid()


def status(mode: int, owner: int = ME, group: int = 77) -> os.stat_result:
    return os.stat_result((mode, 1, 1, 1, owner, group, 0, 0, 0, 0))


@pytest.fixture
def me(monkeypatch: pytest.MonkeyPatch) -> None:
    """We are user 4242, and the files of whoever runs the tests are another's."""
    monkeypatch.setattr(os, "geteuid", lambda: ME)
    monkeypatch.setattr(privacy, "_ROOT", -1)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "a secret"
    made.touch(0o600)
    return made


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700])
def test_what_only_its_owner_can_read_is_private(file: Path, mode: int) -> None:
    file.chmod(mode)
    assert exposed(file, "key file") is None


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o610, 0o602])
def test_what_others_can_get_at_is_not(file: Path, mode: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever the tests are run by; what to type can be typed."""
    monkeypatch.setattr(os, "geteuid", os.getuid)
    file.chmod(mode)
    concern = exposed(file, "key file")
    assert concern is not None
    assert concern.message == f"The key file {file} is open to other users (mode {mode:04o})."
    assert concern.hint == f"Run: chmod 600 '{file}'"
    with pytest.raises(CertificateError, match=f"mode {mode:04o}"):
        need_private(file, "key file")


@pytest.mark.parametrize(("mode", "private"), [(0o640, True), (0o600, True), (0o644, False), (0o660, False)])
def test_a_key_of_roots_may_be_for_a_group(
    file: Path, monkeypatch: pytest.MonkeyPatch, mode: int, private: bool
) -> None:
    """As /etc/ssl/private is in Debian; libpq has the same rule for its keys."""
    monkeypatch.setattr(os, "geteuid", lambda: ME)
    monkeypatch.setattr(privacy, "_ROOT", OWN)
    file.chmod(mode)
    assert (exposed(file, "key file") is None) is private


@pytest.mark.usefixtures("me")
def test_another_users_key_is_not_ours(file: Path) -> None:
    concern = exposed(file, "key file")
    assert concern is not None
    assert "belongs to another user" in concern.message


def test_a_link_is_judged_by_what_it_leads_to(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(file)
    assert exposed(link, "key file") is None
    file.chmod(0o644)
    assert exposed(link, "key file") is not None


def test_a_pipe_is_nobodys_business(tmp_path: Path) -> None:
    """What the shell makes of <(gpg --decrypt password.gpg)."""
    os.mkfifo(tmp_path / "pipe", 0o666)
    assert exposed(tmp_path / "pipe", "password file") is None


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CertificateError, match="cannot be read: no such file"):
        need_private(tmp_path / "missing", "key file")


def test_foreign_owners(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not ourselves, not root; and for root nobody, except in a folder where anybody may have put the file."""
    path = tmp_path / "file"
    monkeypatch.setattr(os, "geteuid", lambda: ME)
    assert foreign_owner(path, status(0o600, ME)) is None
    assert foreign_owner(path, status(0o600, 0)) is None
    assert foreign_owner(path, status(0o600, 987654)) == "uid 987654"
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert foreign_owner(path, status(0o600, 987654)) is None
    tmp_path.chmod(0o1777)
    assert foreign_owner(path, status(0o600, 987654)) == "uid 987654"


@pytest.mark.parametrize(
    ("mode", "writable"),
    [
        (stat.S_IFDIR | 0o700, False),
        (stat.S_IFDIR | 0o755, False),
        (stat.S_IFDIR | 0o775, True),
        (stat.S_IFDIR | 0o777, True),
        (stat.S_IFDIR | 0o1777, False),
        (stat.S_IFREG | 0o644, False),
        (stat.S_IFREG | 0o664, True),
        (stat.S_IFREG | 0o1666, True),
    ],
)
def test_what_others_may_write_to(mode: int, writable: bool) -> None:
    """The sticky bit means something for folders only."""
    assert writable_by_others(status(mode)) is writable


def test_a_group_of_ones_own_is_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where each user has one, umask 002 is the rule; a second member makes it a group like any other."""
    members = list[str]()
    user = privacy.pwd.struct_passwd(("anna", "x", ME, 77, "", "/", "/bin/sh"))
    monkeypatch.setattr(os, "geteuid", lambda: ME)
    monkeypatch.setattr(privacy.pwd, "getpwuid", lambda _: user)
    monkeypatch.setattr(
        privacy.grp, "getgrgid", lambda number: privacy.grp.struct_group(("anna", "x", number, members))
    )
    assert not writable_by_others(status(stat.S_IFDIR | 0o775))
    assert writable_by_others(status(stat.S_IFDIR | 0o775, group=78))
    assert writable_by_others(status(stat.S_IFDIR | 0o777))
    members.append("bert")
    assert writable_by_others(status(stat.S_IFDIR | 0o775))


def test_an_authority_in_a_folder_that_others_change_is_refused(home: Path) -> None:
    """They could put their own in its place, and clients would trust that one."""
    home.mkdir()
    home.chmod(0o777)
    with pytest.raises(CertificateError, match="can be changed by other users") as caught:
        Authority.load_or_create()
    assert caught.value.hint == f"Run: chmod go-w {home}"
    assert list(home.iterdir()) == []


@pytest.mark.usefixtures("me")
def test_an_authority_in_another_users_folder_is_refused(home: Path) -> None:
    home.mkdir()
    with pytest.raises(CertificateError, match=r"folder .* belongs to another user"):
        Authority.load_or_create()


def test_a_certificate_that_others_change_is_refused(authority: Authority, home: Path) -> None:
    """Clients are told to trust all that is in it."""
    (home / "ca.pem").chmod(0o666)
    with pytest.raises(CertificateError, match="can be changed by other users") as caught:
        Authority.load_or_create()
    assert caught.value.hint == f"Run: chmod go-w {home / 'ca.pem'}"


def test_an_open_key_of_an_own_authority_is_refused(tmp_path: Path) -> None:
    certificate, key = make("Good", ec_key(), ca=True).write(tmp_path, "good")
    key.chmod(0o644)
    with pytest.raises(CertificateError, match="mode 0644") as caught:
        Authority.load(certificate, key)
    assert caught.value.hint == f"Run: chmod 600 {key}"


def test_an_open_key_log_is_refused(tmp_path: Path) -> None:
    """A new one is made 0600, whatever the umask; with what is in it every connection can be read."""
    before = os.umask(0)
    try:
        plain_context(ssl.PROTOCOL_TLS_CLIENT).log_keys(tmp_path / "new.log")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new.log").stat().st_mode) == 0o600
    (tmp_path / "old.log").touch()
    (tmp_path / "old.log").chmod(0o644)
    with pytest.raises(CertificateError, match=r"key log file .*old\.log is open to other users"):
        plain_context(ssl.PROTOCOL_TLS_CLIENT).log_keys(tmp_path / "old.log")
