"""What each kind of exchange means, in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.imaptap.meaning.meant import meaning, meanings

SELECTED = "C: z SELECT INBOX\nS: * 9 EXISTS\nS: z OK\n"
STORIES = Path(__file__).with_name("stories.txt").read_text("utf-8")
"""Sessions with nine messages selected; the arrow is what their last exchange means."""


def rows() -> list[tuple[str, str]]:
    """Story and meaning of each."""
    stories = (block.rsplit("\n", 1) for block in STORIES.strip("\n").split("\n\n"))
    return [(story, arrow.removeprefix("→").strip()) for story, arrow in stories]


@pytest.mark.parametrize(("story", "summary"), rows(), ids=[story.split("\n")[0] for story, _ in rows()])
def test_summary(story: str, summary: str) -> None:
    assert meaning(SELECTED + story).summary == summary


def test_what_may_be_another_commands_is_said() -> None:
    first, second = meanings(
        "C: a SEARCH ALL\nC: b SEARCH SEEN\nS: * SEARCH 1\nS: * SEARCH 2\nS: a OK\nS: b OK"
    ).values()
    assert first.summary == "2 messages: 1:2; 2 answers may be another command's"
    assert second.summary == ""


def test_what_is_another_commands_is_counted_there() -> None:
    """M 3.8: both are recorded for the first FETCH, and reading tells them apart."""
    asked = "C: b FETCH 1 BODY[]\nC: c FETCH 2 BODY[]\n"
    answered = 'S: * 2 FETCH (BODY[] "x")\nS: * 1 FETCH (BODY[] "xyz")\nS: b OK\nS: c OK'
    found = meanings(SELECTED + asked + answered)
    assert found[2].summary == "1 message: BODY[] 3 B"
    assert found[3].summary == "1 message: BODY[] 1 B"


def test_a_set_of_many_ranges_is_cut() -> None:
    numbers = " ".join(str(number) for number in range(1, 60, 2))
    assert meaning(f"C: a SEARCH ALL\nS: * SEARCH {numbers}\nS: a OK").summary == (
        "30 messages: 1,3,5,7,9,11,13,15,17,19,21,23 and 18 ranges more"
    )


def test_quirks_are_named_and_counted() -> None:
    found = meaning(f"{SELECTED}C: a FETCH 1:2 UID\nS: * 1 FETCH (UID 5 )\nS: * 2  FETCH (UID 6 )\nS: a OK x")
    assert found.quirks == ("server: space where none belongs (2 times)", "server: doubled space")
    assert found.summary == "2 messages 1:2 (UIDs 5:6)"


def test_what_does_not_parse_shows_where_it_stopped() -> None:
    (stopped,) = meaning("C: a NOOP\nS: * LIST (\\Seen\nS: a OK x").quirks
    assert stopped.startswith("server: ")
    assert "expected" in stopped
    (item,) = meaning("C: a FETCH 1 ENVELOPE\nS: * 1 FETCH (ENVELOPE (x (y)))\nS: a OK x").quirks
    assert item.startswith("server: FETCH item kept as it stands")


def test_quirks_without_end_are_counted() -> None:
    text = "C: a NOOP\n" + "S: * LIST (\\Seen\n" * 20 + "S: a OK x"
    quirks = meaning(text).quirks
    assert len(quirks) == 6
    assert quirks[-1] == "and 15 units more are not understood"
