"""Opening: a new file is private and whole, an old one is migrated behind a backup, a foreign one is left alone."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from blake3 import blake3
from sqlalchemy import create_engine, text

from storage import Check, Session, StorageError, Store, Writer, engine, migrate, newest, open_store
from storage.check import Flaw
from storage.filter import Search, parse
from tests.need import ROOT
from tests.storage.scenes import S, Wire, exchange, opened, record, together

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.servers.postgresql import PostgreSQL

    Newer = Callable[[], contextlib.AbstractContextManager[None]]

NEWEST = f"""
from alembic import op
revision = "9999"
down_revision = "{migrate.HEAD}"
def upgrade():
    op.execute("ALTER TABLE note ADD COLUMN colour TEXT")
"""


def fingerprint(path: Path) -> tuple[str, int, list[str]]:
    return (
        hashlib.sha256(path.read_bytes()).hexdigest(),
        path.stat().st_mtime_ns,
        sorted(file.name for file in path.parent.iterdir()),
    )


def recorded(path: Path | str) -> bytes:
    """A file with something in it; the stream of its only session."""
    wire = Wire()
    with open_store(path, create=True) as store:
        record(store, [opened(), wire.say(b"* OK hello\r\n"), *wire.literal(os.urandom(10_000)), exchange()], "kept")
    return bytes(wire.stream)


def stream(store: Store) -> bytes:
    return together(store.stream(store.session(store.recording("kept"), 1), S))


@pytest.fixture
def newer(tmp_path_factory: pytest.TempPathFactory) -> Newer:
    """`with newer():` this imaptap is one revision ahead."""
    scripts = tmp_path_factory.mktemp("newer") / "migrations"
    shutil.copytree(migrate._SCRIPTS, scripts)
    (scripts / "versions" / "9999_newest.py").write_text(NEWEST)

    @contextlib.contextmanager
    def ahead() -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(migrate, "_SCRIPTS", scripts)
            patch.setattr(migrate, "HEAD", "9999")
            patch.setattr(newest, "make", migrate.upgrade)
            yield

    return ahead


@contextlib.contextmanager
def behind(scripts: Path, head: str) -> Iterator[None]:
    """This imaptap is one of the time when revision `head` was the newest."""
    shutil.copytree(migrate._SCRIPTS, scripts)
    for script in (scripts / "versions").glob("[0-9]*.py"):
        if script.name[:4] > head:
            script.unlink()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrate, "_SCRIPTS", scripts)
        patch.setattr(migrate, "HEAD", head)
        patch.setattr(newest, "make", migrate.upgrade)
        yield


FIRST_ROWS = (
    """INSERT INTO recording (name, started, ended, seen, host, pid, version, settings)
        VALUES ('kept', 0, 9, 9, 'host', 1, '0.1', '')""",
    """INSERT INTO session (recording_id, number, wall, at_end, client, listen, upstream, ending, reason, client_bytes,
        server_bytes) VALUES (1, 1, 0, 9, 'c', 'l', 'u', 'closed by client', 'gone', 0, 10014)""",
    "INSERT INTO body (sha256, length, data) VALUES (:sha256, 10000, :letter)",
    """INSERT INTO piece (session_id, direction, "offset", length, at, layer, data)
        VALUES (1, 1, 0, 14, 1, 1, :hello)""",
    """INSERT INTO piece (session_id, direction, "offset", length, at, layer, literal_start, literal_length, body_id)
        VALUES (1, 1, 14, 10000, 2, 1, 14, 10000, 1)""",
    "INSERT INTO span VALUES (1, 0, 1, 0, 10014, 1, 2, 1, 'unsolicited', NULL)",
)
"""What the first imaptap wrote down of a greeting with a letter in it."""


def test_a_database_of_the_first_revision_is_whole_in_this_one(where: str, tmp_path: Path) -> None:
    letter = b"\0" + os.urandom(9_999)
    values = {"letter": letter, "sha256": hashlib.sha256(letter).digest(), "hello": b"* OK {10000}\r\n"}
    with (
        behind(tmp_path / "migrations", "0001"),
        open_store(where, create=True) as store,
        store.writing() as connection,
    ):
        for statement in FIRST_ROWS:
            connection.execute(text(statement), values if ":" in statement else {})
    with open_store(where, create=False) as store, store.reading() as connection:
        assert stream(store) == values["hello"] + letter
        texts = list(connection.exec_driver_sql("SELECT text FROM stream ORDER BY 1 DESC").scalars())
        assert [words.split(",")[0].strip() for words in texts] == ["* OK {10000}", "(10000 bytes of a literal"]
        assert list(Check(store).findings()) == []
        assert connection.exec_driver_sql("SELECT count(left_out) FROM piece").scalar() == 0
        record(store, [opened(), *Wire().literal(os.urandom(10_000))], "another")
        assert list(Check(store).findings()) == []


def test_a_new_file_is_ours_alone(tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    old_mask = os.umask(0)
    try:
        store = open_store(path, create=True)
        writer = Writer(store)
        writer.put(opened())
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
        writer.close()
        store.close()
    finally:
        os.umask(old_mask)
    assert modes == {"new.db": 0o600, "new.db-wal": 0o600, "new.db-shm": 0o600}
    assert [file.name for file in tmp_path.iterdir()] == ["new.db"]
    header = path.read_bytes()[:100]
    assert int.from_bytes(header[68:72], "big") == engine.APPLICATION_ID
    assert header[68:72] == b"IMAP"
    assert int.from_bytes(header[16:18], "big") == engine.PAGE_SIZE


def test_the_file_is_what_its_documentation_says(tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    with open_store(path, create=True), closing(sqlite3.connect(path)) as plain:
        assert plain.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert plain.execute("PRAGMA auto_vacuum").fetchone() == (2,)
    with open_store(path, create=False) as store, store.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 1


def test_an_empty_file_becomes_ours(tmp_path: Path) -> None:
    path = tmp_path / "empty.db"
    path.touch()
    with pytest.raises(StorageError, match="There are no recordings at"):
        open_store(path, create=False)
    open_store(path, create=True).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_urls_and_paths_mean_the_same(tmp_path: Path) -> None:
    path = tmp_path / "it's 100%, really?#.db"
    said = recorded(path)
    for where in (path, str(path)):
        with open_store(where, create=False) as store:
            assert stream(store) == said
    plain = tmp_path / "plain.db"
    recorded(plain)
    open_store(f"sqlite:///{plain}", create=False).close()


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="There are no recordings at") as refused:
        open_store(tmp_path / "none.db", create=False)
    assert "imaptap record" in refused.value.hint
    with pytest.raises(StorageError, match=r"The folder .*nowhere does not exist"):
        open_store(tmp_path / "nowhere" / "x.db", create=True)
    with pytest.raises(StorageError, match="is a folder"):
        open_store(tmp_path, create=True)
    with pytest.raises(StorageError, match="mysql:// is not"):
        open_store("mysql://localhost/x", create=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["text", "other", "other in WAL mode", "short"])
@pytest.mark.parametrize("create", [True, False])
def test_a_foreign_file_is_not_touched(tmp_path: Path, kind: str, create: bool) -> None:
    path = tmp_path / "foreign.db"
    if kind == "text":
        path.write_text("Dear diary\n" * 100)
    elif kind == "short":
        path.write_bytes(b"SQLite format 3\x00")
    else:
        with closing(sqlite3.connect(path)) as other:
            other.execute("PRAGMA application_id = 77")
            if "WAL" in kind:
                other.execute("PRAGMA journal_mode = WAL")
            other.execute("CREATE TABLE recording (id INTEGER)")
            other.commit()
    before = fingerprint(path)
    with pytest.raises(StorageError, match="not an imaptap database") as refused:
        open_store(path, create=create)
    assert "not touched" in refused.value.hint
    assert fingerprint(path) == before


def test_our_mark_without_our_tables(tmp_path: Path) -> None:
    path = tmp_path / "odd.db"
    with closing(sqlite3.connect(path)) as odd:
        odd.execute(f"PRAGMA application_id = {engine.APPLICATION_ID}")
        odd.execute("CREATE TABLE x (y)")
        odd.commit()
    with pytest.raises(StorageError, match="lost its version mark"):
        open_store(path, create=True)


def test_a_damaged_file_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "damaged.db"
    recorded(path)
    content = bytearray(path.read_bytes())
    content[100:] = os.urandom(len(content) - 100)
    path.write_bytes(content)
    with pytest.raises(StorageError, match="damaged"):
        open_store(path, create=False)


def test_an_older_file_is_migrated_after_a_backup(tmp_path: Path, newer: Newer) -> None:
    path = tmp_path / "old.db"
    said = recorded(path)
    with newer(), open_store(path, create=False) as store:
        assert stream(store) == said
        with store.reading() as connection:
            assert migrate.revision(connection) == "9999"
            assert connection.exec_driver_sql("SELECT colour FROM note").all() == []
    backup = tmp_path / "old.db.before-9999.backup"
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    with open_store(backup, create=False) as store:
        assert stream(store) == said
        with store.reading() as connection:
            assert migrate.revision(connection) == migrate.HEAD


def test_one_from_before_the_filters_is_migrated(where: str, tmp_path: Path) -> None:
    with behind(tmp_path / "migrations", "0003"), open_store(where, create=True) as store:
        record(store, [opened(), exchange(), exchange(2, status="NO")], "kept")
    with open_store(where, create=False) as store:
        assert list(Search(store, parse("status:NO")).counts().values()) == [1]
        with store.reading() as connection:
            assert migrate.revision(connection) == migrate.HEAD


@pytest.mark.parametrize(("revision", "version"), [("0004", 1), ("0005", 2)])
def test_an_older_index_is_made_anew(where: str, tmp_path: Path, revision: str, version: int) -> None:
    """It says that it is complete, and that there is nothing."""
    with behind(tmp_path / "migrations", revision), open_store(where, create=True) as store:
        record(store, [opened(), exchange(), exchange(2, status="NO")], "kept")
        with store.writing() as connection:
            values = {"mine": store.recording("kept").id, "version": version}
            connection.execute(text("INSERT INTO filter_state VALUES (:mine, :version, 2, 1)"), values)
    with open_store(where, create=False) as store:
        assert list(Search(store, parse("status:NO not internaldate>1000-01-01")).counts().values()) == [1]
        assert list(Search(store, parse("uid>0")).counts().values()) == [2]
        assert list(Search(store, parse("not text:xylophone")).counts().values()) == [2]


def test_an_index_without_beginnings_of_words_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    with behind(tmp_path / "migrations", "0008"), open_store(path, create=True) as store:
        wire = Wire()
        record(store, [opened(), wire.say(b"* OK xylophone\r\n"), wire.span(0), exchange()], "kept")
        assert list(Search(store, parse("text:xy*")).counts().values()) == [1]
    with open_store(path, create=False) as store:
        with store.reading() as connection:
            made = connection.exec_driver_sql("SELECT sql FROM sqlite_schema WHERE name = 'filter_text'").scalar_one()
            kept = connection.exec_driver_sql("SELECT count(*) FROM filter_text WHERE filter_text MATCH 'xylophone'")
            assert ("prefix" in made, kept.scalar_one()) == (True, 0)
        assert list(Search(store, parse("text:xy*")).counts().values()) == [1]
        assert list(Search(store, parse("not text:x*")).counts().values()) == []


OLDER_BODIES = """INSERT INTO body (id, sha256, length, extent_id, "offset")
    VALUES (1, :first, 5000, 7, 0), (2, :second, 5000, 7, 5000)"""

WITH_BODIES = (
    "INSERT INTO extent (id, data) VALUES (7, :two), (8, :bad)",
    """INSERT INTO body (id, sha256, length, extent_id, "offset")
        VALUES (1, :first, 5000, 7, 0), (2, :second, 5000, 7, 5000), (3, :third, 4096, 8, 0)""",
)


def test_bodies_are_hashed_anew_but_for_damaged_ones(where: str, tmp_path: Path) -> None:
    first, second, bad = (os.urandom(length) for length in (5000, 5000, 4096))
    hashes = {name: hashlib.sha256(data).digest() for name, data in (("first", first), ("second", second))}
    values = {"two": first + second, "bad": bad, **hashes, "third": hashlib.sha256(b"what it was").digest()}
    with (
        behind(tmp_path / "migrations", "0006"),
        open_store(where, create=True) as store,
        store.writing() as connection,
    ):
        for statement in WITH_BODIES:
            connection.execute(text(statement), {name: v for name, v in values.items() if f":{name}" in statement})
    with open_store(where, create=False) as store:
        assert [store.body(blake3(data).hexdigest()) for data in (first, second)] == [first, second]
        with pytest.raises(StorageError, match="There is no body"):
            store.body(blake3(bad).hexdigest())
        with store.reading() as connection:
            seen = connection.exec_driver_sql("SELECT blake3 FROM bodies ORDER BY id").scalars().all()
        assert seen == [blake3(first).hexdigest(), blake3(second).hexdigest(), values["third"].hex()]
        (finding,) = (found for found in Check(store).findings() if "other bytes" in found.text)
        assert values["third"].hex() in finding.text


OLDER_PIECES = (
    """INSERT INTO piece (session_id, direction, "offset", length, at, layer, literal_start, literal_length, body_id)
        SELECT session_id, 1, 0, 5000, 1, 1, 0, 5000, 1 FROM exchange WHERE number = 1""",
    """INSERT INTO piece (session_id, direction, "offset", length, at, layer, literal_start, literal_length, body_id)
        SELECT session_id, 1, 5000, 5000, 1, 1, 5000, 5000, 2 FROM exchange WHERE number = 1""",
)


@pytest.mark.parametrize(("revision", "version"), [("0003", 0), ("0004", 1), ("0005", 2), ("0006", 3)])
def test_an_older_file_that_may_only_be_read_is_read_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, revision: str, version: int
) -> None:
    """Of its two bodies, the second one has other bytes than its hash says. Its index says that there is nothing."""
    path = tmp_path / "old.db"
    data = os.urandom(10_000)
    values = {"first": hashlib.sha256(data[:5000]).digest(), "second": hashlib.sha256(b"what it was").digest()}
    with behind(tmp_path / "migrations", revision), open_store(path, create=True) as store:
        record(store, [opened(), exchange(), exchange(2, status="NO")], "kept")
        with store.writing() as connection:
            connection.execute(text("INSERT INTO extent (id, data) VALUES (7, :data)"), {"data": data})
            connection.execute(text(OLDER_BODIES), values)
            for statement in OLDER_PIECES:
                connection.exec_driver_sql(statement)
            if version:
                states = "INSERT INTO filter_state (recording_id, version, upto, complete) VALUES (1, :version, 2, 1)"
                connection.execute(text(states), {"version": version})
    before = fingerprint(path)
    monkeypatch.setattr("storage.files.access_mode", lambda _: "immutable")
    with open_store(path, create=False) as store:
        assert stream(store) == data
        assert store.hashing().name == "sha256"
        assert list(Search(store, parse("status:NO")).counts().values()) == [1]
        assert [found.text for found in Check(store).findings() if found.flaw is Flaw.BODY] == [
            f"{values['second'].hex()} has other bytes than its hash says"
        ]
        with pytest.raises(StorageError, match="cannot be written to"):
            store.recover()
    assert fingerprint(path) == before


@pytest.mark.parametrize("revision", ["0007", "0008"])
def test_a_file_of_a_late_schema_that_may_only_be_read_is_one_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, revision: str
) -> None:
    """What has changed since is in PostgreSQL alone, or makes a filter faster."""
    path = tmp_path / "old.db"
    with behind(tmp_path / "migrations", revision), open_store(path, create=True) as store:
        record(store, [opened(), exchange(), exchange(2, status="NO")], "kept")
        Search(store, parse('text:"d*"')).counts()
    before = fingerprint(path)
    monkeypatch.setattr("storage.files.access_mode", lambda _: "immutable")
    with open_store(path, create=False) as store:
        assert store.hashing().name == "blake3"
        assert list(Search(store, parse("status:NO")).counts().values()) == [1]
    assert fingerprint(path) == before


def test_a_very_old_file_that_may_only_be_read_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "old.db"
    with behind(tmp_path / "migrations", "0002"):
        open_store(path, create=True).close()
    before = fingerprint(path)
    monkeypatch.setattr("storage.files.access_mode", lambda _: "immutable")
    with pytest.raises(StorageError, match="is of an older imaptap and cannot be brought up to date: it is read-only"):
        open_store(path, create=False)
    assert fingerprint(path) == before


DAMAGED = [
    ("exchange", "outcome = 'completet'", lambda store, session: list(store.exchanges(session))),
    ("exchange", "responses = '{'", lambda store, session: list(store.exchanges(session))),
    ("session", "ending = ''", lambda store, session: list(store.sessions(session.recording))),
    ("piece", "layer = 'x'", lambda store, session: list(store.pieces(session, S))),
]


@pytest.mark.parametrize(("table", "change", "read"), DAMAGED)
def test_a_row_that_nobody_can_have_written_is_said_to_be_damaged(
    tmp_path: Path, table: str, change: str, read: Callable[[Store, Session], object]
) -> None:
    path = tmp_path / "damaged.db"
    recorded(path)
    with open_store(path, create=False) as store:
        session = store.session(store.recording("kept"), 1)
        assert read(store, session)
        with store.writing() as connection:
            connection.exec_driver_sql(f"UPDATE {table} SET {change}")  # noqa: S608
        with pytest.raises(StorageError, match=f"is damaged: its table {table} has a row that makes no sense") as error:
            read(store, session)
        assert error.value.hint


def test_a_schema_that_is_no_text_is_said_to_be_damaged(tmp_path: Path) -> None:
    path = tmp_path / "damaged.db"
    recorded(path)
    whole = path.read_bytes()
    assert b"tablenotenote" in whole, "its type, its name, and its table's"
    path.write_bytes(
        whole.replace(b"tablenotenote", b"tablen\xff\xcce    ").replace(b"CREATE TABLE note", b"CREATE TABLX note")
    )
    with pytest.raises(StorageError, match="is damaged"):
        open_store(path, create=False)


def test_a_second_backup_does_not_replace_the_first(tmp_path: Path, newer: Newer) -> None:
    path = tmp_path / "old.db"
    for _ in range(2):
        recorded(path)
        with newer():
            open_store(path, create=True).close()
        path.unlink()
    names = sorted(file.name for file in tmp_path.iterdir())
    assert names == ["old.db.before-9999-2.backup", "old.db.before-9999.backup"]


def test_a_migration_that_fails_changes_nothing(tmp_path: Path, newer: Newer) -> None:
    path = tmp_path / "old.db"
    said = recorded(path)
    with newer():
        script = migrate._SCRIPTS / "versions" / "9999_newest.py"
        script.write_text(NEWEST + '    op.execute("ALTER TABLE nothing ADD COLUMN x TEXT")\n')
        with pytest.raises(StorageError):
            open_store(path, create=True)
    with open_store(path, create=True) as store:
        assert stream(store) == said


def test_an_old_file_in_use_is_not_migrated(tmp_path: Path, newer: Newer) -> None:
    path = tmp_path / "old.db"
    with open_store(path, create=True) as store:
        writer = Writer(store, "busy")
        with newer(), pytest.raises(StorageError, match="is recording 'busy' into it"):
            open_store(path, create=False)
        writer.close()


@pytest.mark.parametrize("create", [True, False])
def test_a_file_from_the_future_is_refused(where: str, newer: Newer, create: bool) -> None:
    with newer():
        open_store(where, create=True).close()
    with pytest.raises(StorageError, match=f"newer imaptap \\(schema 9999; this one knows up to {migrate.HEAD}\\)"):
        open_store(where, create=create)


def test_an_older_server_is_migrated(postgresql: PostgreSQL, newer: Newer) -> None:
    url = postgresql.new_database()
    open_store(url, create=True).close()
    with newer(), open_store(url, create=False) as store, store.reading() as connection:
        assert migrate.revision(connection) == "9999"


def test_a_new_file_needs_no_alembic(tmp_path: Path) -> None:
    """Its loading takes longer than all the rest."""
    program = (
        "import sys; from storage import open_store; open_store(sys.argv[1], create=True).close();"
        "print([name for name in sys.modules if name.startswith(('alembic', 'mako'))])"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "x.db")]
    assert subprocess.run(command, capture_output=True, check=True).stdout == b"[]\n"


def test_alembic_is_silent(tmp_path: Path) -> None:
    program = (
        "import logging, pathlib, sys; from storage import engine, migrate;"
        "logging.basicConfig(level=logging.WARNING); before = list(logging.root.handlers);"
        "migrate.upgrade(engine.sqlite_engine(pathlib.Path(sys.argv[1]), mode='rwc'));"
        "assert logging.root.handlers == before; assert not logging.getLogger('alembic').disabled"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "x.db")]
    done = subprocess.run(command, capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"", b"")


def test_a_foreign_server_is_not_touched(postgresql: PostgreSQL) -> None:
    url = postgresql.new_database()
    foreign = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with foreign.begin() as connection:
        connection.execute(text("CREATE TABLE session (id INTEGER)"))
    with pytest.raises(StorageError, match="tables named session"):
        open_store(url, create=True)
    with foreign.connect() as connection:
        names = connection.execute(text("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"))
        assert list(names.scalars()) == ["session"]
    foreign.dispose()


def test_a_server_beside_others_is_shared(postgresql: PostgreSQL) -> None:
    url = postgresql.new_database()
    other = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with other.begin() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num TEXT)"))
        connection.execute(text("CREATE TABLE customers (id INTEGER)"))
    other.dispose()
    with pytest.raises(StorageError, match="There are no recordings"):
        open_store(url, create=False)
    open_store(url, create=True).close()
    open_store(url.replace("postgresql:", "postgres:"), create=False).close()


def test_no_server_there_is_a_sentence_without_the_password(postgresql: PostgreSQL) -> None:
    url = postgresql.url("nothing").replace("tester@", "tester:s3cret@")
    for wrong in (url, url.replace(f":{postgresql.port}", ":1")):
        with pytest.raises(StorageError) as refused:
            open_store(wrong, create=True)
        assert "s3cret" not in str(refused.value) + refused.value.hint
        assert wrong.replace("s3cret", "***") in str(refused.value), "as it was typed, but for the password"
        assert refused.value.hint


# --- read-only, as a user who is not root -------------------------------------------------------------------

AS_A_STRANGER = """
import os, sys
from storage import StorageError, Writer, open_store
from proxy.imap.transcript import Direction
Writer(open_store(sys.argv[3], create=True)).close()  # a stranger may not be able to import what this needs
if os.geteuid() == 0:
    os.setgid(65534); os.setuid(65534)
try:
    with open_store(sys.argv[1], create=sys.argv[2] == "create") as store:
        session = store.session(store.recording("kept"), 1)
        print(sum(map(len, store.stream(session, Direction.SERVER))), store.read_only)
        store.recover()
except StorageError as error:
    print(error, "|", error.hint)
"""


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Path]:
    """A folder that everybody can reach, nobody but its owner can change, with a recording in it."""
    with tempfile.TemporaryDirectory(prefix="imaptap-library-", dir="/tmp") as name:
        folder = Path(name)
        recorded(folder / "x.db")
        (folder / "x.db").chmod(0o444)
        folder.chmod(0o555)
        yield folder
        folder.chmod(0o755)


def as_a_stranger(path: Path, mode: str = "read") -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", AS_A_STRANGER, str(path), mode, f"{folder}/warm.db"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_a_read_only_copy_can_be_read(library: Path) -> None:
    before = fingerprint(library / "x.db")
    lines = as_a_stranger(library / "x.db")
    assert lines[0] == "10012 True"
    assert "cannot be written to" in lines[1]
    assert fingerprint(library / "x.db") == before


def test_a_read_only_file_cannot_be_recorded_into(library: Path) -> None:
    assert "cannot be written to" in as_a_stranger(library / "x.db", "create")[0]
    assert "may not be used" in as_a_stranger(library / "new.db", "create")[0]


def test_a_read_only_folder_with_waiting_changes(library: Path) -> None:
    library.chmod(0o755)
    (library / "x.db-wal").write_bytes(b"something")
    library.chmod(0o555)
    assert "changes waiting in x.db-wal" in as_a_stranger(library / "x.db")[0]


def test_a_file_that_may_not_be_read(library: Path) -> None:
    library.chmod(0o755)
    (library / "x.db").chmod(0o000)
    (sentence,) = as_a_stranger(library / "x.db")
    assert "may not be" in sentence


def test_reading_beside_a_recorder_without_write_permission(library: Path) -> None:
    library.chmod(0o777)
    with open_store(library / "x.db", create=True) as store:
        writer = Writer(store)
        assert as_a_stranger(library / "x.db")[0] == "10012 True"
        writer.close()
