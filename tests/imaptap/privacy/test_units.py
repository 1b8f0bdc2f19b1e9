"""Commands and responses rewritten: what stays, what does not, and that nothing gets longer."""

from __future__ import annotations

import binascii
import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaptap.privacy.policy import Action, Level, Policy, Thing, of_level
from imaptap.privacy.rules import Rules
from imaptap.privacy.streams import Side
from proxy.imap.transcript import Direction

RULES = Rules(of_level(Level.ALL), b"k" * 32)
SERVER, CLIENT = Direction.SERVER, Direction.CLIENT


def rewritten(line: str | bytes, direction: Direction = SERVER, rules: Rules = RULES) -> bytes:
    data = line.encode() if isinstance(line, str) else line
    data = data if data.endswith(b"\n") else data + b"\r\n"
    side = Side(rules, direction)
    return side.feed(data) + side.flush()


def word(text: str) -> str:
    return RULES.pseudonyms.word(text)


STAY = """
* CAPABILITY IMAP4rev1 IDLE AUTH=PLAIN X-VENDOR
* OK [CAPABILITY IMAP4rev1 XYZZY] ready
* OK [UIDVALIDITY 3857529045] UIDs valid
* OK [PERMANENTFLAGS (\\Answered \\Seen \\*)] Flags permitted.
* FLAGS (\\Answered \\Seen $Forwarded)
* LIST (\\HasNoChildren \\Sent) "/" "Sent Messages"
* LIST () NIL INBOX
* STATUS INBOX (MESSAGES 231 UIDNEXT 44292)
* SEARCH 2 3 6 (MODSEQ 917162500)
* ESEARCH (TAG "a1") UID ALL 17,900:901
* VANISHED (EARLIER) 300:310,405
* THREAD (2)(3 6 (4 23)(44 7 96))
* 23 EXISTS
* 12 FETCH (UID 5 RFC822.SIZE 4286 FLAGS (\\Seen) MODSEQ (5))
* 3 FETCH (BODYSTRUCTURE (("text" "plain" ("charset" "utf-8" "format" "flowed") NIL NIL "7bit" 5 1) "alternative"))
* ID ("name" "Dovecot" "version" "2.3")
a1 OK [READ-WRITE] SELECT completed.
a1 OK [COPYUID 38505 304,319:320 3956:3958] Done
+ idling
""".strip().splitlines()

ASKED = """
a1 SELECT INBOX (QRESYNC (1 2 1:5))
a1 UID FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (FROM TO)]<0.10> RFC822.SIZE) (CHANGEDSINCE 5)
a1 SEARCH RETURN (MIN COUNT) CHARSET UTF-8 UNSEEN NOT DELETED LARGER 1000 UID 1:5
a1 STORE 1 +FLAGS.SILENT (\\Seen $Forwarded)
a1 UID STORE 1:5 (UNCHANGEDSINCE 12345) -FLAGS (\\Seen)
a1 STORE 1 +X-GM-LABELS (\\Inbox)
a1 SEARCH KEYWORD $Junk UNKEYWORD NonJunk
a1 SORT (SUBJECT REVERSE DATE) UTF-8 ALL
a1 UID SORT RETURN (MIN) (SUBJECT FROM) UTF-8 ALL
a1 LIST (SUBSCRIBED) "" (INBOX *) RETURN (CHILDREN STATUS (MESSAGES UNSEEN))
a1 LIST "" % RETURN (SPECIAL-USE)
a1 AUTHENTICATE PLAIN xxxxxxxxxxxx
a1 LOGIN xxxxx xxxxx
a1 ENABLE CONDSTORE
a1 ID ("name" "Thunderbird" "version" "115")
a1 IDLE
DONE
a1 COMPRESS DEFLATE
a1 STATUS INBOX (MESSAGES)
""".strip().splitlines()


@pytest.mark.parametrize("line", STAY)
def test_what_says_nothing_stays(line: str) -> None:
    assert rewritten(line) == line.encode() + b"\r\n"


@pytest.mark.parametrize("line", ASKED)
def test_commands_that_say_nothing_stay(line: str) -> None:
    assert rewritten(line, CLIENT) == line.encode() + b"\r\n"


PRIVATE = [
    (SERVER, '* LIST () "/" Work.Smith', "Work Smith"),
    (SERVER, '* LIST () "/" "Work/Smith"', "Work Smith"),
    (SERVER, '* LIST () "/" Text', "Text"),
    (SERVER, "* STATUS 2024 (MESSAGES 1)", "2024"),
    (SERVER, "* OK mail.example.org ready for smith", "mail org smith"),
    (SERVER, "* BYE smith", "smith"),
    (SERVER, "+ Hello smith", "smith"),
    (SERVER, "* OK [REFERRAL imap://smith@mail.example.org/Work] gone", "smith mail Work"),
    (SERVER, "* FLAGS (\\Seen Smiths)", "Smiths"),
    (SERVER, '* 1 FETCH (X-GM-LABELS ("\\\\Inbox" Smith) X-GM-MSGID 1278455344230334865)', "Smith 1278455344230334865"),
    (SERVER, '* 1 FETCH (EMAILID (M6d99) PREVIEW "Dear smith")', "M6d99 Dear smith"),
    (SERVER, '* 1 FETCH (BODY[TEXT] "Dear smith")', "Dear smith"),
    (SERVER, '* 1 FETCH (BODY ("image" "png" ("name" "smith.png") "<id@smith>" "Smith" "base64" 5))', "smith Smith"),
    (SERVER, "* SMITH data smith", "SMITH smith"),
    (SERVER, '* QUOTAROOT "Smith" "user/smith"', "Smith user smith"),
    (SERVER, "* ACL Smith bob lrs jane lr", "Smith bob jane"),
    (SERVER, '* METADATA "Smith" (/private/comment "of smith")', "Smith smith"),
    (SERVER, '* NAMESPACE (("" "/")) (("Smith/" "/")) NIL', "Smith"),
    (SERVER, "smith1 OK Smith", "smith1 Smith"),
    (CLIENT, "smith1 NOOP", "smith1"),
    (CLIENT, "a1 LOGIN smith@example.org xxxxxx", "smith org"),
    (CLIENT, 'a1 CREATE "Smith"', "Smith"),
    (CLIENT, "a1 SELECT Text", "Text"),
    (CLIENT, "a1 SEARCH FROM smith SUBJECT from TEXT text KEYWORD flagged", "smith from text flagged"),
    (CLIENT, "a1 SEARCH HEADER X-Smith seen", "Smith seen"),
    (CLIENT, "a1 SEARCH TEXT 4915112345 FROM 0171234 HEADER X-Phone 4915112346", "4915112345 0171234 4915112346"),
    (CLIENT, "a1 SEARCH KEYWORD 4915112345", "4915112345"),
    (SERVER, "* FLAGS (\\Seen 4915112345)", "4915112345"),
    (SERVER, "* 1 FETCH (FLAGS (4915112345) UID 5)", "4915112345"),
    (SERVER, "* 1 FETCH (UID 5 X-PHONE 4915112345)", "4915112345"),
    (SERVER, "* 1 FETCH (X-GM-LABELS (4915112345) UID 5)", "4915112345"),
    (SERVER, "* OK [X-PHONE 4915112345] done", "4915112345"),
    (SERVER, "* BYE [UNAVAILABLE 93.184.216.34] done", "93 184"),
    (SERVER, '* ID ("support-url" "https://mail.smith.org/")', "mail smith org"),
    (CLIENT, "a1 XSMITH smith 4711 (0815)", "XSMITH smith 4711 0815"),
    (CLIENT, "smith", "smith"),
    (CLIENT, "a1 COPY 1 Smith", "Smith"),
    (CLIENT, 'a1 SETACL "Smith" bob lrs', "Smith bob"),
    (CLIENT, 'a1 SELECT "Smith', "Smith"),
    (CLIENT, "a1 FETCH 1 BODY[HEADER.FIELDS (X-Smith)]", "Smith"),
    (CLIENT, 'a1 LIST "" (Smith "Text/%" 2024)', "Smith Text 2024"),
    (CLIENT, "a1 NOTIFY SET (mailboxes (Smith Text) (MessageNew))", "Smith Text"),
    (CLIENT, "a1 NOTIFY SET (subtree Text (MessageNew))", "Text"),
    (CLIENT, "a1 ESEARCH IN (mailboxes Text subtree (Seen Smith)) UNSEEN", "Text Smith"),
    (CLIENT, 'a1 APPEND Smith (\\Seen smith Text 4711) "17-Jul-1996 02:44:25 -0700" {0}\r\n (Seen) {0}',
     "Smith smith Text 4711 Seen"),
    (SERVER, '* 1 FETCH (ENVELOPE (NIL "=?smith?Q?Hi?=" NIL NIL NIL NIL NIL NIL NIL NIL))', "smith Hi"),
    (SERVER, '* 1 FETCH (ENVELOPE (NIL "=?utf-8*smith?Q?Hi?=" NIL NIL NIL NIL NIL NIL NIL NIL))', "smith Hi"),
]  # fmt: skip


@pytest.mark.parametrize(("direction", "line", "words"), PRIVATE)
def test_what_is_private_is_gone(direction: Direction, line: str, words: str) -> None:
    made = rewritten(line, direction).decode()
    assert len(made) == len(line) + 2
    left = re.findall(r"[A-Za-z0-9]+", made)
    gone = words.split()
    assert [each for each in gone if left.count(each) >= re.findall(r"[A-Za-z0-9]+", line).count(each)] == []


def test_equal_names_are_equal_however_they_are_written() -> None:
    atom = rewritten("a1 SELECT Work/Smith", CLIENT)
    assert atom == f"a1 SELECT {word('Work')}/{word('Smith')}\r\n".encode()
    assert rewritten('* LIST () "/" "Work/Smith"').endswith(b'"' + atom[10:-2] + b'"\r\n')
    assert rewritten("a1 SELECT {10}\r\nWork/Smith\r\n", CLIENT) == b"a1 SELECT {10}\r\n" + atom[10:]
    umlaut, coded = rewritten('* LIST () "/" "Gärten"'), rewritten('* LIST () "/" "G&AOQ-rten"')
    from proxy.imap.grammar.utf7 import decode

    assert decode(coded[15:-3]) == umlaut[15:-3].decode()


def test_addresses_are_equal_in_envelopes_and_headers() -> None:
    envelope = rewritten(
        '* 1 FETCH (ENVELOPE (NIL "Hi" (("Bob" NIL "bob" "mail.example.org")) NIL NIL NIL NIL NIL NIL NIL))'
    )
    letter = b"From: Bob <bob@mail.example.org>\r\n\r\n"
    header = rewritten(b"* 1 FETCH (BODY[HEADER] {%d}\r\n%s)\r\n" % (len(letter), letter))
    name, user, host = re.search(rb'\(\("(\w+)" NIL "(\w+)" "([\w.]+)"\)\)', envelope).groups()
    assert b"From: %s <%s@%s>\r\n" % (name, user, host) in header


ENVELOPE = (
    '("Wed, 17 Jul 1996 02:44:25 -0700" "Signed report" (("Message" NIL "report" "text.de")) NIL NIL NIL NIL NIL NIL'
    ' "<id@text.de>")'
)


def test_an_envelope_within_a_body_structure_is_one() -> None:
    alone = rewritten(f"* 1 FETCH (ENVELOPE {ENVELOPE})")[len("* 1 FETCH (ENVELOPE ") : -3]
    part = '("text" "plain" ("charset" "utf-8") NIL NIL "7bit" 5 1)'
    within = rewritten(
        f'* 1 FETCH (BODYSTRUCTURE ({part}("message" "rfc822" NIL NIL NIL "7bit" 9 {ENVELOPE} {part} 7) "mixed"))'
    )
    assert alone in within
    assert within.endswith(b' ("text" "plain" ("charset" "utf-8") NIL NIL "7bit" 5 1) 7) "mixed"))\r\n')
    for word in (b"Signed", b"report", b"Message", b"text.de"):
        assert word not in alone


def test_the_eighth_part_is_no_envelope() -> None:
    line = f'* 1 FETCH (BODY ({8 * """("text" "plain" NIL NIL NIL "7bit" 5 1)"""} "mixed"))'
    assert rewritten(line) == line.encode() + b"\r\n"


def test_dates_are_moved_alike() -> None:
    line = rewritten(
        '* 1 FETCH (INTERNALDATE "17-Jul-1996 02:44:25 -0700" ENVELOPE ("Wed, 17 Jul 1996 02:44:25 -0700" NIL))'
    ).decode()
    internal, weekday, letter = re.search(
        r'"(\d\d-\w{3}-\d{4}) 02:44:25 -0700" ENVELOPE \("(\w{3}), ?(\d+ \w{3} \d{4}) 02', line
    ).groups()
    assert internal.replace("-", " ") == letter.rjust(11, "0")
    assert internal != "17-Jul-1996"
    assert weekday in "Mon Tue Wed Thu Fri Sat Sun".split()


BODIES = Rules(of_level(Level.BODIES), b"k" * 32)
PEOPLE = Rules(of_level(Level.PEOPLE), b"k" * 32)


def test_levels() -> None:
    letter = b"From: bob@mail.example.org\r\nSubject: Dear\r\nDate: Wed, 17 Jul 1996 02:44:25 -0700\r\n\r\nDear Bob\r\n"
    line = b'* LIST () "/" Smith\r\n* 1 FETCH (BODY[] {%d}\r\n%s)\r\n' % (len(letter), letter)
    bodies, people = rewritten(line, SERVER, BODIES), rewritten(line, SERVER, PEOPLE)
    assert bodies[: bodies.index(b"\r\n\r\n")] == line[: line.index(b"\r\n\r\n")]
    assert b"Dear Bob" not in bodies
    assert b"Smith" in people
    assert b"smith" not in rewritten('* QUOTAROOT Smith "user/smith"', SERVER, PEOPLE)
    assert b"17 Jul 1996" in people
    assert b"bob" not in people
    assert b"Subject: Dear" not in people
    assert rewritten(line, SERVER, Rules(of_level(Level.SECRETS), b"k")) == line


OF_MAILBOXES = r"""
a1 LIST "" (Smith "Text/%")
a1 LIST (SUBSCRIBED) "" ("Smith/*" Bob) RETURN (CHILDREN)
a1 NOTIFY SET (mailboxes (Smith Bob) (MessageNew MessageExpunge)) (subtree Bob (MessageNew))
a1 ESEARCH IN (mailboxes Bob subtree (Smith "Bob")) UNSEEN
a1 APPEND Smith (\Seen Smith $Bob) {0}
a1 REPLACE 5 Smith (Bob) {0}
* NAMESPACE (("" "/")) (("Smith/" "/")) NIL
""".strip().splitlines()


@pytest.mark.parametrize("line", OF_MAILBOXES)
def test_mailboxes_and_keywords_stay_below_all(line: str) -> None:
    """Wherever they stand: else a mailbox would be asked for by another name than it has."""
    direction = SERVER if line.startswith("*") else CLIENT
    assert rewritten(line, direction, PEOPLE) == line.encode() + b"\r\n"
    assert rewritten(line, direction) != line.encode() + b"\r\n"


def test_what_is_appended_in_parts_is_no_list_of_flags() -> None:
    """RFC 4469: a URL in CATENATE has somebody's mailbox, and a letter; RFC 6855: UTF8 has data."""
    line = 'a1 APPEND Smith (Bob) CATENATE (URL "/Smith/;UID=20") (Bob) UTF8 (~{3+}\r\nBob)'
    assert rewritten(line, CLIENT, PEOPLE).count(b"Bob") == 2


@pytest.mark.parametrize(
    "charset", "utf-8 US-ASCII ISO-2022-JP windows-1252 latin_1 mac-roman utf-8*de euc_jis_2004".split()
)
def test_charsets_stay(charset: str) -> None:
    made = RULES.words(f"=?{charset}?Q?Smith?=".encode(), Thing.SUBJECT)
    assert made.startswith(f"=?{charset}?Q?".encode())
    assert b"Smith" not in made


def test_secrets_only() -> None:
    rules = Rules(of_level(Level.SECRETS), b"k")
    letter = (
        b"Subject: hi\r\n\r\nthe password: hunter2222 and AKIAABCDEFGHIJKLMNOP of Bob\r\n"
        b"-----BEGIN RSA PRIVATE KEY-----\r\nMIIEowIBAAKCAQEA\r\n-----END RSA PRIVATE KEY-----\r\n"
    )
    line = b"* 1 FETCH (BODY[] {%d}\r\n%s)\r\n" % (len(letter), letter)
    made = rewritten(line, SERVER, rules)
    assert len(made) == len(line)
    for secret in (b"hunter2222", b"AKIAABCDEFGHIJKLMNOP", b"MIIEowIBAAKCAQEA"):
        assert secret not in made
    for kept in (b"the password: ", b" of Bob", b"-----END RSA PRIVATE KEY-----", b"Subject: hi"):
        assert kept in made


def test_remove() -> None:
    policy = of_level(Level.ALL)
    rules = Rules(Policy({**policy.actions, Thing.SUBJECT: Action.REMOVE, Thing.TEXT: Action.REMOVE}), b"k")
    letter = b"Subject: Hello, you\r\n\r\nHi! =C3=BC\r\n"
    made = rewritten(b"* 1 FETCH (BODY[] {%d}\r\n%s)\r\n" % (len(letter), letter), SERVER, rules)
    assert b"Subject: xxxxx, xxx\r\n\r\nxx! =78=78\r\n" in made


def test_what_a_policy_keeps() -> None:
    base = of_level(Level.ALL)
    rules = Rules(
        Policy(base.actions, frozenset(("acme",)), frozenset(("kunden",)), frozenset(("x-mailer-version",))), b"k"
    )
    assert rewritten('* LIST () "/" Kunden/Bob', SERVER, rules).startswith(b'* LIST () "/" Kunden/')
    letter = b"X-Mailer-Version: Bob 1\r\nSubject: Acme Bob\r\n\r\n"
    made = rewritten(b"* 1 FETCH (BODY[HEADER] {%d}\r\n%s)\r\n" % (len(letter), letter), SERVER, rules)
    assert b"X-Mailer-Version: Bob 1\r\nSubject: Acme " in made
    assert b"Acme Bob" not in made


LINES = st.lists(
    st.sampled_from([*STAY, *ASKED, *(line for _, line, _ in PRIVATE), "* 1 FETCH (BODY[] {5}", "a APPEND x {3}"]),
    max_size=6,
)


OTHER_SCRIPTS = [
    "\u0661.\u0662.\u0663.\u0664 of \u0665 Nov \u0662\u0660\u0662\u0666",
    "9 \u017fep 2026",
    "fr\u0131, 9 Sep 2026",
    "1999-01-\u0660\u0663",
    "=?utf-8?Q?=D9=A1.=D9=A2.=D9=A3.=D9=A4?=",
]


@pytest.mark.parametrize("text", OTHER_SCRIPTS)
def test_digits_of_other_scripts_are_no_addresses_and_no_dates(text: str) -> None:
    """They have more bytes than ours."""
    assert len(RULES.words(text.encode(), Thing.SUBJECT)) == len(text.encode())


@given(LINES, st.lists(st.integers(0, 400), max_size=5), st.sampled_from(Direction), st.sampled_from(Level))
def test_cut_anywhere(lines: list[str], cuts: list[int], direction: Direction, level: Level) -> None:
    """Chunks do not matter, no byte is added, and line ends stay where they are."""
    rules = Rules(of_level(level), b"k")
    data = "".join(f"{line}\r\n" for line in lines).encode()
    whole = Side(rules, direction)
    expected = whole.feed(data) + whole.flush()
    side, edges = Side(rules, direction), [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    made = b"".join(side.feed(data[a:b]) for a, b in itertools.pairwise(edges)) + side.flush()
    assert made == expected
    assert len(made) == len(data)
    assert [at for at, byte in enumerate(made) if byte == 10] == [at for at, byte in enumerate(data) if byte == 10]


@given(st.binary(max_size=400), st.sampled_from(Direction), st.sampled_from(Level))
def test_any_bytes(data: bytes, direction: Direction, level: Level) -> None:
    rules = Rules(of_level(level), b"k")
    side = Side(rules, direction)
    assert len(side.feed(data) + side.flush()) == len(data)


def test_a_file_within_a_text_becomes_noise() -> None:
    coded = [binascii.b2a_uu(bytes(range(at, at + 45))) for at in range(0, 180, 45)] + [binascii.b2a_uu(b"~~~ ~~~")]
    letter = b"Subject: x\r\n\r\nbegin 644 smith.doc\r\n" + b"".join(coded).replace(b"\n", b"\r\n") + b"`\r\nend\r\n"
    made = rewritten(b"* 1 FETCH (BODY[] {%d}\r\n%s)\r\n" % (len(letter), letter)).split(b"\r\n")[4:9]
    for was, now in zip(coded, made, strict=True):
        assert (len(now), now[0]) == (len(was) - 1, was[0])
        assert len(binascii.a2b_uu(now)) == len(binascii.a2b_uu(was))
        assert sum(a == b for a, b in zip(was[1:], now[1:], strict=False)) < len(now) // 3


def test_noise_has_nobodys_address() -> None:
    lines = b"".join(binascii.b2a_uu(b"%045d" % at) for at in range(300)).replace(b"\n", b"\r\n")
    letter = b"Subject: x\r\n\r\nbegin 644 a\r\n" + lines + b"`\r\nend\r\n"
    assert b"@" not in rewritten(b"* 1 FETCH (BODY[] {%d}\r\n%s)\r\n" % (len(letter), letter))


def test_quoted_printable_is_no_file_within_a_text() -> None:
    """Though its codes may be as many as the first of them, read as a length, says: each stays a code."""
    line = b"=%02X" * 13 % tuple(b"Ottilie Smith")
    letter = b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + line + b"\r\n"
    made = rewritten(b"* 1 FETCH (BODY[] {%d}\r\n%s)\r\n" % (len(letter), letter)).split(b"\r\n")[3]
    assert re.fullmatch(rb"(?:=[0-9A-F]{2}){13}", made)
    assert made != line
