"""`make mail-clients`: real mail programs write to a real desk and answer it; a real desk fetches from real mailboxes.

Every client is a row of things that were looked at; one that is not installed is a row that is not met. What was otherwise is told
above the table. Exit 0 when it ran. All of them: apt-get install swaks libnet-ssleay-perl mutt s-nail dovecot-imapd
"""

import argparse
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks import report, running
from benchmarks.mail_clients.mailboxes import PASSWORD, Box, Dovecot, why_no_dovecot
from benchmarks.mail_clients.programs import Client, Library, Listener, Mutt, Report, SNail, Swaks, is_there, smtplib_to
from benchmarks.mail_clients.store import Store
from benchmarks.mail_clients.talks import FETCHED, FETCHED_MAILS, ONCE, TALK, FetchedTalk, Judged, Talk
from benchmarks.report import Row
from benchmarks.running import RunningDesk
from desk_core.kit.clock import SystemClock
from tests.services.certificates import Authority, Signed
from tests.services.imap import ImapServer
from tests.services.process import free_port

DESK = "support@desk.example"
DOMAIN = "clients.example"
FILE = ("Снимок экрана № 5.png", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20)
PROBLEMS = (
    ("Не печатает принтер на третьем этаже", "Здравствуйте!\n\nПринтер мигает и не печатает."),
    ("Пропал доступ к общей папке", "Добрый день.\n\nПапка «Договоры» говорит, что доступ запрещён."),
    ("Зависает ноутбук после обновления", "Ноутбук зависает через пять минут.\n\nВчера было обновление."),
    ("Нет звука в переговорной", "В переговорной нет звука,\n\nсовещание через час."),
    ("Не открывается почта в браузере", "Почта в браузере не открывается.\n\nВ телефоне работает."),
    ("Сканер не видит сеть", "Сканер пишет, что сети нет.\n\nКабель на месте."),
    ("Не работает VPN из дома", "VPN из дома не подключается.\n\nОшибка 809."),
)
FATES = (("seen", "INBOX", "INBOX seen"), ("move:Архив", "Заявки", "Архив seen"), ("delete", "INBOX", "gone"))
"""What the inbox does afterwards, the folder it watches, and where a mail is then."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A mailbox that an inbox of the desk fetches."""

    server: str
    number: int
    box: Box

    @property
    def inbox(self) -> str:
        return inbox_of(self.server, self.number)

    @property
    def name(self) -> str:
        return f"{self.server}, {FATES[self.number][0]}"

    @property
    def address(self) -> str:
        """The desk's."""
        return f"{self.inbox}@desk.example"


@dataclass(frozen=True, slots=True)
class Missing:
    """A client that is not there, and what to do."""

    name: str
    why: str
    checks: int


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mail_clients", description=__doc__)
    parser.add_argument("--only", default="", help="only clients whose name contains this")
    chosen = parser.parse_args(arguments)
    started_at = SystemClock().now()
    with running.folder("mail-clients") as folder, ExitStack() as stack:
        judged, missing = play(folder, stack, chosen.only)
    for one in judged:
        for what, complaint in one.found.items():
            if complaint:
                print(f"{one.name}: {what}: {complaint}")
    rows = [
        *(Row.of(one.name, sum(not words for words in one.found.values()), "checks", at_least=len(one.found)) for one in judged),
        *(Row.of(f"{one.name}: {one.why}", 0, "checks", at_least=one.checks) for one in missing),
        *(Row.of(f"{one.name}: from the mailbox to the request", one.seconds, "s") for one in judged if one.seconds is not None),
    ]
    print(f"\n{report.table(rows)}")
    path = report.write("mail-clients", rows, started_at=started_at)
    print(f"\n{sum(row.met is False for row in rows)} aims missed; {path.relative_to(report.ROOT)}")
    return 0


def play(folder: Path, stack: ExitStack, only: str) -> tuple[list[Judged], list[Missing]]:
    """What was seen of each client that is there, and those that are not."""
    certificates = folder / "certificates"
    certificates.mkdir()
    signed = Authority(certificates).signs("localhost", "127.0.0.1", self_signed=True)
    lmtp = free_port()
    settings = {
        "PRIYOM_SMTP__LMTP_PORT": str(lmtp),
        "PRIYOM_SMTP__TLS_CERT": str(signed.certificate),
        "PRIYOM_SMTP__TLS_KEY": str(signed.key),
        "SSL_CERT_FILE": str(signed.certificate),  # what the desk believes when it fetches
    }
    desk = RunningDesk(folder, encoder=False, env=settings)
    print("making a desk ...", file=sys.stderr, flush=True)
    desk.make()
    desk.priyom("inbox", "add", "email", "--name", "support", "--address", DESK)
    writing = [one for one in clients(Listener(desk.smtp, lmtp, DESK, signed.certificate), folder) if only in one.name]
    missing = [Missing(one.name, f"not there (apt-get install {one.package})", len(TALK)) for one in writing if not is_there(one)]
    why = why_no_dovecot()
    dovecot = None if why else Dovecot(folder / "dovecot", signed, [inbox_of("Dovecot", number) for number in range(len(FATES))])
    if dovecot is None:
        absent = [Missing(f"Dovecot, {after}", why, len(TALK) + len(FETCHED) + 1) for after, _, _ in FATES]
        missing += [one for one in absent if only in one.name]
    else:
        stack.callback(dovecot.stop)
    boxes = [one for one in mailboxes(dovecot, signed, stack) if only in one.name]
    for one in boxes:
        one.box.prepare()
        desk.priyom(
            "inbox", "add", "email", "--name", one.inbox, "--address", one.address, "--imap-url", one.box.url,
            "--imap-folder", one.box.folder, "--imap-after", FATES[one.number][0],
        )  # fmt: skip
    desk.start()
    stack.callback(desk.stop)
    store = Store(desk)
    judged = [
        told(Talk(one, desk, store, Report(*PROBLEMS[number % len(PROBLEMS)], file=FILE)))
        for number, one in enumerate(writing)
        if is_there(one)
    ]
    fetched = {one.inbox: told(fetched_talk(one, desk, store)) for one in boxes}
    desk.stop()
    if dovecot is not None:
        dovecot.stop()  # its sessions have ended, and it has told of each what was fetched
        for one in boxes:
            if one.server == "Dovecot":
                count = dovecot.bodies(one.inbox)
                fetched[one.inbox].note(ONCE, "" if count == FETCHED_MAILS else f"{count} times for {FETCHED_MAILS} mails")
    return [*judged, *fetched.values()], missing


def clients(listener: Listener, folder: Path) -> list[Client]:
    """Everybody who writes to the listener, each from an address and in a folder of their own."""

    def own(key: str) -> Path:
        place = folder / key
        place.mkdir()
        return place

    def at(key: str) -> str:
        return f"{key}@{DOMAIN}"

    smtp, lmtp = ("--port", str(listener.smtp)), ("--protocol", "LMTP", "--port", str(listener.lmtp))
    verified = ("--tls", "--tls-verify", "--tls-ca-path", str(listener.authority))
    return [
        Library("smtplib, SMTP", at("smtp"), DESK, smtplib_to(listener, at("smtp"), tls=False)),
        Library("smtplib, STARTTLS", at("starttls"), DESK, smtplib_to(listener, at("starttls"), tls=True)),
        Swaks("swaks, SMTP, UTF-8 as it is", at("swaks"), listener, own("swaks"), options=smtp),
        Swaks(
            "swaks, STARTTLS, KOI8-R in 8 bits", at("swaks-tls"), listener, own("swaks-tls"), options=(*smtp, *verified), charset="koi8-r"
        ),
        Swaks("swaks, LMTP", at("swaks-lmtp"), listener, own("swaks-lmtp"), options=lmtp),
        Mutt("mutt, STARTTLS", at("mutt"), listener, own("mutt")),
        SNail("s-nail, STARTTLS", at("s-nail"), listener, own("s-nail")),
    ]


def mailboxes(dovecot: Dovecot | None, signed: Signed, stack: ExitStack) -> list[Fetched]:
    """A mailbox for everything that may be done afterwards, on each server that is there."""
    found = []
    for number, (_after, folder, _lies) in enumerate(FATES):
        if dovecot is not None:
            box = Box("imaps", dovecot.port, inbox_of("Dovecot", number), PASSWORD, signed.certificate, folder)
            found.append(Fetched("Dovecot", number, box))
    for number, (_after, folder, _lies) in enumerate(FATES):
        server = ImapServer(certificate=(signed.certificate, signed.key))
        stack.callback(server.remove)
        found.append(Fetched("pymap", number, Box("imap+starttls", server.port, "demouser", "demopass", signed.certificate, folder)))
    return found


def inbox_of(server: str, number: int) -> str:
    return f"{server.lower()}{number}"


def fetched_talk(one: Fetched, desk: RunningDesk, store: Store) -> FetchedTalk:
    client = Library(one.name, f"of-{one.inbox}@{DOMAIN}", one.address, one.box.put)
    subject, text = PROBLEMS[one.number]
    return FetchedTalk(client, desk, store, Report(subject, text, FILE), box=one.box, lies=FATES[one.number][2])


def told(talk: Talk) -> Judged:
    """Play it, and say that it is over."""
    judged = talk.play()
    print(f"{judged.name}: {'as it should' if not any(judged.found.values()) else 'not as it should'}", file=sys.stderr, flush=True)
    return judged


if __name__ == "__main__":
    sys.exit(main())
