"""When two answers are equal (M 10): a file for each family of responses. docs/diff.md has the rules.

compare(left, right, context) -> Comparison    two dialogues that belong together
Context                                        what is known around them: ids, bodies, rules switched off
RULES                                          the rules by which something is let pass
"""

from __future__ import annotations

from storage.diff.equality.compare import compare
from storage.diff.equality.context import Context, Mapped, Unmapped
from storage.diff.equality.rules import RULES, Explained, Rule

__all__ = ["RULES", "Context", "Explained", "Mapped", "Rule", "Unmapped", "compare"]
