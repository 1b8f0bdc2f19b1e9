"""A copy of the testbed whose letters, people, keywords and folders are private: each client's job is about them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.end_to_end import planted_letters
from tests.end_to_end.canaries import canaries, listed, parts
from tests.end_to_end.unhurried import Change, copied

_CORPUS, _COMMON = "corpus.py", "clients/lib/common.sh"
_PEOPLE = 11
"""As many as the corpus has of its own."""


def private_testbed(testbed: Path, copy: Path) -> Path:
    """A copy in the new folder `copy`. What it checks of what clients have fetched, it checks with the strings."""
    folder, keyword = canaries()["folder"][:2]
    copied(testbed, copy, *_CHANGES, Change(_COMMON, "FOLDER=tb-$CLIENT-$$", f"FOLDER={folder}-$CLIENT-$$"),
           Change(_CORPUS, '"projekt-x"', repr(keyword)))  # fmt: skip
    shutil.copy(Path(planted_letters.__file__), copy / "private.py")
    people = list(zip(canaries()["name"], canaries()["address"], strict=True))[:_PEOPLE]
    told = {
        "people": people,
        "strings": listed(),
        "parts": [(head.decode("latin-1"), [line.decode("latin-1") for line in lines]) for head, lines in parts()],
    }
    (copy / "private.json").write_text(json.dumps(told))
    for each in ("private.py", "private.json"):
        (copy / each).chmod(0o755)
    return copy


_CHANGES = (
    Change(_CORPUS, "PEOPLE = (\n", "import private\n\nPEOPLE = (\n    *private.PEOPLE,\n"),
    Change(
        _CORPUS,
        "rng.words(2, 6)).capitalize()\n",
        'rng.words(2, 6)).capitalize() + " " + private.subject(message_id)\n',
    ),
    Change(
        _CORPUS,
        "            subject, data = make(kind, rng, message_id, when, thread)\n",
        "            subject, data = make(kind, rng, message_id, when, thread)\n"
        "            data = private.letter(data, serial)\n",
    ),
    Change(
        _CORPUS,
        "return message_id, make(kind, rng, message_id, when)[1]",
        "return message_id, private.put_there(make(kind, rng, message_id, when)[1], str(key))",
    ),
)
