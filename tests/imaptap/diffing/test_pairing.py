"""Which sessions share what is learned of names and UIDs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from imaptap.diffing.pairing import groups, pairings
from imaptap.diffing.values import Chosen
from storage import open_store
from tests.imaptap.telling import Tale, recorded

if TYPE_CHECKING:
    from pathlib import Path

LOGINS = {
    "bob": "C: a LOGIN bob secret\nS: a OK x",
    '"bob"': 'C: a LOGIN "bob" secret\nS: a OK x',
    "eve": "C: a LOGIN eve longer\nS: a OK x",
    "literal": "C: a LOGIN {3}\nS: + go\nC: bob {6}\nS: + go\nC: secret\nS: a OK x",
    "sasl": "C: a AUTHENTICATE PLAIN\nS: + \nC: AGJvYgBzZWNyZXQ=\nS: a OK x",
}


@pytest.mark.parametrize(
    ("logins", "wanted"),
    [
        (["bob", "bob", "eve"], [[1, 2], [3]]),
        (["bob", '"bob"'], [[1, 2]]),
        (["sasl", "bob", "literal"], [[1, 2, 3]]),
        (["sasl", "bob", "eve"], [[1], [2], [3]]),
        (["sasl", "sasl"], [[1, 2]]),
    ],
)
def test_sessions_of_one_user_are_one_group(tmp_path: Path, logins: list[str], wanted: list[list[int]]) -> None:
    """Whom SASL hides is the user whom the others name, if they all name the same one."""
    db = tmp_path / "imaptap.db"
    for name in ("one", "other"):
        tales = [Tale(number).say(f"S: * OK hi\n{LOGINS[login]}").end() for number, login in enumerate(logins, 1)]
        recorded(db, *tales, name=name)
    with open_store(db, create=False) as store:
        found, users = pairings(store, Chosen(store.recording("one"), None), Chosen(store.recording("other"), None))
        numbers = [[pair.left.number for _, pair in group.pairs if pair.left] for group in groups(found, users)]
    assert sorted(numbers) == wanted
