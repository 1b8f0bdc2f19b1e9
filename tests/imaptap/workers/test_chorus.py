"""What several workers say at once is said once."""

from __future__ import annotations

import pytest

from imaptap.workers.chorus import Chorus


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ("1a", "a"),
        ("1a 2a 3a", "a"),
        ("1a 1a", "a a"),
        ("1a 2a 2a", "a a"),
        ("1a 2a 1a 2a", "a a"),
        ("1a 2b 1b 2a", "a b"),
        ("1a 2a 1b 2b 1a 2a", "a b a"),
    ],
)
def test_who_says_what_and_what_is_heard(said: str, heard: str) -> None:
    told = list[tuple[str, str]]()
    chorus = Chorus(lambda *words: told.append(words))
    for word in said.split():
        chorus.say(int(word[0]), word[1], "do something")
    assert told == [(word, "do something") for word in heard.split()]


def test_it_remembers_the_newest_only() -> None:
    told = list[str]()
    chorus = Chorus(lambda message, _: told.append(message))
    for number in range(1000):
        chorus.say(1, str(number), "")
    for number in (0, 999):
        chorus.say(2, str(number), "")
    assert told[1000:] == ["0"]
    assert len(chorus._singers) < 1000
