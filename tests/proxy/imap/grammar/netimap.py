"""Our responses in the form of net-imap's structures (as JSON), so that two readers can be compared by meaning.

net-imap puts words in capitals or capitalises them, keeps dates as text, and folds lists that lie in each other; both
sides are brought to one form, and no more than that is dropped.
"""

from __future__ import annotations

import re
from typing import Any

from proxy.imap.grammar import (
    BareCode,
    Continuation,
    Response,
    Tagged,
    Untagged,
    acl,
    capability,
    codes,
    fetch,
    fetch_items,
    listing,
    mailboxes,
    messages,
    metadata,
    quota,
    search_results,
    sets,
    thread,
)
from proxy.imap.grammar.body_fields import Extension
from proxy.imap.grammar.bodystructure import Multipart, Part
from proxy.imap.grammar.envelope import Address, Envelope
from proxy.imap.grammar.generic import Unknown
from proxy.imap.grammar.sections import Section
from proxy.imap.grammar.status import Status
from proxy.imap.grammar.values import Atom

_NONE = '""'
_LENGTH = re.compile(r"<(\d+)\.\d+>")
"""The length that some servers put behind an origin, of which net-imap makes a part of the name."""


def theirs(value: Any) -> Any:
    """net-imap's JSON in the common form."""
    if isinstance(value, list):
        return [theirs(each) for each in value]
    if not isinstance(value, dict):
        return value
    kind = value.get("_t")
    found = {name: theirs(each) for name, each in value.items()}
    if kind == "SequenceSet":
        return value["set"]
    if kind == "ExtensionData":
        return found["data"]
    if kind == "MailboxList":
        found["attr"] = [flag.upper() for flag in found["attr"]]
        found["name"] = re.sub("^inbox$", "INBOX", found["name"], flags=re.IGNORECASE)
    if kind == "UnparsedData":
        found["unparsed_data"] = value["unparsed_data"].replace('"INBOX"', "INBOX")
    if kind == "FetchData":
        found["attr"] = {_LENGTH.sub(r"<\1>", name): _fetched(name, each) for name, each in found["attr"].items()}
    if kind == "ResponseCode" and found["name"] == "PERMANENTFLAGS":
        found["data"] = [flag.upper() for flag in found["data"]]
    if kind == "UntaggedResponse" and found["name"] == "FLAGS":
        found["data"] = [flag.upper() for flag in found["data"]]
    return found


def _fetched(name: str, value: Any) -> Any:
    return [flag.upper() for flag in value] if name == "FLAGS" else value


def ours(response: Response) -> Any:
    """Our response as `theirs` would give it."""
    match response:
        case Continuation(code, text):
            return {"_t": "ContinuationRequest", "data": _resp_text(code, text)}
        case Tagged(tag, Status() as status):
            found = {"_t": "TaggedResponse", "tag": tag.decode(), "name": status.condition.value.decode()}
            return {**found, "data": _resp_text(status.code, status.text)}
        case Untagged(Unknown(b"NOOP", _, number)):
            return {"_t": "IgnoredResponse", "name": "NOOP", "data": number}
        case Untagged(data):
            name, found = _data(data)
            return {"_t": "UntaggedResponse", "name": name, "data": found}
        case BareCode():
            raise AssertionError("net-imap does not read codes without a status")
    raise AssertionError(f"no net-imap form of {response}")


def _text(raw: Any) -> Any:
    """net-imap's strings are UTF-8, or bytes where they are not."""
    if raw is None:
        return None
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _resp_text(code: Any, text: bytes) -> Any:
    return {"_t": "ResponseText", "code": None if code is None else _code(code), "text": _text(text)}


def _code(code: Any) -> Any:
    name, data = _code_parts(code)
    return {"_t": "ResponseCode", "name": name, "data": data}


def _code_parts(code: Any) -> tuple[str, Any]:  # noqa: C901 - a table, in the form of a match
    match code:
        case codes.Code(name):
            return name.decode(), None
        case codes.NumberCode(name, number):
            return name.decode(), number
        case codes.PermanentFlags(flags):
            return "PERMANENTFLAGS", [_text(flag).upper() for flag in flags]
        case codes.BadCharset(charsets):
            return "BADCHARSET", [_text(charset) for charset in charsets]
        case codes.AppendUid(uidvalidity, uids):
            return "APPENDUID", _uidplus(uidvalidity, None, uids)
        case codes.CopyUid(uidvalidity, source, target):
            return "COPYUID", _uidplus(uidvalidity, source, target)
        case codes.Modified(numbers):
            return "MODIFIED", _text(numbers.raw)
        case codes.MailboxId(objectid):
            return "MAILBOXID", _text(objectid)
        case codes.TagCode(name, tag):
            return name.decode(), f'"{_text(tag)}"'
        case codes.TextCode(name, text):
            return name.decode(), _text(text)
        case codes.OtherCode(name, None):
            return name.decode(), None
        case codes.OtherCode(name, arguments):
            return name.decode(), _text(arguments.texts[0])
        case capability.Capability(words):
            return "CAPABILITY", [_text(word.upper()) for word in words]
    raise AssertionError(f"no net-imap form of {code}")


def _uidplus(uidvalidity: int, source: sets.SequenceSet | None, target: sets.SequenceSet) -> Any:
    found = {"_t": "UIDPlusData", "uidvalidity": uidvalidity}
    before = None if source is None else list(source.numbers())
    return {**found, "source_uids": before, "assigned_uids": list(target.numbers())}


def _data(data: Any) -> tuple[str, Any]:
    match data:
        case Status(condition, code, text):
            return condition.value.decode(), _resp_text(code, text)
        case messages.Count(word, number):
            return word.decode(), number
        case capability.Capability(words):
            return "CAPABILITY", [_text(word.upper()) for word in words]
        case capability.Enabled(words):
            return "ENABLED", [_text(word.upper()) for word in words]
        case capability.Id(fields):
            return "ID", None if fields is None else {_text(name): _text(value) for name, value in fields}
        case capability.Namespace(personal, others, shared):
            found = {"personal": _namespaces(personal), "other": _namespaces(others), "shared": _namespaces(shared)}
            return "NAMESPACE", {"_t": "Namespaces", **found}
        case fetch_items.Flags(flags):
            return "FLAGS", [_text(flag).upper() for flag in flags]
        case fetch.Fetch(number, items):
            attr = dict(_item(item) for item in items)
            return "FETCH", {"_t": "FetchData", "seqno": number, "attr": attr}
        case listing.MailboxList(word, attributes, delimiter, mailbox, None):
            attr = [_text(attribute).upper() for attribute in attributes]
            found = {"attr": attr, "delim": _text(delimiter), "name": _text(mailbox.raw)}
            return word.decode(), {"_t": "MailboxList", **found}
    return _other_data(data)


def _other_data(data: Any) -> tuple[str, Any]:
    match data:
        case mailboxes.MailboxStatus(mailbox, items):
            attr = {name.decode(): _status_value(name, value) for name, value in items}
            return "STATUS", {"_t": "StatusData", "mailbox": _text(mailbox.raw), "attr": attr}
        case search_results.Found(word, numbers):
            return word.decode(), list(numbers)
        case search_results.ESearch(tag, uid, found, None):
            pairs = [[name.decode(), _return_data(value)] for name, value in found]
            return "ESEARCH", {"_t": "ESearchResult", "tag": _text(tag), "uid": uid, "data": pairs}
        case thread.Thread():
            return "THREAD", _members(data, None)
        case messages.Vanished(uids, earlier):
            return "VANISHED", {"_t": "VanishedData", "uids": _text(uids.raw), "earlier": earlier}
        case quota.Quota(root, resources):
            last = resources[-1]
            found = {"mailbox": _text(root), "usage": str(last.usage), "quota": str(last.limit)}
            return "QUOTA", {"_t": "MailboxQuota", **found}
        case quota.QuotaRoot(mailbox, roots):
            found = {"mailbox": _text(mailbox.raw), "quotaroots": [_text(root) for root in roots]}
            return "QUOTAROOT", {"_t": "MailboxQuotaRoot", **found}
        case acl.Acl(mailbox, entries):
            return "ACL", [
                {"_t": "MailboxACLItem", "user": _text(who), "rights": _text(rights), "mailbox": _text(mailbox.raw)}
                for who, rights in entries
            ]
        case metadata.Metadata(mailbox, entries):
            pairs = " ".join(f'{_text(name)} "{_text(value)}"' for name, value in entries)
            return "METADATA", {"_t": "UnparsedData", "unparsed_data": f"{_text(mailbox.raw) or _NONE} ({pairs})"}
        case Unknown(word, arguments, None):
            rest = " ".join(_text(argument.raw) for argument in arguments)
            return word.decode(), {"_t": "UnparsedData", "unparsed_data": rest}
    raise AssertionError(f"no net-imap form of {data}")


def _namespaces(descrs: Any) -> list[Any]:
    return [
        {
            "_t": "Namespace",
            "prefix": _text(descr.prefix),
            "delim": _text(descr.delimiter),
            "extensions": {_text(name): _ext(value) for name, value in descr.extensions},
        }
        for descr in descrs or ()
    ]


def _ext(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_ext(each) for each in value]
    if isinstance(value, Atom):
        return _text(value.raw) if value.number is None else value.number
    return _text(value)


def _status_value(name: bytes, value: Any) -> Any:
    if name == b"MAILBOXID":
        return _ext(value)[0]
    return value if isinstance(value, int) else _ext(value)


def _return_data(value: Any) -> Any:
    match value:
        case int():
            return value
        case sets.SequenceSet(raw):
            return _text(raw)
        case search_results.Partial(window, numbers):
            low, high = sorted((window.first, window.last))
            found = {"range": f"{low}..{high}", "results": None if numbers is None else _text(numbers.raw)}
            return {"_t": "ESearchResult::PartialResult", **found}
    return _ext(value)


def _members(data: thread.Thread, parent: int | None) -> list[Any]:
    return [
        {"_t": "ThreadMember", "seqno": data.members[index].number, "children": _members(data, index)}
        for index in data.children(parent)
    ]


def _item(item: Any) -> tuple[str, Any]:
    name = item.name.decode()
    match item:
        case fetch_items.Flags(flags):
            return name, [_text(flag).upper() for flag in flags]
        case fetch_items.NumberItem(_, number):
            return name, number
        case fetch_items.ObjectId(_, objectid):
            return name, _text(objectid)
        case fetch_items.DateItem(_, date):
            return name, None if date is None else _text(date.raw)
        case fetch_items.EnvelopeItem(envelope):
            return name, _envelope(envelope)
        case fetch_items.Structure(_, body):
            return name, _body(body)
        case fetch_items.Content(_, section, data, origin):
            where = "" if section is None else _section(section)
            return name + where + ("" if origin is None else f"<{origin}>"), _text(data)
        case fetch_items.Labels(labels):
            return name, ["NIL" if label is None else _text(label) for label in labels]
    raise AssertionError(f"no net-imap form of {item}")


def _section(section: Section) -> str:
    parts = [str(number) for number in section.part]
    text = section.text.decode() if section.text else None
    fields = " (" + " ".join(_text(field) for field in section.fields) + ")" if section.fields else ""
    return "[" + ".".join(parts + ([text] if text else [])) + fields + "]"


def _envelope(envelope: Envelope | None) -> Any:
    if envelope is None:
        return None
    names = ("from", "sender", "reply_to", "to", "cc", "bcc")
    lists = (envelope.sent_from, envelope.sender, envelope.reply_to, envelope.to, envelope.cc, envelope.bcc)
    return {
        "_t": "Envelope",
        "date": _text(envelope.date),
        "subject": _text(envelope.subject),
        **{
            name: None if each is None else [_address(a) for a in each] for name, each in zip(names, lists, strict=True)
        },
        "in_reply_to": _text(envelope.in_reply_to),
        "message_id": _text(envelope.message_id),
    }


def _address(address: Address) -> Any:
    found = {"name": _text(address.name), "route": _text(address.adl), "mailbox": _text(address.mailbox)}
    return {"_t": "Address", **found, "host": _text(address.host)}


def _upper(raw: Any) -> Any:
    return None if raw is None else _text(raw).upper()


def _body(body: Any) -> Any:
    if isinstance(body, Multipart):
        found = {
            "media_type": "MULTIPART",
            "subtype": _upper(body.subtype),
            "parts": [_body(p) for p in body.parts] or None,
        }
        return {"_t": "BodyTypeMultipart", **found, "param": _params(body.params), **_extension(body.extension)}
    assert isinstance(body, Part)
    found = {
        "media_type": _upper(body.media_type),
        "subtype": _upper(body.subtype),
        "param": _params(body.params),
        "content_id": _text(body.content_id),
        "description": _text(body.description),
        "encoding": _upper(body.encoding),
        "size": body.octets,
        "md5": _text(body.md5),
        **_extension(body.extension),
    }
    if found["media_type"] == "TEXT":
        return {"_t": "BodyTypeText", **found, "lines": body.lines}
    if body.message is None:
        return {"_t": "BodyTypeBasic", **found}
    inner = {"envelope": _envelope(body.message.envelope), "body": _body(body.message.body)}
    return {"_t": "BodyTypeMessage", **found, **inner, "lines": body.lines}


def _params(params: Any) -> Any:
    return None if params is None else {_upper(name): _text(value) for name, value in params}


def _extension(extension: Extension | None) -> Any:
    if extension is None:
        return dict.fromkeys(("disposition", "language", "location", "extension"))
    disposition = extension.disposition
    language = extension.language
    return {
        "disposition": disposition
        and {
            "_t": "ContentDisposition",
            "dsp_type": _upper(disposition.kind),
            "param": _params(disposition.params),
        },
        "language": None if language is None else [_upper(each) for each in language],
        "location": _text(extension.location),
        "extension": [_ext(each) for each in extension.more] or None,
    }
