"""Lint: what client and server say against the RFCs, found in a recorded session.

    linter = Linter()
    linter.said(said)      a unit, in the order in which both sides spoke -> findings
    linter.lose()          bytes that are no units, or are missing
    linter.end(ending)     the session's end -> findings
    RULES                  all rules by id

Rules are data, a family a file; docs/lint.md lists them. Times come in with what was said. It is for those who look at
a recording: traffic waits for none of it.
"""

from proxy.imap.lint.heard import Said
from proxy.imap.lint.linter import FAMILIES, RULES, Linter
from proxy.imap.lint.rules import Finding, Rule, Severity

__all__ = ["FAMILIES", "RULES", "Finding", "Linter", "Rule", "Said", "Severity"]
