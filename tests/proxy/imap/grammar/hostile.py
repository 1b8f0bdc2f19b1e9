"""Units that mean harm, of any size: deep, wide, endless, or built to make a reader go back."""

from __future__ import annotations

from typing import NamedTuple

from proxy.imap.transcript import Direction

SERVER, CLIENT = Direction.SERVER, Direction.CLIENT


class Shape(NamedTuple):
    """A head, something repeated, and a tail."""

    direction: Direction
    head: bytes
    repeated: bytes
    tail: bytes = b""

    def unit(self, size: int) -> bytes:
        """A unit of about that many bytes."""
        return self.head + self.repeated * (size // len(self.repeated)) + self.tail + b"\r\n"


SHAPES = [
    Shape(SERVER, b"* 1 FETCH (UID 5 BODYSTRUCTURE ", b"("),
    Shape(SERVER, b"* 1 FETCH (BODYSTRUCTURE ", b"()", b")"),
    Shape(SERVER, b"* 1 FETCH (BODYSTRUCTURE (", b'("A" "B" NIL NIL NIL "7BIT" 1)', b' "MIXED"))'),
    Shape(SERVER, b"* 1 FETCH (ENVELOPE (NIL NIL (", b"(NIL NIL NIL NIL)", b") NIL NIL NIL NIL NIL NIL NIL))"),
    Shape(SERVER, b"* 1 FETCH (", b"BODY[] NIL ", b"UID 1)"),
    Shape(SERVER, b"* 1 FETCH (", b"BODY[", b")"),
    Shape(SERVER, b"* 1 FETCH (", b"ENVELOPE (x) ", b"UID 1)"),
    Shape(SERVER, b"* 1 FETCH (X ", b"(a", b")"),
    Shape(SERVER, b"* 1 FETCH ", b"("),
    Shape(SERVER, b"* 1 FETCH (FLAGS (", b"\\"),
    Shape(SERVER, b"* X ", b"("),
    Shape(SERVER, b"* X ", b"[ "),
    Shape(SERVER, b"* X ", b'a[" '),
    Shape(SERVER, b"* X ", b"a["),
    Shape(SERVER, b"* X ", b"() "),
    Shape(SERVER, b"* X ", b"(((a) b) c) "),
    Shape(SERVER, b"* X ", b'"a" '),
    Shape(SERVER, b'* X "', b"\\"),
    Shape(SERVER, b'* X "', b"\\a", b'"'),
    Shape(SERVER, b"* X ", b'"'),
    Shape(SERVER, b"* X ", b"{0}\r\n "),
    Shape(SERVER, b"* ", b"x"),
    Shape(SERVER, b"", b"x"),
    Shape(SERVER, b"* ", b"1"),
    Shape(SERVER, b"* ", b" "),
    Shape(SERVER, b"*", b"\t"),
    Shape(SERVER, b"* SEARCH", b" 1"),
    Shape(SERVER, b"* SEARCH", b"  1"),
    Shape(SERVER, b"* SEARCH ", b"0"),
    Shape(SERVER, b"* SEARCH ", b"9"),
    Shape(SERVER, b"* VANISHED ", b"1,"),
    Shape(SERVER, b"* VANISHED 1", b":1"),
    Shape(SERVER, b"* VANISHED 1", b",1:*"),
    Shape(SERVER, b"* ESEARCH", b" ALL 1"),
    Shape(SERVER, b"* THREAD ", b"("),
    Shape(SERVER, b"* THREAD ", b"(1)"),
    Shape(SERVER, b"* THREAD ", b"(1 (2)", b")"),
    Shape(SERVER, b"* THREAD ", b"(1) "),
    Shape(SERVER, b"* OK [", b"["),
    Shape(SERVER, b"* OK [X", b" ["),
    Shape(SERVER, b'* OK [X "', b'"'),
    Shape(SERVER, b"* OK [CAPABILITY", b" A", b"]"),
    Shape(SERVER, b"* OK [COPYUID 1 1", b",1"),
    Shape(SERVER, b"* LIST (", b"\\A ", b') "/" x'),
    Shape(SERVER, b"* LIST () NIL ", b"x "),
    Shape(SERVER, b"* STATUS x (", b"MESSAGES 1 ", b")"),
    Shape(SERVER, b"* NAMESPACE (", b'("" NIL)', b") NIL NIL"),
    Shape(SERVER, b"* CAPABILITY", b" A"),
    Shape(SERVER, b"+ ", b"+"),
    Shape(CLIENT, b"a SEARCH ", b"NOT "),
    Shape(CLIENT, b"a SEARCH ", b"OR "),
    Shape(CLIENT, b"a SEARCH ", b"OR ALL ", b"ALL"),
    Shape(CLIENT, b"a SEARCH ", b"("),
    Shape(CLIENT, b"a SEARCH ", b"OR (", b""),
    Shape(CLIENT, b"a SEARCH ALL", b" FROM x"),
    Shape(CLIENT, b"a SEARCH 1", b",1:2"),
    Shape(CLIENT, b"a FETCH 1 (BODY[HEADER.FIELDS (", b"A ", b")])"),
    Shape(CLIENT, b"a FETCH 1 (", b"PREVIEW ("),
    Shape(CLIENT, b"a FETCH 1 (", b"PREVIEW (x) "),
    Shape(CLIENT, b"a FETCH 1 (BODY[1", b".1", b"])"),
    Shape(CLIENT, b"a STORE 1 FLAGS (", b"a ", b")"),
    Shape(CLIENT, b"a APPEND x", b" {1+}\r\ny"),
    Shape(CLIENT, b"a APPEND x CATENATE (", b"TEXT {1+}\r\ny ", b"URL x)"),
    Shape(CLIENT, b"a GETMETADATA x ", b"("),
    Shape(CLIENT, b"a NOTIFY SET ", b"(SELECTED NONE) "),
    Shape(CLIENT, b"a ID (", b'"a" NIL ', b")"),
    Shape(CLIENT, b"a LOGIN ", b"{1}"),
    Shape(CLIENT, b"", b"DONE "),
]
