"""`html`: what a parser makes of the page, without a browser."""

from __future__ import annotations

import base64
import hashlib
import json
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest

from imaptap.exporting.html import BODY_MOST
from imaptap.exporting.settings import Settings
from tests.imaptap.exporting.exported import S, Tale, export, hostile, open_store, plain_session, recorded

if TYPE_CHECKING:
    from pathlib import Path

    from proxy.imap.transcript import Record


class Page(HTMLParser):
    """Tags, attributes, and the texts of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[tuple[str, str]] = []
        self._inside = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        known = dict(attrs)
        self._inside = (known.get("class") or tag) if tag in {"script", "style"} else ""
        if self._inside:
            self.texts.append((self._inside, ""))

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002  the parser's signature
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside:
            name, text = self.texts.pop()
            self.texts.append((name, text + data))

    def data(self, name: str) -> list[Any]:
        """What the elements of this class say."""
        return [json.loads(text) for each, text in self.texts if each == name]


def page(tmp_path: Path, *tales: list[Record], bodies: bool | None = None) -> Page:
    tmp_path.mkdir(exist_ok=True)
    recorded(tmp_path / "imaptap.db", *tales, name="x")
    with open_store(tmp_path / "imaptap.db", create=False) as store:
        return Page(export(store, "html", settings=Settings(bodies=bodies))[0].decode())


def test_nothing_but_its_own_may_run(tmp_path: Path) -> None:
    """The policy names the hashes of the one script and the one style that there are."""
    shown = page(tmp_path, plain_session())
    (policy,) = (value for name, value in shown.attributes if name == "content" and value and "default-src" in value)
    for name in ("script", "style"):
        (text,) = (text for each, text in shown.texts if each == name)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in policy
    names = {name for name, _ in shown.attributes}
    assert not names & {"src", "href", "style", "action"}
    assert not {name for name in names if name.startswith("on")}


def test_what_was_said_adds_no_markup(tmp_path: Path) -> None:
    """The same elements as of a session that says nothing odd, but for the number of exchanges."""
    plain, evil = page(tmp_path, plain_session()), page(tmp_path / "evil", hostile())
    assert set(evil.tags) == set(plain.tags)
    assert evil.tags.count("script") - plain.tags.count("script") == 2 * (5 - 4)
    assert evil.data("exchange")[1][0]["said"].startswith('SELECT "<script>alert(1)</script>')
    assert all("\x1b" not in json.dumps(each, ensure_ascii=False) for each in evil.data("lines"))


@pytest.mark.parametrize("bodies", [None, True, False])
def test_how_much_of_a_literal_is_there(tmp_path: Path, bodies: bool | None) -> None:
    """What is not is counted, and nothing is missing behind it."""
    line = b"x" * 98 + b"\r\n"
    letter, count = line * 1000, BODY_MOST // 100
    tale = Tale().say("S: * OK\nC: a FETCH 1 BODY[]")
    tale.send(S, b"* 1 FETCH (BODY[] {%d}\r\n" % len(letter), letter, b")\r\na OK\r\n")
    (entries,) = page(tmp_path, tale.end(), bodies=bodies).data("lines")
    literal = [entry for entry in entries if entry[1] == "S|"]
    absent = [entry[2] for entry in entries if entry[1] == "S*"]
    assert len(literal) == {None: count, True: 1000, False: 0}[bodies]
    left = len(letter) - len(literal) * len(line)
    assert absent == ([f"{left} bytes of a literal, not shown"] if left else [])
    assert [entry[2] for entry in entries[-2:]] == [")", "a OK"]
