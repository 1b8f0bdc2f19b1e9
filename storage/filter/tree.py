"""A filter that has been read: a tree of frozen values, and how it is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from storage.filter.facts import FACTS, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Word:
    """A fact has a word like this. `pattern` is what stands between wildcards: ("Work/", "") for `Work/*`.

    For `text`, the last part is empty where the last word may go on.
    """

    fact: str
    pattern: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Number:
    """A fact has a number for which `operator` (= > >= < <=) `value` holds: microseconds, bytes, or as it is."""

    fact: str
    operator: str
    value: int


@dataclass(frozen=True, slots=True)
class When:
    """A fact has such a time. `moment` as it was written: `2026-11-01T10:00`, `-10m`."""

    fact: str
    operator: str
    moment: str


@dataclass(frozen=True, slots=True)
class Not:
    """The contrary."""

    part: Node


@dataclass(frozen=True, slots=True)
class And:
    """All of at least two."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any of at least two."""

    parts: tuple[Node, ...]


Leaf = Word | Number | When
Node = Leaf | Not | And | Or


def leaves(node: Node) -> Iterator[Leaf]:
    """All that it compares."""
    if isinstance(node, (And, Or)):
        for part in node.parts:
            yield from leaves(part)
    elif isinstance(node, Not):
        yield from leaves(node.part)
    else:
        yield node


def written(node: Node) -> str:
    """The filter as text; reading it gives the same tree."""
    if isinstance(node, Or):
        return " or ".join(_inside(part, (Or,)) for part in node.parts)
    if isinstance(node, And):
        return " and ".join(_inside(part, (Or, And)) for part in node.parts)
    if isinstance(node, Not):
        return f"not {_inside(node.part, (Or, And))}"
    return _leaf(node)


def _inside(node: Node, needing: tuple[type, ...]) -> str:
    return f"({written(node)})" if isinstance(node, needing) else written(node)


def _leaf(leaf: Leaf) -> str:
    if isinstance(leaf, Word):
        return f'{leaf.fact}:"{"*".join(map(_escaped, leaf.pattern))}"'
    if isinstance(leaf, When):
        return f"{leaf.fact}{leaf.operator}{leaf.moment}"
    if FACTS[leaf.fact].kind is Kind.DURATION:
        whole, rest = divmod(leaf.value, 1000)
        return f"{leaf.fact}{leaf.operator}{whole}.{rest:03}"
    return f"{leaf.fact}{leaf.operator}{leaf.value}"


def _escaped(part: str) -> str:
    return part.replace("\\", "\\\\").replace('"', '\\"').replace("*", "\\*")
