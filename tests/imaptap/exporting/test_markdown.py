"""`markdown`: what an issue tracker makes of it is what is meant, whatever was said."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from imaptap.exporting.markdown import LIMIT, LINES_MOST
from imaptap.exporting.settings import Settings
from tests.imaptap.exporting.exported import S, Tale, export, hostile, open_store, plain_session, recorded

if TYPE_CHECKING:
    from pathlib import Path


def markdown(tmp_path: Path, settings: Settings | None = None) -> str:
    with open_store(tmp_path / "imaptap.db", create=False) as store:
        return export(store, "markdown", settings=settings)[0].decode()


def test_fences_end_where_they_should(tmp_path: Path) -> None:
    """Outside of them there is no markup but ours, no link to a person or an issue; inside, all lines are lines."""
    recorded(tmp_path / "imaptap.db", hostile(), name="x")
    text = markdown(tmp_path, Settings(bodies=True))
    parts = re.split(r"^```$", text, flags=re.MULTILINE)
    assert len(parts) % 2 == 1
    inside, outside = parts[1::2], parts[::2]
    assert all(re.fullmatch(r"([CS][:|*](?: .*)?\n)+", part.lstrip("\n")) for part in inside)
    html = re.findall(r"(?<!\\)<[^\n>]*>", re.sub(r"(`+).*?\1", "", "\n".join(outside)))
    assert set(html) <= {"<details>", "<summary>", "<code>", "</code>", "</summary>", "</details>"}
    assert not re.search(r"(?<!\\)[@#]\w", re.sub(r"<code>.*?</code>|(`+).*?\1", "", "\n".join(outside)))


def test_rows_have_seven_cells(tmp_path: Path) -> None:
    recorded(tmp_path / "imaptap.db", hostile(), plain_session(2), name="x")
    rows = [line for line in markdown(tmp_path).split("\n") if line.startswith("|")]
    assert len(rows) == 2 * 2 + 5 + 4
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {8}


@pytest.mark.parametrize("limit", [None, 3000])
def test_it_stays_within_the_limit_and_says_so(tmp_path: Path, limit: int | None) -> None:
    tale = Tale().say("S: * OK")
    for index in range(600):
        tale.say(f"C: a{index} NOOP {'x' * 100}\nS: a{index} OK")
    recorded(tmp_path / "imaptap.db", tale.end(), name="x")
    text = markdown(tmp_path, Settings(limit=limit))
    most = limit or LIMIT
    assert most * 0.7 < len(text.encode()) <= most
    assert text.endswith(f"_The rest is left out: `--limit {most}`._\n")
    assert text.count("<details>") == text.count("</details>")


def test_many_lines_are_counted(tmp_path: Path) -> None:
    tale = Tale().say("C: a LIST").send(S, b"".join(b"* LIST () / box%d\r\n" % index for index in range(1000)))
    recorded(tmp_path / "imaptap.db", tale.say("S: a OK").end(), name="x")
    text = markdown(tmp_path)
    assert text.count("S: * LIST") == LINES_MOST - 1
    assert f"S: … {1002 - LINES_MOST:,} more lines" in text
