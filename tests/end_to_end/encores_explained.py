"""Why a server answers otherwise than the recorded Dovecot: every sort of difference that `make encores` may find."""

WHY: tuple[tuple[str, str, str], ...] = (
    ("other|cyrus", r"\S.* capability .*CAPABILITY.*", "the servers offer other capabilities"),
    ("other", r"LIST missing LIST", 'all mailboxes are below INBOX, which "%" does not look into'),
    ("other", r"LIST value LIST attributes", "all mailboxes are below INBOX, which so has children"),
    (
        "cyrus",
        r".* capability .*\[(MAILBOXID|URLMECH|ANNOTATIONS)\]",
        "of Cyrus's OBJECTID, URLAUTH, ANNOTATE-EXPERIMENT-1",
    ),
    ("cyrus", r".* code .*\[HIGHESTMODSEQ\]", "Cyrus always tells it, Dovecot once CONDSTORE is enabled"),
    ("cyrus", r"(SELECT|EXAMINE) code \* OK \[CLOSED\]", "behind the Junk that the Cyrus has not, no mailbox is open"),
    ("cyrus", r"(SELECT|EXAMINE) status completion", "the Cyrus has no Junk"),
    (
        "cyrus",
        r"(LIST|LSUB) (missing|extra|value) .*",
        r"Cyrus has no Junk, mailboxes where Dovecot has \Noselect, and tells roles and subscriptions unasked",
    ),
    ("cyrus", r"ENABLE extra ENABLED", "with QRESYNC, Cyrus names CONDSTORE too"),
    ("cyrus", r"ID .*", "who they are"),
    ("cyrus", r"NAMESPACE extra .*", "the Cyrus has other users' and shared mailboxes"),
    (
        "cyrus",
        r".* BODYSTRUCTURE .*filename\*",
        "a folded RFC 2231 parameter is cut elsewhere, and its blanks are encoded",
    ),
    ("cyrus", r".* ENVELOPE cc", "group syntax, read in two ways"),
    ("cyrus", r"CREATE code NO \[ALREADYEXISTS\]", "Cyrus refuses without the code"),
    ("cyrus", r"STATUS code OK \[CLIENTBUG\]", "Dovecot objects to STATUS of the selected mailbox"),
    ("cyrus", r"UID FETCH order FETCH MODSEQ", "there the letters were put one by one, here all at once"),
    ("cyrus", r"GETQUOTAROOT missing .*", "the Cyrus has no quota for this user"),
    ("cyrus", r"APPEND status completion", "imapclient writes two blanks before the literal: BAD at Cyrus"),
    (
        "cyrus",
        r"SELECT value EXISTS|UID SEARCH (missing|extra) SEARCH|(UID STORE|EXPUNGE) missing .*|CLOSE value .* left",
        "follows from that APPEND: a letter is not there",
    ),
)
"""Of which servers' differences it is the explanation, which (a pattern of command, kind and place), and what it is."""
