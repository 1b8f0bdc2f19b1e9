"""A private Dovecot on loopback, for a clone that stands alone: no systemd, nothing outside one temporary folder.

As root it runs as an unprivileged user, as anyone else as yourself.
"""

from __future__ import annotations

import base64
import grp
import hashlib
import hmac
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tests.need import absent, need
from tests.servers.account import account, as_account, give
from tests.servers.certificates import Identity, make_identity
from tests.servers.dovecot_conf import CONFIG
from tests.servers.mail import mailbox, write_maildir
from tests.servers.wait import free_port, greets, until

if TYPE_CHECKING:
    import pwd
    from collections.abc import Callable

MECHANISMS = "plain login cram-md5 scram-sha-1 scram-sha-256 xoauth2 oauthbearer"
TOKEN_KEY = b"a key that signs test tokens only"


@dataclass
class Dovecot:
    """`with Dovecot() as server:` gives a running one with plain_port (STARTTLS offered) and tls_port."""

    users: dict[str, str] = field(default_factory=lambda: {"bob": "secret"})
    compress: bool = True
    starttls: bool = True
    plaintext_auth: bool = True
    mechanisms: str = MECHANISMS
    identity: Identity | None = None
    extra: str = ""
    seed: Callable[[str, Path], None] = lambda _, root: write_maildir(root, mailbox())
    """Lays down the Maildir of a user (name, folder that is not there yet)."""

    def __enter__(self) -> Self:
        need("dovecot")
        if not Path("/usr/lib/dovecot/imap").exists() and not Path("/usr/libexec/dovecot/imap").exists():
            absent("dovecot-imapd")
        # Not pytest's own folder: socket paths end at 107 bytes, and root's temporary folders let nobody else in.
        self.folder = Path(tempfile.mkdtemp(prefix="imaptap-dovecot-"))
        self.folder.chmod(0o755)
        self.plain_port, self.tls_port = free_port(), free_port()
        if self.identity is None:
            self.identity = make_identity(self.folder / "tls")
        self.ca = self.identity.ca
        who = account()
        self._write(who, self.identity)
        give(self.folder, who)
        self._launch(who)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End it and remove its folder."""
        self._end()
        shutil.rmtree(self.folder, ignore_errors=True)

    def restart(self) -> None:
        """End it, with all its connections, and start it again: same ports, same mail."""
        self._end()
        self._launch(account())

    def kill(self) -> None:
        """End all of it at once, its connections without a word."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)

    def reseed(self, user: str) -> None:
        """The mail of a user who is not connected, as it was at the start."""
        home = self.folder / "mail" / user
        shutil.rmtree(home, ignore_errors=True)
        self.seed(user, home / "Maildir")
        give(home, account())

    def log(self) -> str:
        """The end of what it has logged."""
        files = [self.folder / "stderr.log", self.folder / "dovecot.log"]
        return "\n".join(file.read_text(errors="replace")[-3000:] for file in files if file.exists())

    def _launch(self, who: pwd.struct_passwd) -> None:
        with (self.folder / "stderr.log").open("ab") as errors:
            self.process = subprocess.Popen(
                [need("dovecot"), "-F", "-c", str(self.folder / "dovecot.conf")],
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                cwd=self.folder,
                env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"},
                start_new_session=True,
                **as_account(who),
            )
        try:
            until(self._greets, "Dovecot's greeting", explain=self.log)
        except BaseException:
            self.stop()
            raise

    def _end(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)

    def _greets(self) -> bool:
        if self.process.poll() is not None:
            raise RuntimeError(f"Dovecot ended with {self.process.returncode}:\n{self.log()}")
        return greets(self.plain_port)

    def _write(self, who: pwd.struct_passwd, identity: Identity) -> None:
        for name in ("run", "mail", "own", "oauth/default/HS256"):
            (self.folder / name).mkdir(parents=True)
        shutil.copyfile(identity.cert, self.folder / "own" / "cert")
        shutil.copyfile(identity.key, self.folder / "own" / "key")
        lines = [
            f"{user}:{{PLAIN}}{password.replace(':', chr(92) + ':')}::::::\n" for user, password in self.users.items()
        ]
        (self.folder / "users").write_text("".join(lines))
        (self.folder / "oauth/default/HS256/default").write_text(base64.b64encode(TOKEN_KEY).decode())
        (self.folder / "oauth.conf").write_text(
            f"introspection_mode = local\nlocal_validation_key_dict = fs:posix:prefix={self.folder}/oauth/\n"
            "username_attribute = sub\n"
        )
        (self.folder / "dovecot.conf").write_text(
            CONFIG.format(
                folder=self.folder,
                user=who.pw_name,
                group=grp.getgrgid(who.pw_gid).gr_name,
                plain_port=self.plain_port,
                tls_port=self.tls_port,
                ssl="yes" if self.starttls else "no",
                no_plaintext_auth="no" if self.plaintext_auth else "yes",
                mechanisms=self.mechanisms,
                compress=" imap_zlib" if self.compress else "",
                extra=self.extra,
            )
        )
        for user in self.users:
            self.seed(user, self.folder / "mail" / user / "Maildir")


def token(user: str, marker: str = "") -> str:
    """An OAuth2 access token that this server accepts, with `marker` somewhere inside."""

    def encode(data: bytes) -> bytes:
        return base64.urlsafe_b64encode(data).rstrip(b"=")

    now = int(time.time())
    claims = {"sub": user, "scope": "mail", "iat": now - 60, "nbf": now - 60, "exp": now + 3600, "jti": marker}
    signed = encode(json.dumps({"alg": "HS256", "typ": "JWT"}).encode()) + b"." + encode(json.dumps(claims).encode())
    return (signed + b"." + encode(hmac.new(TOKEN_KEY, signed, hashlib.sha256).digest())).decode()
