"""Portraits as JSON: the keys that docs/cli.md promises."""

from imaptap.cli.documents import Document
from proxy.imap.portrait import Portrait, Traits, Way, capability_differences, differences


def portrait_document(portrait: Portrait) -> Document:
    """A portrait."""
    return {
        "session_count": portrait.sessions,
        "command_count": portrait.steps,
        "situations": (_traits(traits) for traits in portrait.traits),
        "capabilities": {
            "used": list(portrait.used),
            "ignored": list(portrait.ignored),
            "silent": list(portrait.silent),
            "unoffered": list(portrait.unoffered),
            "withheld": list(portrait.withheld),
        },
    }


def comparison_document(names: tuple[str, str], first: Portrait, second: Portrait) -> Document:
    """What only one of two portraits has."""
    return {
        "of": names[0],
        "against": names[1],
        "situations": (
            {
                "situation": str(each.situation),
                "unseen": each.unseen,
                "of": {"facts": list(each.facts[0]), "ways": [_way(way) for way in each.ways[0]]},
                "against": {"facts": list(each.facts[1]), "ways": [_way(way) for way in each.ways[1]]},
            }
            for each in differences(first, second)
        ),
        "capabilities": [
            {"kind": kind, "of": list(one), "against": list(other)}
            for kind, one, other in capability_differences(first, second)
        ],
    }


def _traits(traits: Traits) -> Document:
    return {
        "situation": str(traits.situation),
        "seen": traits.seen,
        "facts": [{"text": fact.text, "measured": fact.measured} for fact in traits.facts],
        "ways": [_way(way) for way in traits.ways],
        "others": traits.others,
    }


def _way(way: Way) -> Document:
    return {
        "times": way.times,
        "blocks": [
            {"forms": list(block.forms), "least": block.least, "most": block.most, "pipelined": block.pipelined}
            for block in way.blocks
        ],
    }
