"""Rules files: written to be read by people, read again as they were, refused with a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.diff.noise import NoiseRule
from storage.diff.rules import SIZE_MOST, Rules, RulesError, read_rules, written
from storage.diff.values import Kind

if TYPE_CHECKING:
    from pathlib import Path

kinds = st.sampled_from(["*", *(kind.value for kind in Kind)])
texts = st.text(st.characters(exclude_categories=["Cs"]))
noise = st.builds(NoiseRule, texts.filter(bool), texts, kinds, st.integers(0, 9), st.integers(1, 99), texts)


def read(path: Path, text: str) -> Rules:
    """A file with that text."""
    file = path / "rules.toml"
    file.write_text(text, "utf-8")
    return read_rules(file)


@given(rules=st.builds(Rules, st.lists(texts).map(tuple), st.booleans(), st.booleans(), st.lists(noise).map(tuple)))
def test_what_is_written_is_read_again(tmp_path_factory: pytest.TempPathFactory, rules: Rules) -> None:
    """Whatever stands in it."""
    assert read(tmp_path_factory.mktemp("rules"), written(rules)) == rules


def test_what_is_no_text_is_shown_as_an_escape(tmp_path: Path) -> None:
    """TOML has no way to say it."""
    rules = Rules(noise=(NoiseRule("FETCH \udcff"),))
    assert read(tmp_path, written(rules)).noise == (NoiseRule(r"FETCH \udcff"),)


def test_a_person_can_read_it() -> None:
    """A line each, with a word on what it is."""
    text = written(Rules(("uid next",), text=True, noise=(NoiseRule('OK "[x]"', "NOOP", "code", 1, 2, "a / b"),)))
    assert text.startswith("# Rules for `imaptap diff --rules`")
    assert text.split("\n\n", 1)[1] == (
        'off = ["uid next"]\ntext = true\ntiming = false\n\n[[noise]]\ncommand = "NOOP"\nkind = "code"\n'
        'where = "OK \\"[x]\\""\nseen = 1\nof = 2\nexample = "a / b"\n'
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("off = 3", "`off` is a list"),
        ("off = [3]", "`off` is a list"),
        ('text = "yes"', "`text` is true or false"),
        ("timing = 1", "`timing` is true or false"),
        ("noise = 3", "`noise` is a table"),
        ("noise = [3]", "`noise` is a table"),
        ("[[noise]]", "the noise rule number 1 has no `where`"),
        ('[[noise]]\nwhere = "x"\n[[noise]]\nwhere = 3', "`where` in the noise rule number 2 is text"),
        ('[[noise]]\nwhere = "x"\nseen = true', "`seen` in the noise rule number 1 is a number"),
        ('[[noise]]\nwhere = "x"\nkind = "loud"', "`kind` in the noise rule number 1 is one of *, missing, extra"),
        ('[[noise]]\nwhere = "x"\nplace = "y"', "there is no `place` in the noise rule number 1"),
        ("of = []", "there is no `of`, only off"),
        ("off = [", "is no TOML"),
        ("x = " + "[" * 5000, "is no TOML"),
    ],
)
def test_a_wrong_file_is_told_of(tmp_path: Path, text: str, says: str) -> None:
    """In a sentence that names the place."""
    with pytest.raises(RulesError, match=r"rules\.toml") as told:
        read(tmp_path, text)
    assert says in str(told.value)
    assert told.value.hint


def test_no_file_and_what_is_none(tmp_path: Path) -> None:
    """Neither ends in a traceback."""
    with pytest.raises(RulesError, match="no such file"):
        read_rules(tmp_path / "none")
    (tmp_path / "bytes").write_bytes(b"off = ['\xff']")
    with pytest.raises(RulesError, match="is no TOML"):
        read_rules(tmp_path / "bytes")
    (tmp_path / "large").write_bytes(b"#" * (SIZE_MOST + 1))
    with pytest.raises(RulesError, match="larger than"):
        read_rules(tmp_path / "large")
