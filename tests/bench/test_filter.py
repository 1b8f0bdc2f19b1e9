"""The filter benchmark asks for everything that there is to ask for."""

from __future__ import annotations

import re

from bench.filter import QUESTIONS
from storage.filter import parse
from storage.filter.facts import FACTS, SHORTS
from storage.filter.tree import leaves


def test_it_asks_for_every_fact_and_every_word() -> None:
    assert {leaf.fact for question in QUESTIONS for leaf in leaves(parse(question))} == set(FACTS)
    assert set(SHORTS) <= {
        word for question in QUESTIONS for word in re.findall(r"(?<![\w:])\w+(?![\w:<>=])", question)
    }
    assert len(set(QUESTIONS)) == len(QUESTIONS)
