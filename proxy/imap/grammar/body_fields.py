"""The fields of a BODYSTRUCTURE below its parts: parameters, disposition, language (RFC 9051 section 7.5.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from proxy.imap.grammar.quirks import Quirk
from proxy.imap.grammar.tape import Stopped
from proxy.imap.grammar.values import Ext, NString, String, write_ext

if TYPE_CHECKING:
    from proxy.imap.grammar.cursor import Cursor
    from proxy.imap.grammar.writer import Writer

Params = tuple[tuple[String, NString], ...] | None


@dataclass(frozen=True, slots=True)
class Disposition:
    """body-fld-dsp: its type and parameters."""

    kind: String
    params: Params = None

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"(")
        w.string(self.kind)
        w.sp()
        write_params(w, self.params)
        w.raw(b")")


@dataclass(frozen=True, slots=True)
class Extension:
    """body-ext-1part and body-ext-mpart without their first field; what was not sent is None."""

    disposition: Disposition | None = None
    language: tuple[String, ...] | None = None
    location: NString = None
    more: tuple[Ext, ...] = ()

    def write(self, w: Writer) -> None:
        """Write the canonical spelling, a space first."""
        w.sp()
        if self.disposition is None:
            w.raw(b"NIL")
        else:
            self.disposition.write(w)
        w.sp()
        if self.language is None:
            w.raw(b"NIL")
        elif len(self.language) == 1:
            w.string(self.language[0])
        else:
            w.listed(self.language, w.string)
        w.sp()
        w.string(self.location)
        for value in self.more:
            w.sp()
            write_ext(w, value)


def body_fld_param(c: Cursor) -> Params:
    """body-fld-param: `(name value …)` or NIL."""
    if c.nil():
        return None
    start = c.pos
    params = c.parenthesised(lambda: _param(c))
    if not params:
        c.note(Quirk.ODD_FIELD, start)
    return params


def body_extension(c: Cursor) -> Extension:
    """body-fld-dsp and what may follow it, up to the parenthesis that ends the part."""
    disposition = _body_fld_dsp(c) if _follows(c) else None
    language = None
    if _follows(c):
        disposition, language = _language(c, disposition)
    location = _body_fld_loc(c) if _follows(c) else None
    more: list[Ext] = []
    while _follows(c):
        more.append(c.ext())
    return Extension(disposition, language, location, tuple(more))


def write_params(w: Writer, params: Params) -> None:
    """Write `(name value …)` or NIL."""
    if params is None:
        w.raw(b"NIL")
    else:
        w.listed([each for param in params for each in param], w.string)


def _follows(c: Cursor) -> bool:
    """Whether another field comes, with the space before it."""
    if c.at(b")"):
        return False
    start = c.pos
    c.sp()
    if c.at(b")"):
        c.note(Quirk.EXTRA_SPACE, start)
        return False
    return True


def _param(c: Cursor) -> tuple[String, NString]:
    name = c.string()
    c.sp()
    return name, c.nstring()


def _body_fld_dsp(c: Cursor) -> Disposition | None:
    if c.nil():
        return None
    start = c.pos
    if not c.accept(b"("):
        kind = c.string()
        c.note(Quirk.ODD_DISPOSITION, start)
        return Disposition(kind)
    if c.accept(b")"):
        c.note(Quirk.ODD_DISPOSITION, start)
        return None
    kind = c.string()
    if c.accept(b")"):
        c.note(Quirk.ODD_DISPOSITION, start)
        return Disposition(kind)
    c.sp()
    params = body_fld_param(c)
    c.spaces()
    c.expect(b")")
    return Disposition(kind, params)


def _language(c: Cursor, disposition: Disposition | None) -> tuple[Disposition | None, tuple[String, ...] | None]:
    """body-fld-lang; or the disposition, where a server has put the language into its place (M 11.7)."""
    mark = c.mark()
    try:
        return disposition, _body_fld_lang(c)
    except Stopped:
        if disposition is not None and disposition.params is not None:
            raise
    c.back(mark)
    swapped = _body_fld_dsp(c)
    c.note(Quirk.ODD_FIELD, mark[0], detail="a language")
    return swapped, None if disposition is None else (disposition.kind,)


def _body_fld_lang(c: Cursor) -> tuple[String, ...] | None:
    if c.at(b"("):
        return c.parenthesised(lambda: c.stop("a language") if c.nil() else c.string())
    language = c.nstring()
    return None if language is None else (language,)


def _body_fld_loc(c: Cursor) -> NString:
    start = c.pos
    if c.accept(b"()"):
        c.note(Quirk.ODD_FIELD, start)
        return None
    return c.nstring()
