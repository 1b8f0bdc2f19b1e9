"""The formats for programs and pages: what stands in them, and that hostile text stays text."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree as ET

from storage.diff.report import document, junit, markdown, page
from storage.diff.report.values import State
from tests.storage.diff.report.results import HOSTILE, Told, hostile, told

VOID = {"meta", "br"}


class Page(HTMLParser):
    """Its tags, which have to be closed in their order, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """One begins."""
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """It ends."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Between them."""
        if "style" not in self.open:
            self.words.append(data)


def html(result: Told) -> str:
    """The page."""
    return "".join(page.parts(result))


# --- HTML -----------------------------------------------------------------------------------------------------------


def test_a_page_tells_all() -> None:
    """What is equal is folded."""
    words = " ".join(" ".join(Page(html(told())).words).split())
    for said in (
        "5 differences in 6 exchanges.", "A old imaps://old.example.org", "B new/2 imaps://new.example.org",
        "QRESYNC yes -", "SORT yes after login", "2 in both", "= 2 equal (1 to 2): LOGIN, UID FETCH",
        "≠ 3 UID FETCH 4 (FLAGS) OK", "≠ 4 UID FETCH 17 (FLAGS) NO [CANNOT]", "status completion OK NO [CANNOT]",
        "The target has no such message.", r"missing FETCH 4 FLAGS (\Seen) nothing", "nearest in B: 9 SEARCH ALL",
        "? 6 UID MOVE 4 Trash OK nothing the target has no MOVE", "old/2 no such session", "= 1 equal (7): LOGOUT",
        "Let pass by 1 rules", "uid 2 FETCH 4 UID 4 17", "let pass in 19 of 20: far more often",
    ):  # fmt: skip
        assert said in words


def test_a_page_is_whole_in_itself() -> None:
    """No script, nothing that is loaded, both colour schemes."""
    text = html(told())
    tags = Page(text).tags
    assert {"script", "link", "img", "iframe", "a", "form"}.isdisjoint(tag for tag, _ in tags)
    assert not [attributes for _, attributes in tags if attributes.keys() & {"src", "href", "style", "onclick"}]
    assert "url(" not in text
    assert "@import" not in text
    assert "prefers-color-scheme: dark" in text
    policy = next(attributes["content"] for _, attributes in tags if "http-equiv" in attributes)
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"


def test_no_tag_on_a_page_comes_from_a_peer() -> None:
    """The same tags as without hostile text, and the text is there to be read."""
    found = Page(html(hostile()))
    assert {tag for tag, _ in found.tags} <= {tag for tag, _ in Page(html(told())).tags}
    assert "<script>alert(1)</script>&\"'`|*_[x](javascript:y)" in "".join(found.words)
    assert "\x1b" not in html(hostile())
    html(hostile()).encode()


# --- JSON -----------------------------------------------------------------------------------------------------------


def parsed(result: Told) -> Any:
    """The document."""
    return json.loads("".join(document.parts(result)))


def test_a_document_tells_all() -> None:
    """Every pair of exchanges, those that are equal too."""
    found = parsed(told())
    assert found["equal"] is False
    assert found["left"] == {"address": "old", "server": "imaps://old.example.org"}
    assert found["states"] == {"different": 1, "equal": 3, "extra": 1, "missing": 1, "not compared": 1}
    assert found["session_states"] == {"missing": 1, "paired": 1}
    assert found["kinds"] == {"extra": 1, "missing": 3, "status": 1}
    assert found["capabilities"][2] == {
        "name": "SORT",
        "left": {"before_login": True, "after_login": True},
        "right": {"before_login": False, "after_login": True},
    }
    assert found["rules"] == [
        {"rule": "uid", "count": 2, "example": {"where": "FETCH 4 UID", "left": "4", "right": "17"}}
    ]
    assert [noisy["more_often"] for noisy in found["noise"]] == [False, True]
    one, other = found["sessions"]
    assert other == {"left": "old/2", "right": None, "exchanges": []}
    assert [entry["state"] for entry in one["exchanges"]] == [
        "equal", "equal", "different", "missing", "extra", "not compared", "equal",
    ]  # fmt: skip
    assert one["exchanges"][3] == {
        "state": "missing",
        "left": {"exchange": 4, "command": "SEARCH UNSEEN", "result": "OK", "ms": 1.0},
        "right": None,
        "moved": False,
        "reason": "",
        "nearest": {"exchange": 9, "command": "SEARCH ALL", "result": "OK", "ms": None},
        "passes": 0,
        "differences": [{"kind": "missing", "where": "exchange", "left": "SEARCH UNSEEN", "right": None, "cause": ""}],
    }


def test_a_document_of_hostile_text_is_ascii() -> None:
    """A terminal obeys nothing in it."""
    text = "".join(document.parts(hostile()))
    assert text.isascii()
    assert "\x1b" not in text
    assert parsed(hostile())["sessions"][0]["exchanges"][1]["differences"][0]["left"] == HOSTILE


# --- JUnit ----------------------------------------------------------------------------------------------------------


def test_a_suite_a_pair_of_sessions_a_case_an_exchange() -> None:
    """Counts stand in front."""
    root = ET.fromstring("".join(junit.parts(told())))  # noqa: S314  our own
    assert (root.get("tests"), root.get("failures"), root.get("skipped")) == ("8", "4", "1")
    one, other = root.findall("testsuite")
    assert (one.get("name"), one.get("tests"), one.get("failures"), one.get("skipped")) == (
        "old/1 and new/2", "7", "3", "1",
    )  # fmt: skip
    assert (other.get("tests"), other.get("failures")) == ("1", "1")
    cases = one.findall("testcase")
    assert [case.get("name") for case in cases][2:5] == ["3 UID FETCH 4 (FLAGS)", "4 SEARCH UNSEEN", "B 5 NOOP"]
    assert [len(case.findall("failure")) for case in cases] == [0, 0, 1, 1, 1, 0, 0]
    failure = cases[2].find("failure")
    assert failure is not None
    assert failure.get("type") == "status, missing"
    assert failure.text == (
        "status completion: OK / NO [CANNOT] (The target has no such message.)\n"
        "missing FETCH 4 FLAGS: (\\Seen) / nothing"
    )
    skipped = cases[5].find("skipped")
    assert skipped is not None
    assert skipped.get("message") == "the target has no MOVE"
    assert cases[0].get("time") == "0.001500"


def test_xml_of_hostile_text_is_xml() -> None:
    """Also with what no document may hold."""
    told_so = hostile()
    told_so.right = told_so.right._replace(address="\ufffe\uffff\x00")
    root = ET.fromstring("".join(junit.parts(told_so)).encode())  # noqa: S314  our own
    assert root.findall(".//script") == []
    failure = root.find(".//failure")
    assert failure is not None
    assert "<script>alert(1)</script>" in (failure.text or "")


# --- Markdown -------------------------------------------------------------------------------------------------------


def test_markdown_tells_all() -> None:
    """Headings, and a table for each exchange that differs."""
    text = "".join(markdown.parts(told()))
    assert text.startswith("# old and new/2\n\n**5 differences in 6 exchanges.**\n\n| | A: old | B: new/2 |\n")
    for said in (
        "| QRESYNC | yes | - |\n", "\nIn both: IDLE SORT\n", "\n## old/1 and new/2\n", "- 2 equal: LOGIN, UID FETCH\n",
        "\n### different: `3 UID FETCH 4 (FLAGS)` / `4 UID FETCH 17 (FLAGS)`\n",
        "| status | `completion` | `OK` | `NO [CANNOT]` | The target has no such message. |\n",
        "| missing | `FETCH 4 FLAGS` | `(\\Seen)` |  |  |\n", "\nNearest: `9 SEARCH ALL`\n",
        "\n### not compared: `6 UID MOVE 4 Trash` / nothing\n\nthe target has no MOVE\n", "| uid | 2 |\n",
        "\n## old/2 and no such session\n",
    ):  # fmt: skip
        assert said in text


def test_nothing_hostile_is_markdown() -> None:
    """Neither a tag, nor a link, nor a cell more, outside of code."""
    text = "".join(markdown.parts(hostile()))
    assert "\x1b" not in text
    for line in text.split("\n"):
        bare = re.sub(r"(`+)(?:(?!\1).)+?\1(?!`)", "", re.sub(r"\\[!-/:-@[-`{-~]", "", line))
        assert "<" not in bare
        assert "](" not in bare
        assert "`" not in bare
        if line.startswith("| value"):
            assert bare.count("|") == 6
    assert State.DIFFERENT.value in text
