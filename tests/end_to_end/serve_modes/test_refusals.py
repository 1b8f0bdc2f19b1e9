"""What `imaptap serve --mode` refuses before anything is served or recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from storage import Writer, open_store
from tests.servers import warm
from tests.servers.recorder import environment, program

if TYPE_CHECKING:
    from pathlib import Path


FAR = ("--upstream", "imaps://localhost:1")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--mode", "new"), "Give --upstream imaps://HOST."),
        (("--mode", "all"), "Give --upstream imaps://HOST."),
        (("--mode", "spy"), "Give --upstream imaps://HOST."),
        (("--upstream", "imaps://localhost"), "With --mode none no server is asked"),
        (("--mode", "spy", "--upstream", "nonsense"), "is no URL"),
        (("--mode", "spy", "--upstream", "imaps://localhost", "--upstream-ca", "/nowhere"), "/nowhere"),
        (("--mode", "all", *FAR, "--name", "x"), "What is recorded with --mode all is called"),
        (("--mode", "new", *FAR, "--name", "x"), "What is recorded with --mode new is called"),
        (("--mode", "spy", *FAR, "--name", "x"), "Nothing is recorded here that could be called 'x'"),
        (("--name", "x"), "Nothing is recorded here that could be called 'x'"),
        (("--db", "t.db", "--no-record", "--name", "x"), "Nothing is recorded here that could be called 'x'"),
        (("--mode", "all", *FAR, "--no-record"), "--no-record to record nothing"),
        (("--mode", "new", *FAR, "--no-record"), "--no-record to record nothing"),
        (("--bodies", "none"), "Nothing is recorded here of which letters could be kept"),
        (("--mode", "spy", *FAR, "--bodies", "none"), "Nothing is recorded here of which letters could be kept"),
        (
            ("--db", "t.db", "--no-record", "--bodies", "hash"),
            "Nothing is recorded here of which letters could be kept",
        ),
        (("--step", "key"), "needs a terminal"),
        (("--step", "-"), "needs a terminal"),
        (("--step", "/dev/null"), "/dev/null is no file"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    """Before anything is served."""
    file = tmp_path / "x.cassette"
    file.write_text("imaptap cassette 1\nS: * OK ready\nC: a NOOP\nS: a OK done\n")
    command = [program(), "serve", str(file), *words, "--listen", "imap+insecure://127.0.0.1:0"]
    done = warm.run(command, environment(tmp_path / "home"))
    assert (done.returncode, "Traceback" in done.stderr) == (2, False), done.stderr
    assert said in done.stderr


@pytest.mark.parametrize("mode", ["once", "new", "all"])
def test_a_file_that_is_no_cassette_is_not_taken_for_the_name_of_a_recording(tmp_path: Path, mode: str) -> None:
    """An empty one, as `touch` makes it, would stay empty, and the mail be recorded elsewhere."""
    (tmp_path / "x.cassette").touch()
    db = tmp_path / "t.db"
    words = (
        "--db",
        str(db),
        "--mode",
        mode,
        "--upstream",
        "imaps://localhost:1",
        "--listen",
        "imap+insecure://localhost:0",
    )
    done = warm.run([program(), "serve", "x.cassette", *words], environment(tmp_path / "home"), cwd=tmp_path)
    assert (done.returncode, db.exists()) == (2, False), done.stderr
    assert "x.cassette is there, and is no cassette" in done.stderr


def test_what_is_still_being_recorded_is_not_recorded_anew(tmp_path: Path) -> None:
    """It is said before the work begins that would end with it."""
    db = tmp_path / "t.db"
    with open_store(str(db), create=True) as store:
        writer = Writer(store, "jobs")
        try:
            words = ("--db", str(db), "--mode", "all", "--upstream", "imaps://localhost:1")
            done = warm.run([program(), "serve", "jobs", *words], environment(tmp_path / "home"))
        finally:
            writer.close()
    assert (done.returncode, "'jobs' is still being recorded" in done.stderr) == (2, True), done.stderr
    assert "Listening" not in done.stderr
