"""The wire data that nobody here wrote, read where it lies: `../shared/corpus`, never copied (DESIGN section 8)."""

from __future__ import annotations

import functools
import importlib.util
import json
import re
import zlib
from collections import defaultdict
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from proxy.imap.transcript import Direction
from tests.need import shared
from tests.proxy.imap.playing import CLIENT, SERVER, Said

SIDES = {"C": CLIENT, "S": SERVER}
ORACLES = ("imap-codec", "net-imap", "imapflow", "emailjs")
_COMPRESS = re.compile(rb"(\S+) COMPRESS DEFLATE\r\n", re.IGNORECASE)


def folder() -> Path:
    """Where the corpus lies; skips the test where there is none."""
    found = shared()
    if found is None:
        pytest.skip("no ../shared beside the repository, so no corpus")
    return found / "corpus"


@functools.cache
def tool() -> ModuleType:
    """`corpus_tool.py`; skips the test where there is no corpus."""
    spec = importlib.util.spec_from_file_location("corpus_tool", folder() / "corpus_tool.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@functools.cache
def records() -> dict[str, Any]:
    """All records by id."""
    return {record.id: record for record in tool().records()}


@functools.cache
def accepted() -> dict[tuple[str, str], set[int]]:
    """(record, direction) -> the complete units that at least one oracle takes."""
    units: dict[tuple[str, str], set[int]] = defaultdict(set)
    with (folder() / "oracle.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            unit = json.loads(line)
            if unit["complete"] and any(unit.get(oracle) for oracle in ORACLES):
                units[unit["id"], unit["dir"]].add(unit["unit"])
    return units


def conversations() -> list[Any]:
    """The records in which both sides speak, in order."""
    return [record for record in records().values() if record.kind == "conversation"]


def clear(record: Any) -> list[Said]:
    """What both sides of a record say."""
    return [Said(SIDES[side], data) for side, data in record.steps if side in SIDES and data]


def on_the_wire(said: list[Said]) -> list[Said]:
    """The same as it was sent: the corpus keeps compressed conversations inflated."""
    asked: set[bytes] = set()
    deflaters: dict[Direction, Any] = {}
    wire: list[Said] = []
    for one in said:
        if deflaters:
            deflater = deflaters[one.direction]
            wire.append(Said(one.direction, deflater.compress(one.data) + deflater.flush(zlib.Z_SYNC_FLUSH)))
            continue
        wire.append(one)
        if one.direction is CLIENT:
            asked |= set(_COMPRESS.findall(one.data))
        elif any(line.startswith(tag + b" OK") for tag in asked for line in one.data.splitlines()):
            deflaters = {direction: zlib.compressobj(wbits=-zlib.MAX_WBITS) for direction in Direction}
    return wire
