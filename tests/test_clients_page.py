"""docs/clients.md: a portrait for each client of the testbed, as `imaptap portrait` tells it."""

from __future__ import annotations

import re

import pytest

from proxy.imap.portrait import Situation
from tests.end_to_end.portraits import VERSIONS
from tests.end_to_end.testbed import CLIENTS
from tests.need import ROOT, shared

PAGE = ROOT / "docs" / "clients.md"
SECTIONS = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", PAGE.read_text(), re.MULTILINE | re.DOTALL))


def test_every_client_has_a_section() -> None:
    """Also those that the testbed beside the repository has, where there is one."""
    assert list(SECTIONS) == list(CLIENTS) == list(VERSIONS)
    if folder := shared():
        scripts = {file.stem for file in (folder / "testbed" / "clients").glob("*.sh")} - {"run-all"}
        assert scripts == set(SECTIONS)


@pytest.mark.parametrize("client", CLIENTS)
def test_a_section_is_a_whole_portrait(client: str) -> None:
    """With the client's version, every situation, and how it uses capabilities."""
    section = SECTIONS[client]
    assert re.search(r"^Version: .*\d", section, re.MULTILINE)
    assert re.search(rf"^# portrait of {re.escape(client)}, 20\d\d-", section, re.MULTILINE)
    for situation in set(Situation) - {Situation.OTHER}:
        title = str(situation).capitalize()
        assert re.search(rf"^{title}(: not seen|\n  \S)", section, re.MULTILINE), title
    assert re.search(r"^Capabilities\n  \S", section, re.MULTILINE)


def test_portraits_are_not_all_alike() -> None:
    """No two clients have the same one."""
    told = {section.partition("In general")[2] for section in SECTIONS.values()}
    assert len(told) == len(CLIENTS)
