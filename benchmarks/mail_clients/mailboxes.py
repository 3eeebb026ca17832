"""Mailboxes on real IMAP servers: Dovecot from a configuration of its own, and pymap."""

import grp
import os
import pwd
import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from imap_tools import A, BaseMailBox, H, MailBox, MailBoxStartTls, MailMessageFlags
from imap_tools.errors import ImapToolsError

from benchmarks.mail_clients.programs import Failed
from tests.services.certificates import Signed
from tests.services.process import UNPRIVILEGED, Watched, free_port

PASSWORD = "pässwörd"  # not ASCII: logging in has another way for it
SEEN = MailMessageFlags.SEEN
_SESSION = re.compile(r"imap\((?P<user>[^)<]+)\).*body_count=(?P<bodies>\d+)")


@dataclass(frozen=True, slots=True)
class Box:
    """A mailbox as its owner sees it. `folder` is where people's mail arrives."""

    scheme: str
    port: int
    user: str
    password: str
    authority: Path
    folder: str = "INBOX"

    @property
    def url(self) -> str:
        """What an inbox of the desk is given."""
        return f"{self.scheme}://{self.user}:{self.password}@127.0.0.1:{self.port}/"

    def prepare(self) -> None:
        """Make the folder where it is missing."""
        with self._opened() as mailbox:
            if not mailbox.folder.exists(self.folder):
                mailbox.folder.create(self.folder)

    def put(self, raw: bytes) -> None:
        """Deliver a mail; raises `Failed`."""
        try:
            with self._opened() as mailbox:
                mailbox.append(raw, self.folder)
        except (ImapToolsError, OSError) as error:
            raise Failed(f"{type(error).__name__}: {error}") from error

    def place(self, message_id: str) -> str:
        """Where a mail lies and how it is marked: `INBOX unseen`, `Архив seen`, or `gone`."""
        with self._opened() as mailbox:
            found: list[str] = []
            for folder in mailbox.folder.list():
                mailbox.folder.set(folder.name, readonly=True)
                mails = mailbox.fetch(A(header=H("Message-ID", message_id)), mark_seen=False, headers_only=True)
                found += [f"{folder.name} {'seen' if SEEN in mail.flags else 'unseen'}" for mail in mails]
        return ", ".join(found) or "gone"

    @contextmanager
    def _opened(self) -> Iterator[BaseMailBox]:
        trust = ssl.create_default_context(cafile=str(self.authority))
        kind = MailBox if self.scheme == "imaps" else MailBoxStartTls
        with kind("127.0.0.1", self.port, timeout=20, ssl_context=trust).login_utf8(self.user, self.password) as mailbox:
            yield mailbox


def why_no_dovecot() -> str:
    """Why Dovecot cannot be asked, in words; empty where it can."""
    program = _dovecot()
    if program is None:
        return "not there (apt-get install dovecot-imapd)"
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout.split()
    # Configurations of 2.4 are written otherwise.
    return "" if version and version[0].startswith("2.3.") else f"not there: Dovecot 2.3 is wanted, this is {' '.join(version[:1])}"


def _dovecot() -> str | None:
    return shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


class Dovecot:
    """A Dovecot on a loopback port, TLS from the first byte, mail in Maildirs under `folder`. It runs as root or as anybody."""

    def __init__(self, folder: Path, signed: Signed, users: list[str]) -> None:
        self.port, self._log = free_port(), folder / "dovecot.log"
        self._stopped = False
        root = os.geteuid() == 0
        owner = pwd.getpwnam(UNPRIVILEGED) if root else pwd.getpwuid(os.geteuid())
        mail = folder / "mail"
        mail.mkdir(parents=True)
        if root:
            os.chown(mail, owner.pw_uid, owner.pw_gid)
            for parent in (folder, *folder.parents):
                if parent.name.startswith("priyom-"):
                    parent.chmod(0o755)  # the owner of the Maildirs has to reach them
        (folder / "users").write_text("".join(f"{user}:{{PLAIN}}{PASSWORD}\n" for user in users), encoding="utf-8")
        ours = "" if root else f"default_internal_user = {owner.pw_name}\ndefault_login_user = {owner.pw_name}\n"
        ours += "" if root else f"default_internal_group = {grp.getgrgid(owner.pw_gid).gr_name}\n"
        loose = "" if root else "service anvil {\n  chroot =\n}\n"
        settings = folder / "dovecot.conf"
        settings.write_text(
            f"protocols = imap\nlisten = 127.0.0.1\nbase_dir = {folder / 'run'}\nstate_dir = {folder / 'state'}\n"
            f'log_path = {self._log}\nlog_timestamp = "%s "\n{ours}{loose}'
            f"ssl = required\nssl_cert = <{signed.certificate}\nssl_key = <{signed.key}\n"
            f"service imap-login {{\n  chroot =\n  inet_listener imap {{\n    port = 0\n  }}\n"
            f"  inet_listener imaps {{\n    port = {self.port}\n    ssl = yes\n  }}\n}}\n"
            f"passdb {{\n  driver = passwd-file\n  args = {folder / 'users'}\n}}\n"
            f"userdb {{\n  driver = static\n  args = uid={owner.pw_uid} gid={owner.pw_gid} home={mail}/%u\n}}\n"
            "mail_location = maildir:~/Maildir\nfirst_valid_uid = 1\nfirst_valid_gid = 1\n",
            encoding="utf-8",
        )
        self._server = Watched([_dovecot() or "dovecot", "-F", "-c", str(settings)], log=folder / "dovecot.out")
        self._server.wait_until(self._ready, seconds=20)

    def bodies(self, user: str) -> int:
        """How many whole mails were fetched by this user's sessions that have ended; asked after `stop`."""
        found = _SESSION.finditer(self._log.read_text(encoding="utf-8", errors="replace"))
        return sum(int(session["bodies"]) for session in found if session["user"] == user)

    def stop(self) -> None:
        self._server.stop(seconds=10)

    def _ready(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False
