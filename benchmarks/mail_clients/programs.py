"""The programs that write: Python's smtplib, swaks, mutt and s-nail, each as a person who reports something and answers a letter."""

import os
import pty
import select
import shlex
import shutil
import signal
import smtplib
import ssl
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, make_msgid
from pathlib import Path
from typing import Protocol

from channels.email.sandbox.mailbox import Opened

DOMAIN = "clients.example"
_WIRE = SMTP.clone(max_line_length=900)  # long Message-IDs must not be folded into encoded words
_PATIENCE = 60.0


class Failed(Exception):
    """A program did not send; in its own words."""


@dataclass(frozen=True, slots=True)
class Report:
    """What somebody writes first."""

    subject: str
    text: str
    file: tuple[str, bytes] | None = None


@dataclass(frozen=True, slots=True)
class Listener:
    """Where the desk takes mail, and the certificates to believe."""

    smtp: int
    lmtp: int
    desk: str
    authority: Path


class Client(Protocol):
    """Somebody at a mail program. `program` has to be on the path and comes in the Debian package `package`; empty: nothing needed."""

    name: str
    address: str
    program: str
    package: str

    def writes(self, report: Report) -> None:
        """Raises `Failed`."""

    def replies(self, letter: Opened, text: str) -> None:
        """Raises `Failed`."""


def is_there(client: Client) -> bool:
    """Whether the program is installed, with the library it needs for what it is to do."""
    if not client.program:
        return True
    if shutil.which(client.program) is None:
        return False
    return "--tls" not in getattr(client, "_options", ()) or _can_encrypt()


def _can_encrypt() -> bool:
    """Whether Perl, in which swaks is written, has its library for TLS."""
    return subprocess.run(["perl", "-MNet::SSLeay", "-e1"], capture_output=True, check=False).returncode == 0


class Library:
    """Python's own mail classes; `deliver` takes the bytes wherever they go."""

    program = package = ""

    def __init__(self, name: str, address: str, desk: str, deliver: Callable[[bytes], None]) -> None:
        self.name, self.address, self._desk, self._deliver = name, address, desk, deliver
        self.sent: list[str] = []
        """Message-IDs, without brackets."""

    def writes(self, report: Report) -> None:
        mail = self._mail(self._desk, report.subject, report.text)
        if report.file is not None:
            name, content = report.file
            mail.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
        self._deliver(mail.as_bytes())

    def replies(self, letter: Opened, text: str) -> None:
        quoted = "\n".join(f"> {line}" for line in letter.text.split("\n"))
        mail = self._mail(letter.reply_to, f"Re: {letter.letter.subject}", f"{text}\n\n{letter.letter.sender} wrote:\n{quoted}")
        answered = f"<{letter.letter.message_id}>"
        mail["In-Reply-To"] = answered
        mail["References"] = f"{letter.references} {answered}".strip()
        self._deliver(mail.as_bytes())

    def _mail(self, to: str, subject: str, text: str) -> EmailMessage:
        mail = EmailMessage(policy=_WIRE)
        mail["From"] = f"Анна Орлова <{self.address}>"
        mail["To"] = to
        mail["Subject"] = subject
        mail["Date"] = formatdate(localtime=True)
        self.sent.append(make_msgid(domain=DOMAIN).strip("<>"))
        mail["Message-ID"] = f"<{self.sent[-1]}>"
        mail.set_content(text)
        return mail


def smtplib_to(listener: Listener, sender: str, *, tls: bool) -> Callable[[bytes], None]:
    """Hands bytes to the listener, after STARTTLS with a verified certificate where wanted."""

    def deliver(raw: bytes) -> None:
        try:
            with smtplib.SMTP("localhost", listener.smtp, timeout=30) as client:
                if tls:
                    client.starttls(context=ssl.create_default_context(cafile=str(listener.authority)))
                client.sendmail(sender, [listener.desk], raw)
        except (OSError, smtplib.SMTPException) as error:
            raise Failed(f"{type(error).__name__}: {error}") from error

    return deliver


class Swaks:
    """The tester's tool; what it sends is written as simply as such tools do: eight bits as they are, names of files unencoded."""

    program, package = "swaks", "swaks libnet-ssleay-perl"

    def __init__(
        self, name: str, address: str, listener: Listener, folder: Path, *, options: Sequence[str], charset: str = "utf-8"
    ) -> None:
        self.name, self.address, self._listener, self._folder = name, address, listener, folder
        self._options, self._charset = options, charset

    def writes(self, report: Report) -> None:
        self._send(self._listener.desk, report.subject, report.text, {}, report.file)

    def replies(self, letter: Opened, text: str) -> None:
        answered = f"<{letter.letter.message_id}>"
        thread = {"In-Reply-To": answered, "References": f"{letter.references} {answered}".strip()}
        self._send(letter.reply_to, f"Re: {letter.letter.subject}", text, thread, None)

    def _send(self, to: str, subject: str, text: str, thread: Mapping[str, str], file: tuple[str, bytes] | None) -> None:
        body = self._folder / "body.txt"
        body.write_bytes(text.encode(self._charset))
        kind = f"text/plain; charset={self._charset}"
        headers = {
            "Message-ID": make_msgid(domain=DOMAIN),
            "Subject": subject if self._charset == "utf-8" else Header(subject, self._charset).encode(),
            **thread,
        }
        if file is None:
            headers |= {"MIME-Version": "1.0", "Content-Type": kind, "Content-Transfer-Encoding": "8bit"}
            content = ["--body", f"@{body}"]
        else:
            name, data = file
            attached = self._folder / "attached.bin"
            attached.write_bytes(data)
            content = ["--attach-type", kind, "--attach-body", f"@{body}", "--attach-type", "application/octet-stream"]
            content += ["--attach-name", name, "--attach", f"@{attached}"]
        told = [word for name, value in headers.items() for word in ("--header", f"{name}: {value}")]
        who = ["--from", self.address, "--to", to, "--h-From", f"Анна Орлова <{self.address}>"]
        _run(["swaks", "--server", "127.0.0.1", *self._options, *who, *told, *content], self._folder)


class Mutt:
    """In batch mode for the report; the answer is given in its window, with its own reply to a letter that lies in a mailbox."""

    program, package = "mutt", "mutt"

    def __init__(self, name: str, address: str, listener: Listener, folder: Path) -> None:
        self.name, self.address, self._desk, self._folder = name, address, listener.desk, folder
        self._settings = folder / "muttrc"
        self._settings.write_text(
            f'set realname="Анна Орлова"\nset from="{address}"\nset use_from=yes\nset hostname={DOMAIN}\n'
            f'set smtp_url="smtp://localhost:{listener.smtp}"\nset ssl_starttls=yes\nset ssl_force_tls=yes\n'
            f'set ssl_ca_certificates_file="{listener.authority}"\nset charset=utf-8\nset send_charset="us-ascii:utf-8"\n'
            'set copy=no\nset record=""\nset fast_reply=yes\nset reply_to=yes\nset include=yes\nset abort_unmodified=no\nset autoedit=no\n'
            f'set editor="{folder / "editor"}"\nset folder="{folder}"\nset quit=yes\nset move=no\nset beep=no\n',
            encoding="utf-8",
        )

    def writes(self, report: Report) -> None:
        command = ["mutt", "-F", str(self._settings), "-s", report.subject]
        if report.file is not None:
            name, content = report.file
            (self._folder / name).write_bytes(content)
            command += ["-a", str(self._folder / name)]
        _run([*command, "--", self._desk], self._folder, told=report.text)

    def replies(self, letter: Opened, text: str) -> None:
        answer, editor = self._folder / "answer.txt", self._folder / "editor"
        answer.write_text(f"{text}\n\n", encoding="utf-8")
        editor.write_text(f'#!/bin/sh\ncat {shlex.quote(str(answer))} "$1" > "$1.new" && cat "$1.new" > "$1" && rm "$1.new"\n')
        editor.chmod(0o755)
        command = ["mutt", "-F", str(self._settings), "-f", str(_mbox(self._folder, letter))]
        _in_a_window([*command, "-e", 'push "<reply><send-message><quit>"'], self._folder)


class SNail:
    """mailx of today: both by its command line, the answer with its own `reply`."""

    program, package = "s-nail", "s-nail"

    def __init__(self, name: str, address: str, listener: Listener, folder: Path) -> None:
        self.name, self.address, self._desk, self._folder = name, address, listener.desk, folder
        settings = {
            "v15-compat": "yes", "mta": f"smtp://localhost:{listener.smtp}", "smtp-auth": "none", "smtp-use-starttls": "yes",
            "tls-ca-file": str(listener.authority), "tls-ca-no-defaults": "yes", "tls-verify": "strict", "from": f"Анна Орлова <{address}>",
            "hostname": DOMAIN, "ttycharset": "utf-8", "sendcharsets": "utf-8", "quote": "yes", "fullnames": "yes",
            "reply-to-honour": "yes", "sendwait": "yes", "expandaddr": "yes",
        }  # fmt: skip
        self._settings = [word for name, value in settings.items() for word in ("-S", f"{name}={value}")]

    def writes(self, report: Report) -> None:
        command = ["s-nail", "-:/", *self._settings, "-s", report.subject]
        if report.file is not None:
            name, content = report.file
            (self._folder / name).write_bytes(content)
            command += ["-a", str(self._folder / name)]
        _run([*command, self._desk], self._folder, told=report.text)

    def replies(self, letter: Opened, text: str) -> None:
        command = ["s-nail", "-:/", "-#", *self._settings, "-R", "-f", str(_mbox(self._folder, letter))]
        _run(command, self._folder, told=f"reply 1\n{text}\n~.\nexit\n")


def _mbox(folder: Path, letter: Opened) -> Path:
    """The letter as it lies in a person's mailbox."""
    path = folder / "mbox"
    raw = letter.raw.replace(b"\r\n", b"\n").replace(b"\nFrom ", b"\n>From ")
    path.write_bytes(b"From desk@localhost Mon Nov 23 09:00:00 2026\n" + raw + b"\n")
    return path


def _surroundings(folder: Path) -> dict[str, str]:
    """Nothing of whoever runs this: no settings, no language, no history."""
    return {**os.environ, "HOME": str(folder), "LC_ALL": "C.UTF-8", "TERM": "xterm", "MAILRC": "/dev/null"}


def _run(command: Sequence[str], folder: Path, *, told: str | None = None) -> str:
    try:
        done = subprocess.run(
            command, cwd=folder, env=_surroundings(folder), input=(told or "").encode(), capture_output=True, timeout=_PATIENCE, check=False
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise Failed(f"{command[0]} did not end within {_PATIENCE:g} s") from error
    said = (done.stdout + done.stderr).decode("utf-8", "replace")
    if done.returncode:
        raise Failed(f"{command[0]} ended with {done.returncode}: {' '.join(said.split())[-400:]}")
    return said


def _in_a_window(command: Sequence[str], folder: Path) -> None:
    """Run a program that wants a terminal, in one that nobody looks at."""
    child, terminal = pty.fork()
    if child == 0:
        try:
            os.chdir(folder)
            os.execvpe(command[0], list(command), _surroundings(folder))  # noqa: S606 - no shell is the point
        finally:
            os._exit(127)
    shown, end = b"", time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        readable, _, _ = select.select([terminal], [], [], 1.0)
        if not readable:
            continue
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # how Linux says that the other side is gone
            break
        if not piece:
            break
        shown += piece
    else:
        os.kill(child, signal.SIGKILL)
    os.close(terminal)
    _, status = os.waitpid(child, 0)
    if status:
        raise Failed(f"{command[0]} ended with {status}: {' '.join(shown.decode('utf-8', 'replace').split())[-400:]}")
