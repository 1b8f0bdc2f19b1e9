"""What one server calls this, and another one that: tags, mailboxes, messages and counters of two servers, paired.

Filled from dialogues that belong together, a recorded one and its counterpart (M 8, M 9). `proxy.replay` rewrites
commands by it, `storage.diff` compares answers by it.
"""

from proxy.imap.mapping.mapping import Mapping
from proxy.imap.mapping.values import NoCounterpartError, Place, Side, Strength

__all__ = ["Mapping", "NoCounterpartError", "Place", "Side", "Strength"]
