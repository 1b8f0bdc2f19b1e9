"""Thunderbird's log of IMAP, in the forms that it has had."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from imaptap.importing.formats import named
from proxy.imap.transcript import Direction
from tests.imaptap.importing.scripts import found, told

if TYPE_CHECKING:
    from pathlib import Path

    from tests.imaptap.importing.scripts import Told

THUNDERBIRD = named("thunderbird")
NEW = "2023-11-14 22:13:20.000250 UTC - [Parent 7: IMAP]: "


def _told(folder: Path, *lines: str) -> Told:
    path = folder / "imap.moz_log"
    path.write_bytes("".join(f"{line}\n" for line in lines).encode("latin-1"))
    return told(THUNDERBIRD, path)


def _heard(text: str, state: str = "A", pointer: str = "7f00aa", size: int | None = None) -> list[str]:
    size = len(text) + 2 if size is None else size
    return [
        f"{NEW}D/IMAP ReadNextLine [rv=0x0 stream=266f8f8 nb={size} needmore=0]",
        f"{NEW}I/IMAP {pointer}:mail.example:{state}:CreateNewLineFromSocket: {text}\r",
    ]


def _sent(text: str, state: str = "A", pointer: str = "7f00aa") -> list[str]:
    return [f"{NEW}I/IMAP {pointer}:mail.example:{state}:SendData: {text}\r", ""]


SESSION = [
    f"{NEW}I/IMAP try to log in",
    *_heard("* OK ready", "NA"),
    *_sent("Logging suppressed for this command (it probably contained authentication information)", "NA"),
    *_heard("2 OK in", "NA"),
    *_sent('3 select "INBOX"'),
    *_heard("* 1 EXISTS"),
    f"{NEW}I/IMAP 7f00aa:mail.example:S-INBOX:STREAM:OPEN Size: 5: Begin Message Download Stream",
    *_heard("3 OK", "S-INBOX"),
]
SCRIPT = ["S: * OK ready|2 OK in|", 'C: 3 select "INBOX"|', "S: * 1 EXISTS|3 OK|"]


def test_a_session(tmp_path: Path) -> None:
    done = _told(tmp_path, *SESSION)
    assert found(tmp_path / "imap.moz_log") == "thunderbird"
    assert done.script() == SCRIPT
    assert (done.begun[0].upstream, done.begun[0].wall) == ("mail.example", 1_700_000_000_000_250)
    assert done.remarks == ["not logged: a command that holds a password stood here"]


@pytest.mark.parametrize("prefix", ["1344[3f74b68]: ", "-12345[0x7f]: ", "[(null) 7: Main Thread]: I/IMAP "])
def test_older_forms(tmp_path: Path, prefix: str) -> None:
    line = f"{prefix}42a5818:imap.example:S-[Gmail]/All Mail:"
    done = _told(
        tmp_path, f"{line}SendData: 9 UID fetch 77 (FLAGS)\r", "", f"{line}CreateNewLineFromSocket: 9 OK\r", ""
    )
    assert found(tmp_path / "imap.moz_log") == "thunderbird"
    assert done.script() == ["C: 9 UID fetch 77 (FLAGS)|", "S: 9 OK|"]
    assert "there are no times" in done.begun[0].caveats


def test_connections_at_once(tmp_path: Path) -> None:
    """Each has its own pointer."""
    one, two = _heard("* OK one", "NA", "aaaa1"), _heard("* OK two", "NA", "bbbb2")
    done = _told(tmp_path, *one, *two, *_sent("1 noop", "A", "aaaa1"), *_sent("2 noop", "A", "bbbb2"))
    keys = {each.key for each in done.said}
    assert len(keys) == len(done.begun) == len(done.over) == 2
    assert [each.data for each in done.said if each.key == done.begun[0].key] == [b"* OK one\r\n", b"1 noop\r\n"]


def test_a_connection_that_ends_and_begins_again(tmp_path: Path) -> None:
    gone = f"{NEW}I/IMAP 7f00aa:mail.example:A:TellThreadToDie: close socket connection"
    for between in ([gone], [*_heard("* BYE")]):
        done = _told(tmp_path, *_heard("* OK one", "NA"), *between, *_heard("* OK two", "NA"))
        assert len(done.begun) == 2


def test_how_long_a_line_was_tells_its_end(tmp_path: Path) -> None:
    done = _told(tmp_path, *_heard("* OK", size=5), *_heard("* 1 EXISTS", size=12), *_heard("* 2 EXISTS", size=15))
    assert done.stream(Direction.SERVER) == b"* OK\n* 1 EXISTS\r\n* 2 EXISTSxxx\r\n"
    assert done.remarks == ["not logged: 3 bytes of longer lines are not in the log; x stand in their place"]


def test_a_length_that_nobody_has_is_not_made_up(tmp_path: Path) -> None:
    done = _told(tmp_path, *_heard("* OK", size=999_999_999))
    assert max(len(each.data) for each in done.said) <= 64 * 1024
    assert sum(len(each.data) for each in done.said) < 17 << 20


def test_a_long_line_goes_on_in_other_entries(tmp_path: Path) -> None:
    """They say neither whose they are nor on which connection."""
    text = "* LIST () " + "y" * 1000
    entry, first = _heard(text[:400], size=len(text) + 2)
    done = _told(tmp_path, entry, first, f"{NEW}I/IMAP {text[400:800]}", f"{NEW}I/IMAP {text[800:]}\r", *_heard("2 OK"))
    assert done.stream(Direction.SERVER).decode() == f"{text}\r\n2 OK\r\n"


def test_what_is_sent_in_several_lines(tmp_path: Path) -> None:
    """A message to append has lines without anything before them; blank ones end entries, or are the message's own."""
    done = _told(
        tmp_path, *_heard("* OK"), *_sent("5 append x {18}"), *_heard("+ go"),
        f"{NEW}I/IMAP 7f00aa:mail.example:A:SendData: Subject: x\r", "\r", "hey!\r", "",
        *_sent(""), *_heard("5 OK"),
    )  # fmt: skip
    assert done.script()[1:] == ["C: 5 append x {18}|", "S: + go|", "C: Subject: x||hey!|", "S: 5 OK|"]


def test_other_modules_and_nonsense_are_passed_over(tmp_path: Path) -> None:
    noise = [f"{NEW}D/nsHttp hello", "garbage \x1b[2J", "\0\0", "[", "", f"{NEW}I/IMAP :::SendData: x"]
    lines = [line for each in SESSION for line in (*noise, each)]
    assert _told(tmp_path, *lines).script() == SCRIPT


def test_an_endless_line_ends_it(tmp_path: Path) -> None:
    done = _told(tmp_path, *SESSION, "x" * 200_000)
    assert done.script() == SCRIPT
    assert done.broken is not None


def test_cut_anywhere(tmp_path: Path) -> None:
    whole = _told(tmp_path, *SESSION)
    for count in range(len(SESSION)):
        done = _told(tmp_path, *SESSION[:count])
        assert all(whole.stream(side).startswith(done.stream(side)) for side in Direction)
