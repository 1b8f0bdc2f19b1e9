"""Our commands in the form of imap-codec's dictionaries, so that two readers can be compared by meaning.

Both sides are brought to one form: how a string is spelled (atom, quoted, literal) is dropped, its bytes stay.
"""

from __future__ import annotations

from typing import Any

from proxy.imap.grammar import (
    Command,
    append,
    capability,
    fetch_commands,
    listing,
    mailboxes,
    messages,
    metadata,
    quota,
    sasl,
    search_commands,
    search_keys,
)
from proxy.imap.grammar.commands import Compress
from proxy.imap.grammar.dates import Date, DateTime
from proxy.imap.grammar.generic import Bare
from proxy.imap.grammar.sections import Section
from proxy.imap.grammar.sets import SequenceSet
from proxy.imap.grammar.values import Atom

_WORDS = {
    b"STARTTLS": "StartTLS",
    b"UIDNEXT": "UidNext",
    b"UIDVALIDITY": "UidValidity",
    b"HIGHESTMODSEQ": "HighestModSeq",
}
_STRINGS = ("Atom", "Quoted", "Token", "Literal", "Literal8", "String", "NString")
_SYSTEM_FLAGS = (b"\\ANSWERED", b"\\DELETED", b"\\DRAFT", b"\\FLAGGED", b"\\SEEN")


def theirs(value: Any) -> Any:
    """An imap-codec dictionary without the spelling of its strings."""
    if isinstance(value, list | tuple):
        return [theirs(each) for each in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        name, content = next(iter(value.items()))
        if name in ("Atom", "Quoted", "Token") and isinstance(content, str):
            return content.encode()
        if name in ("Literal", "Literal8") and isinstance(content, dict):
            return bytes(content["data"])
        if name in ("String", "NString", "Other") and not isinstance(content, str):
            return theirs(content)
        if name == "And" and len(content) == 1:
            return theirs(content[0])
        if name == "Other" and isinstance(content, str):
            return {"Other": content.upper()}
        if name == "Or":
            return {"Or": [key for each in content for key in _alternatives(theirs(each))]}
    return {name: theirs(each) for name, each in value.items()}


def _alternatives(key: Any) -> list[Any]:
    """The keys of an OR within an OR, which are as much its own."""
    return key["Or"] if isinstance(key, dict) and "Or" in key else [key]


def ours(command: Command) -> Any:
    """Our command as `theirs` would give it."""
    return {"tag": command.tag.decode(), "body": _body(command.body)}


def _body(body: Any) -> Any:
    match body:
        case Bare(word):
            return _word(word)
        case Compress(mechanism):
            return {"Compress": {"algorithm": _word(mechanism)}}
        case messages.UidExpunge(uids):
            return {"ExpungeUid": {"sequence_set": _set(uids)}}
        case sasl.Login(user, password):
            return {"Login": {"username": user, "password": password}}
        case sasl.Authenticate():
            return {"Authenticate": _authenticate(body)}
        case capability.Enable(words):
            return {"Enable": {"capabilities": [_enabled(word) for word in words]}}
        case capability.Id(fields):
            return {"Id": {"parameters": None if fields is None else [list(field) for field in fields]}}
        case append.Append(mailbox, (message,)):
            return {"Append": {"mailbox": _mailbox(mailbox), **_message(message)}}
        case messages.Copy(word, uid, numbers, mailbox):
            return {_word(word): {"sequence_set": _set(numbers), "mailbox": _mailbox(mailbox), "uid": uid}}
    return _named(body) or _on_messages(body)


def _named(body: Any) -> Any:
    match body:
        case quota.GetQuota(root):
            return {"GetQuota": {"root": root}}
        case mailboxes.OnMailbox(b"GETQUOTAROOT", mailbox):
            return {"GetQuotaRoot": {"mailbox": _mailbox(mailbox)}}
        case mailboxes.OnMailbox(word, mailbox, None):
            return {_word(word): {"mailbox": _mailbox(mailbox)}}
        case mailboxes.Rename(old, new, None):
            return {"Rename": {"from": _mailbox(old), "to": _mailbox(new)}}
        case mailboxes.StatusCommand(mailbox, items):
            return {"Status": {"mailbox": _mailbox(mailbox), "item_names": [_word(item) for item in items]}}
        case listing.List(word, reference, (pattern,), None, None):
            return {_word(word): {"reference": _mailbox(reference), "mailbox_wildcard": pattern}}
        case quota.SetQuota(root, limits):
            return {
                "SetQuota": {"root": root, "quotas": [{"resource": _resource(name), "limit": n} for name, n in limits]}
            }
        case metadata.GetMetadata(mailbox, entries, options):
            found = {"options": [_option(*option) for option in options], "mailbox": _mailbox(mailbox)}
            return {"GetMetadata": {**found, "entries": list(entries)}}
        case metadata.SetMetadata(mailbox, entries):
            values = [{"entry": entry, "value": value} for entry, value in entries]
            return {"SetMetadata": {"mailbox": _mailbox(mailbox), "entry_values": values}}
    return None


def _on_messages(body: Any) -> Any:
    match body:
        case search_commands.Search(uid, keys, charset, None):
            return {"Search": {"charset": charset, "criteria": [_key(key) for key in keys], "uid": uid}}
        case search_commands.ThreadCommand(uid, algorithm, charset, keys):
            name = {b"ORDEREDSUBJECT": "OrderedSubject"}.get(algorithm, _word(algorithm))
            criteria = [_key(key) for key in keys]
            return {"Thread": {"algorithm": name, "charset": charset, "search_criteria": criteria, "uid": uid}}
        case search_commands.Sort(uid, criteria, charset, keys, None):
            found = {"sort_criteria": [{"reverse": c.reverse, "key": _word(c.name)} for c in criteria]}
            return {"Sort": {**found, "charset": charset, "search_criteria": [_key(key) for key in keys], "uid": uid}}
        case fetch_commands.FetchCommand(uid, numbers, attributes, None):
            return {"Fetch": {"sequence_set": _set(numbers), "macro_or_item_names": _fetched(attributes), "uid": uid}}
        case fetch_commands.Store(uid, numbers, fetch_commands.StoreFlags(b"FLAGS", how, silent, flags), None):
            return {
                "Store": {
                    "sequence_set": _set(numbers),
                    "kind": {b"": "Replace", b"+": "Add", b"-": "Remove"}[how],
                    "response": "Silent" if silent else "Answer",
                    "flags": [_flag(flag) for flag in flags],
                    "uid": uid,
                }
            }
    raise AssertionError(f"no imap-codec form of {body}")


def _word(word: bytes) -> str:
    return _WORDS.get(word.upper(), word.decode().capitalize())


def _mailbox(mailbox: Any) -> Any:
    return "Inbox" if mailbox.inbox else mailbox.raw


def _set(numbers: SequenceSet) -> list[Any]:
    parts: list[Any] = []
    for part in numbers.raw.split(b","):
        ends = ["Asterisk" if end == b"*" else {"Value": int(end)} for end in part.split(b":")]
        parts.append({"Single": ends[0]} if len(ends) == 1 else {"Range": ends})
    return parts


def _authenticate(command: sasl.Authenticate) -> Any:
    known = {b"PLAIN": "Plain", b"LOGIN": "Login", b"OAUTHBEARER": "OAuthBearer", b"XOAUTH2": "XOAuth2"}
    name = command.mechanism
    initial = command.initial_response
    return {
        "mechanism": known.get(name) or {"Other": name.decode()},
        "initial_response": None if initial is None else list(initial),
    }


def _enabled(word: bytes) -> Any:
    name, _, value = word.partition(b"=")
    return {"Utf8": value.decode().capitalize()} if value else {"Other": name.decode()}


def _message(message: append.AppendMessage) -> Any:
    assert isinstance(message.data, append.Whole)
    return {
        "flags": [_flag(flag) for flag in message.flags or ()],
        "date": _instant(message.date),
        "message": message.data.data,
    }


def _instant(date: DateTime | None) -> Any:
    if date is None:
        return None
    assert date.instant
    return date.instant.isoformat().replace("+00:00", "Z")


def _flag(flag: Any) -> Any:
    if flag.upper() in _SYSTEM_FLAGS:
        return flag[1:].decode().capitalize()
    return {"Extension": flag[1:].decode()} if flag.startswith(b"\\") else {"Keyword": flag.decode()}


def _resource(name: bytes) -> Any:
    known = {
        b"STORAGE": "Storage",
        b"MESSAGE": "Message",
        b"MAILBOX": "Mailbox",
        b"ANNOTATION-STORAGE": "AnnotationStorage",
    }
    return known.get(name) or {"Other": name.decode()}


def _option(name: bytes, value: Any) -> Any:
    assert isinstance(value, Atom)
    if name == b"MAXSIZE":
        return {"MaxSize": value.number}
    return {"Depth": {b"0": "Null", b"1": "One"}.get(value.raw) or value.raw.decode().capitalize()}


def _fetched(attributes: tuple[Any, ...]) -> Any:
    if len(attributes) == 1 and getattr(attributes[0], "name", None) in fetch_commands.MACROS:
        return {"Macro": attributes[0].name.decode().capitalize()}
    return {"MessageDataItemNames": [_attribute(attribute) for attribute in attributes]}


_ATTRIBUTES = {
    b"BODYSTRUCTURE": "BodyStructure",
    b"INTERNALDATE": "InternalDate",
    b"RFC822.HEADER": "Rfc822Header",
    b"RFC822.SIZE": "Rfc822Size",
    b"RFC822.TEXT": "Rfc822Text",
}


def _attribute(attribute: Any) -> Any:
    match attribute:
        case fetch_commands.Attribute(name, None):
            return _ATTRIBUTES.get(name) or name.decode().capitalize()
        case fetch_commands.SectionAttribute((b"BODY" | b"BODY.PEEK") as name, section, window):
            partial = None if window is None else list(window)
            return {"BodyExt": {"section": _section(section), "partial": partial, "peek": name != b"BODY"}}
    raise AssertionError(f"no imap-codec form of {attribute}")


def _section(section: Section) -> Any:
    part = list(section.part) or None
    if section.text is None:
        return {"Part": part} if part else None
    if section.fields:
        name = "HeaderFieldsNot" if section.text.endswith(b"NOT") else "HeaderFields"
        return {name: [part, list(section.fields)]}
    return {_word(section.text): part}


_KEYS = {
    b"SENTBEFORE": "SentBefore",
    b"SENTON": "SentOn",
    b"SENTSINCE": "SentSince",
}


def _key(key: Any) -> Any:
    match key:
        case search_keys.Key(name):
            return name.decode().capitalize()
        case search_keys.SetKey(name, numbers):
            return {"Uid" if name else "SequenceSet": _set(numbers)}
        case search_keys.StringKey(b"HEADER", strings):
            return {"Header": list(strings)}
        case search_keys.StringKey(name, (string,)):
            return {_word(name): string}
        case search_keys.FlagKey(name, flag):
            return {_word(name): flag.decode()}
        case search_keys.DateKey(name, Date() as date):
            assert date.day
            return {_KEYS.get(name) or _word(name): date.day.isoformat()}
        case search_keys.NumberKey(name, number):
            return {_word(name): number}
        case search_keys.Not(b"NOT", inner):
            return {"Not": _key(inner)}
        case search_keys.And(keys):
            return {"And": [_key(each) for each in keys]}
        case search_keys.Or(keys):
            return {"Or": [_key(each) for each in keys]}
    raise AssertionError(f"no imap-codec form of {key}")
