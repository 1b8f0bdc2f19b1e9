"""From tokens to a tree: `not` binds before `and`, `and` before `or`; what stands side by side must all hold.

The grammar is in docs/filter.md.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Final

from storage.filter import amounts
from storage.filter.errors import FilterError
from storage.filter.facts import FACTS, SHORTS, Fact, Kind
from storage.filter.lexer import Sign, Token, tokens
from storage.filter.tree import And, Node, Not, Number, Or, When, Word
from storage.filter.words import split

if TYPE_CHECKING:
    from collections.abc import Callable

DEEPEST: Final = 50
"""Parentheses and `not` inside each other: a filter must neither exhaust Python's stack nor the database's."""
MOST_LEAVES: Final = 200

_JOINING: Final = frozenset({"and", "or", "not"})
_ALL: Final = "All facts: docs/filter.md."


def parse(expression: str) -> Node:
    """Read a filter. Raises FilterError, which says at which column and what would have been right."""
    return _Parser(tokens(expression)).whole()


class _Parser:
    def __init__(self, found: list[Token]) -> None:
        self._tokens = found
        self._next = 0
        self._depth = 0
        self._leaves = 0

    def whole(self) -> Node:
        if self._peek().sign is Sign.END:
            raise FilterError("it is empty", 1, f"Write facts such as cmd:FETCH. {_ALL}")
        node = self._or()
        token = self._peek()
        if token.sign is not Sign.END:
            raise FilterError("this ) closes nothing", token.column, "Take it away, or open it with (.")
        return node

    def _or(self) -> Node:
        parts = [self._and()]
        while self._take_word("or"):
            parts.append(self._and())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _and(self) -> Node:
        parts = [self._not()]
        while self._take_word("and") or self._begins():
            parts.append(self._not())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _not(self) -> Node:
        column = self._peek().column
        if self._take_word("not"):
            return self._deeper(column, lambda: Not(self._not()))
        return self._primary()

    def _primary(self) -> Node:
        token = self._take()
        if token.sign is Sign.LEFT:
            return self._deeper(token.column, lambda: self._group(token))
        if token.sign is Sign.VALUE:
            return self._counted(token, self._text(token))
        if token.sign is not Sign.NAME or token.text.lower() in _JOINING:
            what = "it ends where a fact should follow" if token.sign is Sign.END else f"{token.text} is no fact"
            raise FilterError(what, token.column, f"Write one such as cmd:FETCH. {_ALL}")
        return self._counted(token, self._fact(token))

    def _group(self, opening: Token) -> Node:
        node = self._or()
        if self._take().sign is not Sign.RIGHT:
            raise FilterError("this ( is never closed", opening.column, "Add a ).")
        return node

    def _fact(self, name: Token) -> Node:
        lowered = name.text.lower()
        operator = self._peek()
        if operator.sign is not Sign.OPERATOR:
            return self._short(name, lowered)
        self._next += 1
        fact = FACTS.get(lowered)
        if fact is None:
            raise _unknown(name)
        value = self._take()
        if value.sign is not Sign.VALUE:
            raise FilterError(f"{fact.name} has no value", value.column, f"Write for example {fact.example}.")
        if operator.text == "!=":
            return Not(self._compared(fact, operator, "=", value))
        return self._compared(fact, operator, operator.text.replace(":", "="), value)

    def _compared(self, fact: Fact, operator: Token, how: str, value: Token) -> Node:
        if fact.kind in {Kind.WORD, Kind.TEXT}:
            if how != "=":
                hint = f"Write {fact.example}; only numbers and times are smaller or larger."
                raise FilterError(f"{fact.name} cannot be compared with {operator.text}", operator.column, hint)
            return self._text(value) if fact.kind is Kind.TEXT else Word(fact.name, value.pattern)
        text = "*".join(value.pattern)
        if fact.kind is Kind.TIME:
            return _when(fact, operator, how, text, value.column)
        number = amounts.amount(text, fact.kind)
        if number is None:
            raise FilterError(f"{fact.name} needs another value than {text!r}", value.column, amounts.HOW[fact.kind])
        return Number(fact.name, how, number)

    def _short(self, name: Token, lowered: str) -> Node:
        short = SHORTS.get(lowered)
        if short is not None:
            return Word(short.fact, tuple(short.value.split("*")))
        if fact := FACTS.get(lowered):
            raise FilterError(f"{fact.name} has no value", name.column, f"Write for example {fact.example}.")
        raise _unknown(name)

    def _text(self, value: Token) -> Node:
        *words, last = value.pattern
        if len(words) > 1 or (words and last):
            hint = 'Only the last word of text:"..." may go on: text:"over quot*".'
            raise FilterError("the text has a * in the middle", value.column, hint)
        if not split(value.pattern[0]) or (words and not split(value.pattern[0][-1:])):
            raise FilterError("the text has no word to look for", value.column, "Write letters or digits.")
        return Word("text", value.pattern)

    def _counted(self, token: Token, node: Node) -> Node:
        self._leaves += 1
        if self._leaves > MOST_LEAVES:
            raise FilterError(f"it compares more than {MOST_LEAVES} times", token.column, "Write a shorter one.")
        return node

    def _deeper(self, column: int, inside: Callable[[], Node]) -> Node:
        self._depth += 1
        if self._depth > DEEPEST:
            raise FilterError(f"more than {DEEPEST} levels inside each other", column, "Write a simpler one.")
        node = inside()
        self._depth -= 1
        return node

    def _begins(self) -> bool:
        """Whether another part follows without `and`."""
        token = self._peek()
        if token.sign is Sign.NAME:
            return token.text.lower() != "or"
        return token.sign not in {Sign.END, Sign.RIGHT}

    def _peek(self) -> Token:
        return self._tokens[self._next]

    def _take(self) -> Token:
        token = self._tokens[self._next]
        if token.sign is not Sign.END:
            self._next += 1
        return token

    def _take_word(self, word: str) -> bool:
        token = self._peek()
        if token.sign is Sign.NAME and token.text.lower() == word:
            self._next += 1
            return True
        return False


def _when(fact: Fact, operator: Token, how: str, text: str, column: int) -> Node:
    if not amounts.is_moment(text):
        raise FilterError(f"{text!r} is no time", column, amounts.HOW[Kind.TIME])
    if how == "=" and amounts.ago(text):
        hint = f"Write {fact.name}>{text} for what is later, {fact.name}<{text} for what is earlier."
        raise FilterError(f"{fact.name}{operator.text}{text} is a single microsecond", operator.column, hint)
    return When(fact.name, how, text)


def _unknown(name: Token) -> FilterError:
    names = list(dict.fromkeys([*FACTS, *SHORTS]))
    near = difflib.get_close_matches(name.text.lower(), names, 3, 0.5)
    hint = f"Did you mean {' or '.join(near)}? {_ALL}" if near else f"There is {', '.join(names)}."
    return FilterError(f"there is no fact {name.text!r}", name.column, hint)
