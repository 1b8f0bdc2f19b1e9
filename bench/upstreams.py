"""The server behind the proxies: the one that answers from memory, or a real Dovecot with the same mail.

Either listens with TLS on the port that it is given, and without on the one after it.
"""

from __future__ import annotations

import base64
import grp
import os
import pwd
import random
from typing import TYPE_CHECKING

from bench.processes import Program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bench.ground import Certificates

SERVERS = ("synthetic", "dovecot")


def start_synthetic(work: Path, program: Path, certificates: Certificates, port: int, slow: float) -> list[Program]:
    """`slow`: at how many MB/s it reads an APPEND to a mailbox whose name begins with "slow"."""
    tls = ["--cert", str(certificates.cert), "--key", str(certificates.key)]
    common = [str(program), "serve", "--rate", str(slow)]
    started = [
        Program("upstream", [*common, "--port", str(port), *tls], work / "upstream.log"),
        Program("upstream-plain", [*common, "--port", str(port + 1), "--plain"], work / "plain.log"),
    ]
    for number, upstream in enumerate(started):
        upstream.wait_port(port + number)
    return started


def start_dovecot(work: Path, certificates: Certificates, port: int) -> list[Program]:
    """A Dovecot 2.3 of its own, any user with any password, all of whom share one mailbox."""
    folder, account = work / "dovecot", _account()
    write_mail(folder / "mail")
    config = folder / "dovecot.conf"
    values = {"folder": folder, "port": port, "plain_port": port + 1, "user": account.pw_name}
    group = grp.getgrgid(account.pw_gid).gr_name
    config.write_text(CONFIG.format(**values, group=group, cert=certificates.cert, key=certificates.key))
    if os.geteuid() == 0:
        work.chmod(0o755)
        for path in (folder, *folder.rglob("*")):
            os.chown(path, account.pw_uid, account.pw_gid)
    started = Program("dovecot", ["dovecot", "-F", "-c", str(config)], work / "dovecot.log")
    started.wait_port(port)
    started.wait_port(port + 1)
    return [started]


def write_mail(root: Path) -> None:
    """The boxes that the synthetic server has, as Maildir."""
    dice = random.Random(5)  # noqa: S311 - the same mail every time
    for box in ("", ".big", ".small", ".sink"):
        for part in ("cur", "new", "tmp"):
            (root / box / part).mkdir(parents=True, exist_ok=True)
    for box, size, number in (("big", 1 << 20, 25), ("small", 30_000, 834)):
        lines = _base64(dice) if box == "big" else _text(dice)
        for uid in range(1, number + 1):
            file = root / f".{box}" / "cur" / f"{1_700_000_000 + uid}.M{uid}.bench:2,S"
            file.write_text(_letter(box, uid, size, lines))


def _letter(box: str, uid: int, size: int, lines: Iterator[str]) -> str:
    """Of about `size` bytes once each line end has become two."""
    parts = [
        f"From: s{uid}@example.org\nSubject: Message {uid} of {box}\nMessage-ID: <{uid}.{box}@bench.example.org>\n"
    ]
    size -= len(parts[0]) + 5
    while size > 0:
        parts.append(next(lines))
        size -= len(parts[-1]) + 2
    return "\n".join(parts) + "\n"


def _base64(dice: random.Random) -> Iterator[str]:
    while True:
        yield base64.b64encode(dice.randbytes(57)).decode()


def _text(dice: random.Random) -> Iterator[str]:
    words = ["".join(dice.choices("abcdefghijklmnopqrstuvwxyz", k=dice.randint(2, 10))) for _ in range(2000)]
    while True:
        yield " ".join(dice.choices(words, k=11))


def _account() -> pwd.struct_passwd:
    """Whom it reads the mail as."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())


CONFIG = """\
base_dir = {folder}/run
state_dir = {folder}/state
instance_name = imaptap-bench-{port}
log_path = {folder}/dovecot.log
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <{cert}
ssl_key = <{key}
disable_plaintext_auth = no
auth_username_format = %u
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 1
first_valid_gid = 1
default_vsz_limit = 0
mail_location = maildir:{folder}/mail
mail_max_userip_connections = 0
mail_fsync = never
passdb {{
  driver = static
  args = nopassword=y
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={folder}/home
}}
service anvil {{
  chroot =
  client_limit = 20000
}}
service auth {{
  client_limit = 20000
}}
service stats {{
  chroot =
}}
service imap-login {{
  chroot =
  service_count = 0
  client_limit = 20000
  process_min_avail = 2
  inet_listener imap {{
    port = {plain_port}
  }}
  inet_listener imaps {{
    port = {port}
    ssl = yes
  }}
}}
service imap {{
  process_limit = 6000
  service_count = 0
  process_min_avail = 4
}}
"""
