"""How a client behaves, told from what it said: its sequences in words, and what it does with what a server offers.

    portray(talks)        sessions of one client -> Portrait
    differences(a, b)     two portraits -> what only one of them has, situation by situation

No I/O: sessions come as values (`Talk`), commands as units that the grammar reads. Nothing here raises on any input or
takes more than linear time. All text that comes out is readable: what a client sent is escaped.
"""

from proxy.imap.portrait.compare import Difference, capability_differences, differences
from proxy.imap.portrait.portray import portray
from proxy.imap.portrait.values import NOTHING, Block, Fact, Portrait, Situation, Step, Talk, Told, Traits, Way

__all__ = [
    "NOTHING",
    "Block",
    "Difference",
    "Fact",
    "Portrait",
    "Situation",
    "Step",
    "Talk",
    "Told",
    "Traits",
    "Way",
    "capability_differences",
    "differences",
    "portray",
]
