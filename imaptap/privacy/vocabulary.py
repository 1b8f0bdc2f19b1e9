"""Words that say nothing about anybody: those of the protocol, of MIME, and of what servers tell."""

from __future__ import annotations

import mimetypes
import re
from encodings.aliases import aliases
from typing import Final

from proxy.imap.commands import ASKED_BY, CODE_ASKED_BY, KNOWN

_WORD = re.compile(r"[A-Za-z0-9]+")


def _words(*texts: str) -> frozenset[str]:
    return frozenset(word.lower() for text in texts for word in _WORD.findall(text))


_PYTHONS: Final = frozenset(aliases) | frozenset(aliases.values())

COMMANDS: Final = frozenset(KNOWN) | {"UID", "DONE", "PROXYAUTH", "SCAN", "X", "XLIST", "UNSELECT"}
"""Commands whose names may stay."""

IMAP: Final = _words(
    " ".join([*KNOWN, *ASKED_BY, *CODE_ASKED_BY]),
    "OK NO BAD BYE PREAUTH UID DONE NIL EXISTS RECENT EXPUNGE FETCH FLAGS BODY BODYSTRUCTURE ENVELOPE INTERNALDATE",
    "RFC822 SIZE HEADER TEXT PEEK MIME FIELDS NOT MODSEQ EMAILID THREADID PREVIEW LAZY SAVEDATE BINARY SNIPPET FUZZY",
    "X-GM-MSGID X-GM-THRID X-GM-LABELS X-GM-RAW ALL FULL FAST MACRO PARTIAL CHANGEDSINCE UNCHANGEDSINCE VANISHED",
    "EARLIER SILENT ANSWERED DELETED DRAFT FLAGGED NEW",
    "OLD SEEN UNANSWERED UNDELETED UNDRAFT UNFLAGGED UNSEEN UNKEYWORD",
    "KEYWORD BCC CC FROM TO SUBJECT BEFORE ON SINCE SENTBEFORE SENTON SENTSINCE SAVEDBEFORE SAVEDON SAVEDSINCE LARGER",
    "SMALLER YOUNGER OLDER OR CHARSET RETURN MIN MAX COUNT SAVE CONTEXT UPDATE RELEVANCY IN MAILBOXES SUBTREE",
    "SUBTREE-ONE SELECTED SELECTED-DELAYED INBOXES PERSONAL SUBSCRIBED NOTIFY SET NONE STATUS MESSAGENEW",
    "MESSAGEEXPUNGE FLAGCHANGE ANNOTATIONCHANGE MAILBOXNAME SUBSCRIPTIONCHANGE MAILBOXMETADATACHANGE",
    "SERVERMETADATACHANGE MESSAGES UIDNEXT UIDVALIDITY APPENDLIMIT HIGHESTMODSEQ MAILBOXID DELETED-STORAGE STORAGE",
    "MESSAGE ANNOTATION-STORAGE RECURSIVEMATCH REMOTE SPECIAL-USE CHILDREN MYRIGHTS METADATA DEPTH MAXSIZE INFINITY",
    "ALERT BADCHARSET CAPABILITY PARSE PERMANENTFLAGS READ-ONLY READ-WRITE TRYCREATE UIDNOTSTICKY APPENDUID COPYUID",
    "CLOSED NOMODSEQ MODIFIED UNKNOWN-CTE BADURL",
    "TOOBIG COMPRESSIONACTIVE NOTIFICATIONOVERFLOW BADEVENT UNDEFINED-FILTER",
    "UNAVAILABLE AUTHENTICATIONFAILED AUTHORIZATIONFAILED EXPIRED PRIVACYREQUIRED CONTACTADMIN NOPERM INUSE",
    "EXPUNGEISSUED CORRUPTION SERVERBUG CLIENTBUG CANNOT LIMIT OVERQUOTA ALREADYEXISTS NONEXISTENT HASCHILDREN",
    "REFERRAL NEWNAME UNKNOWN USEATTR NOUPDATE TEMPFAIL WEBALERT THROTTLED ADDTO REMOVEFROM TAG MOREUPDATES",
    "ARRIVAL DATE DISPLAYFROM DISPLAYTO REVERSE REFERENCES ORDEREDSUBJECT REFS THREAD SORT ESEARCH ESORT SEARCHRES",
    "QRESYNC CONDSTORE ENABLED UTF8 ACCEPT ONLY IMAP4 IMAP4REV1 IMAP4REV2 AUTH PLAIN LOGIN LOGINDISABLED SASL-IR",
    "CRAM-MD5 DIGEST-MD5 SCRAM-SHA-1 SCRAM-SHA-256 PLUS XOAUTH2 OAUTHBEARER GSSAPI NTLM EXTERNAL ANONYMOUS DEFLATE",
    "COMPRESS IDLE UIDPLUS UNSELECT MULTIAPPEND LITERAL LITERAL- MULTISEARCH LIST-EXTENDED LIST-STATUS LIST-MYRIGHTS",
    "LIST-METADATA I18NLEVEL NAMESPACE QUOTA QUOTASET ACL RIGHTS ID STARTTLS CATENATE URL URLAUTH CREATE-SPECIAL-USE",
    "WITHIN STATUS OBJECTID UIDONLY MESSAGELIMIT SAVELIMIT REPLACE",
    "MOVE WITHIN SEARCH FILTERS LANGUAGE JMAPACCESS INPROGRESS",
    "HASNOCHILDREN NOSELECT NOINFERIORS MARKED UNMARKED NONEXISTENT SENT DRAFTS TRASH JUNK ARCHIVE FLAGGED IMPORTANT",
    "ALL MEMOS SCHEDULED SNOOZED UTF 8 US ASCII SHARED PRIVATE VALUE SNIPPET DIGEST ANNOTATION ALTMAILBOX NAME OLDNAME",
    "COMMENT ADMIN VENDOR INBOX NAME UIDFETCH UIDBATCHES",
)
"""Of commands and responses."""

FLAGS: Final = frozenset(
    r"\answered \flagged \deleted \seen \draft \recent \* \noselect \noinferiors \marked \unmarked \hasnochildren"
    r" \haschildren \nonexistent \subscribed \remote \all \archive \drafts \flagged \important \junk \sent \trash"
    r" \inbox \starred \allmail \memos \scheduled \snoozed \spam $forwarded $mdnsent $junk $notjunk $phishing"
    r" $submitpending $submitted $important $istrusted $hasattachment $hasnoattachment $label1 $label2 $label3 $label4"
    r" $label5 junk nonjunk notjunk forwarded redirected".split()
)
"""Flags, keywords and mailbox attributes that many have."""

MIME: Final = _words(
    *mimetypes.types_map.values(),
    "text plain html enriched calendar csv css markdown multipart mixed alternative related report signed encrypted",
    "digest parallel message rfc822 global delivery status disposition notification partial external body application",
    "octet stream image audio video font model charset name filename boundary format flowed delsp yes no micalg",
    "protocol start info type reply method request access site directory mode size attachment inline base64 quoted",
    "printable 7bit 8bit binary nil creation modification read date md5 pgp pkcs7 mime signature sha1 sha256 sha512",
    "us ascii utf 8 16 iso windows koi8 r u gb2312 gbk gb18030 big5 euc jp kr shift jis x unknown en de fr es",
)
"""Of body structures and Content headers."""

CHARSET: Final = re.compile(
    r"(?:us-ascii|utf-?(?:7|8|16|16be|16le)|iso-8859-\d{1,2}(?:-[ie])?|iso-2022-[a-z]{2}(?:-\d)?|windows-\d{3,4}|cp\d{3,4}"
    r"|koi8-[ru]|gb2312|gbk|gb18030|big5|euc-(?:jp|kr)|shift_jis|macintosh|unknown-8bit|tis-620|ks_c_5601-1987)",
    re.IGNORECASE,
)
"""Names of charsets."""


def is_charset(name: str) -> bool:
    """Whether there is a charset of this name, here or in Python's own list."""
    return CHARSET.fullmatch(name) is not None or name.lower().replace("-", "_") in _PYTHONS


MAILBOXES: Final = _words(
    "INBOX Sent Drafts Draft Trash Junk Spam Archive Archives Outbox Templates Deleted Items Messages Mail All Notes",
)
"""Words in names of mailboxes that most accounts have."""

SERVER: Final = _words(
    "a about above accepted access account active added after all allowed already an and another any append appended",
    "are argument arguments as at attempt auth authenticated authentication available bad be begin been before begins",
    "being but by bye byte bytes can cannot capability cert certificate change changed changes check closed closing",
    "command commands completed compress compression connect connected connection connections continue copied copy",
    "could create created data database deflate delete deleted denied did disabled disconnected does done down enabled",
    "end error errors examine exceeded exists expired expunge expunged failed failure fetch fetched first flags for",
    "found from full get go going goodbye greeting has have hello here highest id idle idling if in inbox internal",
    "invalid is issued it its left limit line list literal logged login logging logout long lsub mailbox mailboxes",
    "may message messages minutes missing more move moved must name namespace new next no noop not now number of",
    "off ok on once one only or out over parse part passed permanent permitted please predicted quota read ready",
    "received recent refused remove removed rename renamed request required retry rights search secs seconds security",
    "select selected server service session set shutting shutdown since some starttls status store stored subscribe",
    "subscribed success successful successfully support supported syntax system tag temporarily temporary text thanks",
    "that the then there this time timed timeout tls to too try unable unauthenticated unavailable unexpected unknown",
    "unread unseen unsubscribe unsubscribed until updated user using valid validity version wait was were while will",
    "with within would wrong yet you your dovecot cyrus courier imap imap4 imap4rev1 imap4rev2 pymap uid uids",
)
"""Of what servers say to people."""

OURS: Final = _words(
    "tls tlsv1 aes gcm sha256 sha384 chacha20 poly1305 ecdhe ecdsa rsa ed25519 x25519 256 384 128 3 2 1 client side"
    " upstream listener stream ended reset peer refused imaptap handshake sni alpn cipher issuer self signed"
    " expired verify verified unverified",
    "imported transcript rawlog telemetry protocol packet capture log logger logs what which where when whose whether"
    " who came come takes taken stands stood stand holds held protected known know knows say says said them they it"
    " crlf times lines chunks layer layers bytes literal literals announced ends midst count mails letter letters"
    " begins place longer replaced asterisks each another s nobody neither sides marked passwords secret secrets"
    " compressed recorded asked exchanges some kept raw records microseconds traffic nothing lost because those"
    " decrypted further behind same different answered completion right",
)
"""Of what imaptap says itself of a session: where it comes from, how it ended."""

HEADERS: Final = frozenset(
    (
        "accept-language alternate-recipient approved arc-authentication-results arc-message-signature arc-seal"
        " archived-at authentication-results auto-submitted autocrypt bcc cc comments content-base content-class"
        " content-description content-disposition content-id content-language content-length content-location"
        " content-md5 content-transfer-encoding content-type date delivered-to delivery-date"
        " disposition-notification-to dkim-signature domainkey-signature envelope-to errors-to expires face"
        " feedback-id followup-to from importance in-reply-to keywords lines list-archive list-help list-id"
        " list-owner list-post list-subscribe list-unsubscribe list-unsubscribe-post mail-followup-to"
        " mail-reply-to message-id mime-version newsgroups openpgp organization original-message-id"
        " original-recipient path precedence priority received received-spf references reply-by reply-to"
        " resent-bcc resent-cc resent-date resent-from resent-message-id resent-sender resent-to return-path"
        " return-receipt-to sender sensitivity status subject supersedes thread-index thread-topic to user-agent"
        " x-accept-language x-account-key x-bogosity x-delivered-to x-envelope-from x-envelope-to x-face"
        " x-forwarded-for x-forwarded-to x-gmail-labels x-identity-key x-keywords x-loop x-mailer"
        " x-mime-autoconverted x-mozilla-draft-info x-mozilla-keys x-mozilla-status x-mozilla-status2"
        " x-msmail-priority x-original-to x-originating-ip x-priority x-received x-sender x-sieve"
        " x-spam-checker-version x-spam-flag x-spam-level x-spam-score x-spam-status x-status x-uid x-uidl"
        " x-uniform-type-identifier x-universally-unique-identifier x-virus-scanned x-virus-status"
    ).split()
)
"""Names of header fields that say nothing."""

KEPT: Final = IMAP | MIME | MAILBOXES | SERVER
"""What is nobody's pseudonym."""
