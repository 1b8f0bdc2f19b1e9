"""The filter language: `parse` reads an expression, `Search` puts it to a store, `Matcher` to one exchange at a time.

docs/filter.md describes it for people.
"""

from __future__ import annotations

from storage.filter.errors import FilterError
from storage.filter.parser import parse
from storage.filter.search import Match, Matcher, Search
from storage.filter.tree import Node, written

__all__ = ["FilterError", "Match", "Matcher", "Node", "Search", "parse", "written"]
