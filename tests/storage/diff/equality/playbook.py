"""A session with answers of every family, told of two servers; and what one of them may say otherwise.

`u1` is the message with UID 1 on the left server, of another one on the right, `v5` a UIDVALIDITY, `m5` a MODSEQ, `i5`
an object id.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.storage.diff.telling import Pairs

_TEXT = r"""
S: * OK [CAPABILITY IMAP4rev1 LITERAL+ AUTH=PLAIN] hello
C: a1 LOGIN bob secret
S: a1 OK [CAPABILITY IMAP4rev1 LITERAL+ ENABLE UIDPLUS CONDSTORE MOVE OBJECTID ESEARCH SORT QUOTA ACL METADATA] in
C: a2 ID NIL
S: * ID ("name" "Keeper" "version" "2")
S: a2 OK told
C: a3 ENABLE CONDSTORE
S: * ENABLED CONDSTORE
S: a3 OK enabled
C: a4 NAMESPACE
S: * NAMESPACE (("" "/")) NIL (("#p/" "/"))
S: a4 OK told
C: a5 LIST "" *
S: * LIST (\HasNoChildren) "/" INBOX
S: * LIST (\Sent \HasNoChildren) "/" Sent
S: * LIST (\Noselect \HasChildren) "/" Work
S: a5 OK listed
C: a6 LSUB "" *
S: * LSUB () "/" Sent
S: a6 OK listed
C: a7 STATUS Sent (MESSAGES UNSEEN UIDNEXT UIDVALIDITY)
S: * STATUS Sent (MESSAGES 2 UNSEEN 1 UIDNEXT u23 UIDVALIDITY v7)
S: a7 OK told
C: a8 GETQUOTAROOT INBOX
S: * QUOTAROOT INBOX ""
S: * QUOTA "" (STORAGE 10 512)
S: a8 OK told
C: a9 GETACL INBOX
S: * ACL INBOX bob lrswipkxtea ann lr
S: a9 OK told
C: a10 MYRIGHTS INBOX
S: * MYRIGHTS INBOX lrswipkxtea
S: a10 OK told
C: a11 GETMETADATA INBOX (/private/comment /shared/comment)
S: * METADATA INBOX (/private/comment "mine" /shared/comment NIL)
S: a11 OK told
C: a12 CREATE Drafts
S: a12 NO [ALREADYEXISTS] is there
C: b1 SELECT INBOX
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
S: * OK [PERMANENTFLAGS (\Deleted \Seen \*)] kept
S: * 5 EXISTS
S: * 0 RECENT
S: * OK [UNSEEN 2] first
S: * OK [UIDVALIDITY v5] valid
S: * OK [UIDNEXT u6] next
S: * OK [HIGHESTMODSEQ m50] highest
S: * OK [MAILBOXID (i90)] id
S: b1 OK [READ-WRITE] in
C: b2 UID FETCH u1:* (FLAGS INTERNALDATE RFC822.SIZE MODSEQ EMAILID)
S: * 1 FETCH (UID u1 FLAGS (\Seen) INTERNALDATE "01-Jan-2024 10:00:00 +0000" RFC822.SIZE 101 MODSEQ (m11) EMAILID (i1))
S: * 2 FETCH (UID u2 FLAGS () INTERNALDATE "02-Jan-2024 10:00:00 +0000" RFC822.SIZE 102 MODSEQ (m12) EMAILID (i2))
S: * 3 FETCH (UID u3 FLAGS (\Seen \Answered) INTERNALDATE "03-Jan-2024 10:00:00 +0000" RFC822.SIZE 103
    MODSEQ (m13) EMAILID (i3))
S: * 4 FETCH (UID u4 FLAGS () INTERNALDATE "04-Jan-2024 10:00:00 +0000" RFC822.SIZE 104 MODSEQ (m14) EMAILID (i4))
S: * 5 FETCH (UID u5 FLAGS ($Junk) INTERNALDATE "05-Jan-2024 10:00:00 +0000" RFC822.SIZE 105 MODSEQ (m15) EMAILID (i1))
S: b2 OK fetched
C: b3 UID SEARCH UNSEEN
S: * SEARCH u2 u4 u5
S: b3 OK found
C: b4 UID SORT (SUBJECT) UTF-8 ALL
S: * SORT u3 u1 u2 u5 u4
S: b4 OK sorted
C: b5 UID THREAD REFERENCES UTF-8 ALL
S: * THREAD (u1 u2)(u3 (u4)(u5))
S: b5 OK threaded
C: b6 UID SEARCH RETURN (MIN MAX COUNT) SEEN
S: * ESEARCH (TAG "b6") UID MIN u1 MAX u3 COUNT 2
S: b6 OK found
C: b7 FETCH 1 (ENVELOPE BODYSTRUCTURE)
S: * 1 FETCH (ENVELOPE ("Mon, 1 Jan" "Hello"
    (("Ann" NIL "ann" "a.org")) (("Ann" NIL "ann" "a.org")) (("Ann" NIL "ann" "a.org"))
    (("Bob" NIL "bob" "b.org")(NIL NIL "cy" "c.org")) NIL NIL "<first>" "<second>")
    BODYSTRUCTURE (("TEXT" "PLAIN" ("CHARSET" "utf-8") NIL NIL "7BIT" 40 4 NIL NIL NIL NIL)
    ("IMAGE" "PNG" ("NAME" "a.png") "<c1>" NIL "BASE64" 900 NIL ("ATTACHMENT" ("FILENAME" "a.png")) NIL NIL)
    "MIXED" ("BOUNDARY" "xyz") NIL NIL NIL))
S: b7 OK fetched
C: b8 UID FETCH u2 (BODY.PEEK[HEADER.FIELDS (FROM)] BODY.PEEK[TEXT])
S: * 2 FETCH (UID u2 BODY[HEADER.FIELDS (FROM)] {9}
S: From: x
S:  BODY[TEXT] "the text")
S: b8 OK fetched
C: b9 UID STORE u3 +FLAGS (\Deleted)
S: * 3 FETCH (UID u3 FLAGS (\Seen \Answered \Deleted) MODSEQ (m51))
S: b9 OK stored
C: c1 UID COPY u1:u2 Sent
S: c1 OK [COPYUID v7 u1:u2 u23:u24] copied
C: c2 APPEND Sent {3+}
C: abc
S: c2 OK [APPENDUID v7 u25] appended
C: c3 UID MOVE u4 Sent
S: * OK [COPYUID v7 u4 u26] moving
S: * 4 EXPUNGE
S: c3 OK moved
C: c4 NOOP
S: * 5 EXISTS
S: c4 OK nothing else
C: c5 EXPUNGE
S: * 3 EXPUNGE
S: c5 OK expunged
C: c6 CLOSE
S: c6 OK closed
C: c7 LOGOUT
S: * BYE see you
S: c7 OK out
"""
SESSION = re.sub(r"\n {4}", " ", _TEXT.strip()).replace(') ("IMAGE"', ')("IMAGE"')
"""Lines that begin with four spaces go on in the line before."""

_TOKEN = re.compile(r"(?<![\w.$])([uvmi])([0-9]+)\b")


@dataclass(frozen=True)
class Server:
    """What it calls things: added to UIDs, UIDVALIDITYs, and MODSEQs; put before object ids."""

    uid: int = 0
    uidvalidity: int = 0
    modseq: int = 0
    objects: str = "m"

    def session(self, template: str) -> str:
        """The session as it is with this server."""
        return _TOKEN.sub(self._number, template)

    def _number(self, token: re.Match[str]) -> str:
        kind, number = token[1], int(token[2])
        if kind == "i":
            return f"{self.objects}{number}"
        return str(number + {"u": self.uid, "v": self.uidvalidity, "m": self.modseq}[kind])

    def pairs(self) -> Pairs:
        """What the left server's ids are with this one: all of them are known."""
        uids = {uid: uid + self.uid for uid in range(1, 30)}
        objects = {f"m{number}": f"{self.objects}{number}" for number in range(1, 100)}
        validities = {"INBOX": 5 + self.uidvalidity, "Sent": 7 + self.uidvalidity}
        return Pairs({"INBOX": uids, "Sent": uids}, {}, validities, objects)


LEFT = Server()
SERVERS = {"the same": LEFT, "another": Server(1000, 200, 3000, "z")}

MUTATIONS: dict[str, tuple[str, str, str]] = {
    "capability lost": ("CONDSTORE MOVE OBJECTID ESEARCH", "CONDSTORE MOVE ESEARCH", "capability OK [CAPABILITY]"),
    "capability more": ("LITERAL+ AUTH=PLAIN]", "LITERAL+ AUTH=PLAIN STARTTLS]", "capability greeting [CAPABILITY]"),
    "greeting": ("* OK [CAPABILITY IMAP4rev1 LITERAL+ AUTH=PLAIN] hello", "* PREAUTH hello", "status greeting"),
    "ID changed": ('"name" "Keeper"', '"name" "Loser"', "value ID name"),
    "ID field lost": (' "version" "2"', "", "missing ID version"),
    "not enabled": ("* ENABLED CONDSTORE", "* ENABLED", "missing ENABLED"),
    "namespace lost": ('NIL (("#p/" "/"))', "NIL NIL", "missing NAMESPACE shared"),
    "mailbox lost": ('S: * LIST (\\Sent \\HasNoChildren) "/" Sent\n', "", "missing LIST Sent"),
    "mailbox more": ('"/" INBOX\n', '"/" INBOX\nS: * LIST () "/" Extra\n', "extra LIST Extra"),
    "attribute lost": ("(\\Noselect \\HasChildren)", "(\\HasChildren)", "value LIST Work attributes"),
    "role moved": ("(\\Sent \\HasNoChildren)", "(\\Drafts \\HasNoChildren)", "value LIST Sent attributes"),
    "children denied": ("(\\Noselect \\HasChildren)", "(\\Noselect \\HasNoChildren)", "value LIST Work attributes"),
    "subscription lost": ('S: * LSUB () "/" Sent\n', "", "missing LSUB Sent"),
    "status count": ("MESSAGES 2 UNSEEN", "MESSAGES 3 UNSEEN", "value STATUS Sent MESSAGES"),
    "status item lost": ("UNSEEN 1 UIDNEXT", "UIDNEXT", "missing STATUS Sent UNSEEN"),
    "status lost": ("S: * STATUS Sent (MESSAGES 2 UNSEEN 1 UIDNEXT u23 UIDVALIDITY v7)\n", "", "missing STATUS Sent"),
    "quota usage": ("STORAGE 10 512", "STORAGE 11 512", 'value QUOTA "" STORAGE'),
    "quota limit": ("STORAGE 10 512", "STORAGE 10 511", 'value QUOTA "" STORAGE'),
    "quota root lost": ('QUOTAROOT INBOX ""', "QUOTAROOT INBOX", "value QUOTAROOT INBOX"),
    "right lost": ("ACL INBOX bob lrswipkxtea ann", "ACL INBOX bob lrswipkxte ann", "value ACL INBOX bob"),
    "identifier lost": (" ann lr", "", "missing ACL INBOX ann"),
    "my rights": ("MYRIGHTS INBOX lrswipkxtea\nS", "MYRIGHTS INBOX lrs\nS", "value MYRIGHTS INBOX"),
    "metadata changed": ('"mine"', '"yours"', "value METADATA INBOX /private/comment"),
    "metadata NIL": ("/shared/comment NIL", '/shared/comment ""', "value METADATA INBOX /shared/comment"),
    "another code": ("NO [ALREADYEXISTS]", "NO [CANNOT]", "code NO"),
    "code lost": ("NO [ALREADYEXISTS]", "NO", "code NO [ALREADYEXISTS]"),
    "OK for NO": ("a12 NO [ALREADYEXISTS] is there", "a12 OK made", "status completion"),
    "BAD for NO": ("a12 NO [ALREADYEXISTS] is there", "a12 BAD what", "status completion"),
    "flag unknown": ("FLAGS (\\Answered \\Flagged", "FLAGS (\\Answered", "missing FLAGS"),
    "no new keywords": ("\\Seen \\*)]", "\\Seen)]", "missing * OK [PERMANENTFLAGS]"),
    "EXISTS": ("* 5 EXISTS\nS: * 0 RECENT", "* 6 EXISTS\nS: * 0 RECENT", "value EXISTS"),
    "unseen": ("[UNSEEN 2]", "[UNSEEN 3]", "value * OK [UNSEEN]"),
    "UIDVALIDITY changed": ("[UIDVALIDITY v5]", "[UIDVALIDITY v6]", "value * OK [UIDVALIDITY]"),
    "UIDNEXT lost": ("S: * OK [UIDNEXT u6] next\n", "", "code * OK [UIDNEXT]"),
    "mailbox id": ("[MAILBOXID (i90)]", "[MAILBOXID (i91)]", "value * OK [MAILBOXID]"),
    "read-only": ("[READ-WRITE]", "[READ-ONLY]", "code OK"),
    "flag lost": ("FLAGS (\\Seen \\Answered) INTERNALDATE", "FLAGS (\\Seen) INTERNALDATE", "missing FETCH 3 FLAGS"),
    "flag more": ("FLAGS () INTERNALDATE \"02", "FLAGS (\\Seen) INTERNALDATE \"02", "extra FETCH 2 FLAGS"),
    "date": ('"03-Jan-2024 10:00:00 +0000"', '"03-Jan-2024 10:00:00 +0100"', "value FETCH 3 INTERNALDATE"),
    "size": ("RFC822.SIZE 104", "RFC822.SIZE 105", "value FETCH 4 RFC822.SIZE"),
    "size lost": ("RFC822.SIZE 104 ", "", "missing FETCH 4 RFC822.SIZE"),
    "modseq order": ("(m13)", "(m16)", "order FETCH MODSEQ"),
    "email id": ("MODSEQ (m15) EMAILID (i1)", "MODSEQ (m15) EMAILID (i5)", "value FETCH 5 EMAILID"),
    "wrong UID": ("* 5 FETCH (UID u5", "* 5 FETCH (UID u9", "value FETCH 5 UID"),
    "search lost": ("SEARCH u2 u4 u5", "SEARCH u2 u4", "missing SEARCH"),
    "search more": ("SEARCH u2 u4 u5", "SEARCH u1 u2 u4 u5", "extra SEARCH"),
    "search other": ("SEARCH u2 u4 u5", "SEARCH u2 u3 u5", "value SEARCH"),
    "search none": ("S: * SEARCH u2 u4 u5\n", "", "missing SEARCH"),
    "sort swapped": ("SORT u3 u1 u2", "SORT u1 u3 u2", "order SORT"),
    "sort lost": ("u2 u5 u4\n", "u2 u5\n", "missing SORT"),
    "thread": ("(u3 (u4)(u5))", "(u3 (u5)(u4))", "order THREAD"),
    "thread flat": ("(u1 u2)(", "(u1)(u2)(", "order THREAD"),
    "minimum": ("MIN u1 MAX", "MIN u2 MAX", "value SEARCH MIN"),
    "count": ("COUNT 2", "COUNT 3", "value SEARCH COUNT"),
    "subject": ('"Hello"', '"Hallo"', "value FETCH 1 ENVELOPE subject"),
    "address lost": ('(NIL NIL "cy" "c.org")', "", "value FETCH 1 ENVELOPE to"),
    "message id": ('"<second>"', "NIL", "value FETCH 1 ENVELOPE message-id"),
    "part octets": (" 900 ", " 901 ", "value FETCH 1 BODYSTRUCTURE 2 octets"),
    "part type": ('"IMAGE" "PNG"', '"IMAGE" "GIF"', "value FETCH 1 BODYSTRUCTURE 2 type"),
    "part encoding": ('"BASE64"', '"8BIT"', "value FETCH 1 BODYSTRUCTURE 2 encoding"),
    "part charset": ('"utf-8"', '"latin1"', "value FETCH 1 BODYSTRUCTURE 1 charset"),
    "multipart kind": ('"MIXED"', '"RELATED"', "value FETCH 1 BODYSTRUCTURE subtype"),
    "file name": ('"FILENAME" "a.png"', '"FILENAME" "b.png"', "value FETCH 1 BODYSTRUCTURE 2 disposition filename"),
    "body byte": ('"the text"', '"the texT"', "value FETCH 2 BODY[TEXT]"),
    "body NIL": ('BODY[TEXT] "the text"', "BODY[TEXT] NIL", "value FETCH 2 BODY[TEXT]"),
    "header byte": ("From: x\n", "From: y\n", "value FETCH 2 BODY[HEADER.FIELDS (FROM)]"),
    "flag not stored": ("(\\Seen \\Answered \\Deleted)", "(\\Seen \\Answered)", "missing FETCH 3 FLAGS"),
    "store without answer": (
        "S: * 3 FETCH (UID u3 FLAGS (\\Seen \\Answered \\Deleted) MODSEQ (m51))\n", "", "missing FETCH 3",
    ),
    "wrong COPYUID": ("u23:u24]", "u24,u23]", "value OK [COPYUID] target"),
    "COPYUID of other messages": ("u1:u2 u23:u24]", "u2:u3 u23:u24]", "value OK [COPYUID] source"),
    "COPYUID too short": ("u23:u24]", "u23]", "value OK [COPYUID] target"),
    "COPYUID lost": ("OK [COPYUID v7 u1:u2 u23:u24]", "OK", "code OK [COPYUID]"),
    "wrong APPENDUID": ("[APPENDUID v7 u25]", "[APPENDUID v7 u24]", "value OK [APPENDUID]"),
    "other UIDVALIDITY": ("[APPENDUID v7 u25]", "[APPENDUID v8 u25]", "value OK [APPENDUID] UIDVALIDITY"),
    "missing EXPUNGE": ("S: * 3 EXPUNGE\nS: c5", "S: c5", "missing EXPUNGE"),
    "wrong EXPUNGE": ("* 3 EXPUNGE\nS: c5", "* 2 EXPUNGE\nS: c5", "value EXPUNGE"),
    "EXPUNGE more": ("S: * 3 EXPUNGE\nS: c5", "S: * 3 EXPUNGE\nS: * 1 EXPUNGE\nS: c5", "extra EXPUNGE"),
    "news lost": ("S: * 5 EXISTS\nS: c4", "S: c4", "value INBOX EXISTS when it is left"),
    "news more": ("S: c4 OK", "S: * 9 EXISTS\nS: c4 OK", "value INBOX EXISTS when it is left"),
    "NO for OK": ("c1 OK [COPYUID v7 u1:u2 u23:u24] copied", "c1 NO [OVERQUOTA] full", "status completion"),
    "NO without data": (
        "S: * THREAD (u1 u2)(u3 (u4)(u5))\nS: b5 OK threaded", "S: b5 NO cannot", "status completion",
    ),
    "BAD for OK": ("c6 OK closed", "c6 BAD what", "status completion"),
    "no BYE": ("S: * BYE see you\n", "", "status * BYE"),
    "extra data": ("S: a4 OK", "S: * XSTRANGE 1\nS: a4 OK", "extra XSTRANGE"),
    "extra list": ("S: a4 OK", 'S: * LIST () "/" x\nS: a4 OK', "extra LIST"),
    "extra NO": ("S: c7 OK", "S: * NO careful\nS: c7 OK", "status * NO"),
    "message lost": (re.findall("S: . 4 FETCH.*\n", SESSION)[0], "", "missing FETCH 4"),
}  # fmt: skip
"""What the right server says otherwise: what is replaced by what, and the one difference that has to be found."""
