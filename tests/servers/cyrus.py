"""A private Cyrus IMAP (3.6) on loopback, with empty mailboxes: other habits than Dovecot's.

No trailing attributes in LIST, XLIST, OBJECTID, CREATE-SPECIAL-USE, APPENDLIMIT, and SCRAM that binds to its TLS.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from tests.servers.account import account, as_account, give
from tests.servers.certificates import Identity, make_identity
from tests.servers.memory import memory
from tests.servers.unpacked import brought, libraries
from tests.servers.wait import free_port, greets, until

_PROGRAM = "usr/lib/cyrus/bin/imapd"
_FOLDERS = """
    conf/db conf/proc conf/socket conf/sieve conf/lock conf/user conf/quota conf/log conf/ptclient spool/stage. sockets
"""
IMAPD_CONF = """\
configdirectory: {folder}/conf
partition-default: {folder}/spool
defaultpartition: default
cyrus_user: {user}
admins: cyrus
servername: tests
unixhierarchysep: {slashes}
altnamespace: {beside}
autocreate_quota: 0
autocreate_post: yes
autocreate_inbox_folders: Drafts | Sent
autosubscribe_inbox_folders: Drafts | Sent
xlist-drafts: Drafts
xlist-sent: Sent
allowplaintext: yes
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: {folder}/conf/sasldb2
sasl_mech_list: PLAIN LOGIN CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256
tls_server_cert: {folder}/tls/server.pem
tls_server_key: {folder}/tls/server.key
tls_session_timeout: 0
reject8bit: no
munge8bit: no
conversations: no
imapidlepoll: 1
idlesocket: {folder}/sockets/idle
lmtpsocket: {folder}/sockets/lmtp
proc_path: {folder}/conf/proc
skiplist_unsafe: yes
sievedir: {folder}/conf/sieve
"""
CYRUS_CONF = """\
START {{
  recover cmd="{bin}/ctl_cyrusdb -C {folder}/imapd.conf -r"
}}
SERVICES {{
  imap cmd="{bin}/imapd -C {folder}/imapd.conf -U 30" listen="127.0.0.1:{plain_port}" prefork=0 maxchild=50
  imaps cmd="{bin}/imapd -C {folder}/imapd.conf -s -U 30" listen="127.0.0.1:{tls_port}" prefork=0 maxchild=50
}}
EVENTS {{
}}
DAEMON {{
  idled cmd="{bin}/idled -C {folder}/imapd.conf -f"
}}
"""


@dataclass
class Cyrus:
    """`with Cyrus() as server:` gives a running one with plain_port (STARTTLS offered) and tls_port.

    `slashes`: "/" between names, else "."; `beside`: mailboxes stand beside INBOX, else below it.
    """

    users: dict[str, str] = field(default_factory=lambda: {"bob": "secret"})
    slashes: bool = True
    beside: bool = True
    identity: Identity | None = None

    def __enter__(self) -> Self:
        # A short name, since socket paths end at 107 bytes, and a folder that the server's user can enter.
        self.folder = Path(tempfile.mkdtemp(prefix="imaptap-cyrus-", dir=memory()))
        self.folder.chmod(0o755)
        try:
            self._prepare()
            self._launch()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End it and remove its folder."""
        process = getattr(self, "process", None)
        if process is not None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(10)
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self) -> str:
        """What it has written; most it tells the system's log only."""
        return (self.folder / "stderr.log").read_text(errors="replace")[-3000:]

    def _prepare(self) -> None:
        self.root = brought("cyrus", _PROGRAM, self.folder)
        self.plain_port, self.tls_port = free_port(), free_port()
        for name in _FOLDERS.split():
            (self.folder / name).mkdir(parents=True)
        given = self.identity = self.identity or make_identity(self.folder / "own")
        self.ca = given.ca
        (self.folder / "tls").mkdir()
        shutil.copyfile(given.cert, self.folder / "tls" / "server.pem")
        shutil.copyfile(given.key, self.folder / "tls" / "server.key")
        who = account()
        words = {
            "folder": self.folder,
            "user": who.pw_name,
            "bin": (self.root / _PROGRAM).parent,
            "plain_port": self.plain_port,
            "tls_port": self.tls_port,
            "slashes": "yes" if self.slashes else "no",
            "beside": "yes" if self.beside else "no",
        }
        (self.folder / "imapd.conf").write_text(IMAPD_CONF.format(**words))
        (self.folder / "cyrus.conf").write_text(CYRUS_CONF.format(**words))
        for user, password in self.users.items():
            subprocess.run(
                [
                    self.root / "usr/sbin/saslpasswd2",
                    "-p",
                    "-c",
                    "-f",
                    self.folder / "conf/sasldb2",
                    "-u",
                    "tests",
                    user,
                ],
                input=password.encode(),
                check=True,
                capture_output=True,
                env=self._environment(),
            )
        for name in ("conf", "spool", "sockets", "tls"):
            give(self.folder / name, who)

    def _environment(self) -> dict[str, str]:
        plugins = [*self.root.glob("usr/lib/*-linux-gnu/sasl2"), *Path("/").glob("usr/lib/*-linux-gnu/sasl2")]
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "LC_ALL": "C.UTF-8",
            "LD_LIBRARY_PATH": libraries(self.root),
            "SASL_PATH": os.pathsep.join(map(str, plugins)),
        }

    def _launch(self) -> None:
        with (self.folder / "stderr.log").open("ab") as errors:
            self.process = subprocess.Popen(
                [
                    *(self.root / "usr/lib/cyrus/bin/master", "-C", self.folder / "imapd.conf"),
                    *("-M", self.folder / "cyrus.conf", "-p", self.folder / "conf" / "master.pid"),
                ],
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                env=self._environment(),
                cwd=self.folder,
                start_new_session=True,
                **as_account(account()),
            )
        until(self._greets, "Cyrus's greeting", explain=self.log)

    def _greets(self) -> bool:
        if self.process.poll() is not None:
            raise RuntimeError(f"Cyrus ended with {self.process.returncode}:\n{self.log()}")
        return greets(self.plain_port)
