"""The mails of the mail modes: who writes what, which way it comes, and what the desk has to make of it. Pure, but for chance."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from enum import StrEnum

from benchmarks.chaos.desks import MAILBOX, SUPPORT
from benchmarks.turn import PROBLEMS

ENDINGS = ("Спасибо!", "С уважением, Анна", "Best regards, Emma", "Это срочно, у нас стоит работа.", "It has been like this since Monday.")
MORE = (
    "и ещё это случилось вчера",
    "HP LaserJet 1020",
    "вся бухгалтерия не может работать",
    "room 305, second floor",
    "it is still broken",
)
HEAVY = 320 * 1024
"""Bytes of a large attachment: such a mail is read in a thread and kept outside the store."""


class Kind(StrEnum):
    """What a mail is, and so what becomes of it."""

    FIRST = "first"  # a request and its acknowledgement
    REPLY = "reply"  # stands in the request that it answers
    ROBOT = "robot"  # kept and never answered
    VACATION = "vacation"  # a person's program answers the acknowledgement: the same
    BOUNCE = "bounce"  # a mail server reports; the same


class Copy(StrEnum):
    """How one Message-ID comes more than once."""

    NONE = ""
    TWICE = "twice"  # the same way
    BOTH_AT_ONCE = "both at once"  # by SMTP, in one transaction with two recipients
    BOTH_APART = "both apart"  # by SMTP for the one inbox, and put into the mailbox of the other
    BOTH_WAYS = "both ways"  # put into the mailbox, and by SMTP for the same inbox


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail. `moment` is when it is sent, as a share of the time that mails come in."""

    number: int
    kind: Kind
    fetched: bool  # it lies in the mailbox; otherwise the listener gets it
    moment: float
    sender: str
    answers: "Letter | None" = None
    to_acknowledgement: bool = False
    copy: Copy = Copy.NONE

    @property
    def message_id(self) -> str:
        return f"{self.kind}.{self.number}@customer.example"

    @property
    def marker(self) -> str:
        return f"метка n{self.number:04d}"

    @property
    def addressed(self) -> tuple[str, ...]:
        """The recipients of its envelope where it comes by SMTP."""
        if self.copy is Copy.BOTH_AT_ONCE:
            return SUPPORT, MAILBOX
        return (MAILBOX,) if self.copy is Copy.BOTH_WAYS else (SUPPORT,)

    @property
    def by_smtp(self) -> int:
        """How many times it is offered to the listener."""
        if self.fetched:
            return int(self.copy in (Copy.BOTH_WAYS, Copy.BOTH_APART))
        return 2 if self.copy is Copy.TWICE else 1

    @property
    def by_imap(self) -> int:
        """How many times it is put into the mailbox."""
        return (2 if self.copy is Copy.TWICE else 1) if self.fetched else 0

    @property
    def inboxes(self) -> tuple[str, ...]:
        """The inboxes that have to hold it, each once."""
        if self.copy is Copy.BOTH_APART:
            return SUPPORT, MAILBOX
        return (MAILBOX,) if self.fetched else (SUPPORT,)


def letters(count: int, rng: random.Random) -> list[Letter]:
    """So many different mails, half of them each way: a quarter replies, one in fourteen from machines, one in twelve more than once."""
    return [*_one_way(0, count // 2, rng, fetched=False), *_one_way(count // 2, count, rng, fetched=True)]


def _one_way(begin: int, end: int, rng: random.Random, *, fetched: bool) -> Iterator[Letter]:
    total = end - begin
    robots, vacations, bounces, replies = total // 30, max(1, total // 60), max(2, total // 50), total // 4
    firsts = []
    for number in range(begin, end - robots - vacations - bounces - replies):
        copy = (
            rng.choice((Copy.TWICE, Copy.BOTH_APART, Copy.BOTH_WAYS if fetched else Copy.BOTH_AT_ONCE))
            if rng.random() < 1 / 9
            else Copy.NONE
        )
        if copy is Copy.BOTH_APART and not fetched:
            copy = Copy.BOTH_AT_ONCE  # those that come apart are counted with the mailbox
        firsts.append(Letter(number, Kind.FIRST, fetched, rng.random() * 0.9, f"person{number}@customer{number % 7}.example", copy=copy))
    yield from firsts
    number = end - robots - vacations - bounces - replies
    # Different people, so that whoever is away has one letter from the desk, which a second one would show.
    answered = rng.sample(firsts, replies + vacations + bounces // 2)
    for place, kind in enumerate([Kind.REPLY] * replies + [Kind.VACATION] * vacations + [Kind.BOUNCE] * bounces + [Kind.ROBOT] * robots):
        about = answered[place] if place < len(answered) else None
        sender = {
            Kind.BOUNCE: f"MAILER-DAEMON@mx{number}.example",
            Kind.ROBOT: f"robot{number}@machine.example",
        }.get(kind) or (about.sender if about else "")
        yield Letter(
            number, kind, fetched, max(about.moment if about else 0.0, rng.random() * 0.9), sender, answers=about,
            to_acknowledgement=kind is not Kind.REPLY or rng.random() < 0.6,
            copy=Copy.TWICE if kind is Kind.REPLY and rng.random() < 1 / 20 else Copy.NONE,
        )  # fmt: skip
        number += 1


def write(letter: Letter, *, answered: str | None, reply_to: str | None) -> bytes:
    """The mail as it goes over the wire; `answered` is the Message-ID of what it answers, `reply_to` where that wants its answers."""
    rng = random.Random(letter.number)
    if letter.kind is Kind.BOUNCE:
        return _report(letter, rng, answered, to=reply_to or letter.inboxes[0])
    mail = _mail(letter, rng)
    mail["From"] = f"Человек {letter.number} <{letter.sender}>"
    mail["To"] = reply_to or ", ".join(dict.fromkeys((*letter.inboxes, *letter.addressed)) if letter.copy else letter.inboxes)
    mail["Message-ID"] = f"<{letter.message_id}>"
    if answered:
        mail["In-Reply-To"] = mail["References"] = f"<{answered}>"
    return mail.as_bytes()


def _mail(letter: Letter, rng: random.Random) -> EmailMessage:
    mail = EmailMessage(policy=SMTP)
    problem = PROBLEMS[letter.number % len(PROBLEMS)]
    said = rng.choice(MORE) if letter.kind is Kind.REPLY else problem
    text = f"{said} ({letter.marker}).\n\n{rng.choice(ENDINGS)}\n-- \nТел. +7 900 123-45-{letter.number % 100:02d}\n"
    match letter.kind:
        case Kind.VACATION:
            mail["Subject"], mail["Auto-Submitted"] = "Автоответ: меня нет на месте", "auto-replied"
        case Kind.ROBOT if letter.number % 2:
            mail["Subject"], mail["List-Id"] = "Новости недели", "<news.machine.example>"
        case Kind.ROBOT:
            mail["Subject"], mail["Auto-Submitted"] = "Disk almost full", "auto-generated"
        case Kind.REPLY:
            mail["Subject"] = f"Re: {problem[:40]}"
        case _:
            mail["Subject"] = problem[:40]
    page = f"<html><body><p>{said} ({letter.marker}).</p><p>{rng.choice(ENDINGS)}</p></body></html>"
    shape = rng.random()
    if shape < 0.15:
        mail.set_content(page, subtype="html")
    else:
        mail.set_content(text, charset="koi8-r" if shape > 0.9 else "utf-8")
    if 0.15 <= shape < 0.45:
        mail.add_alternative(page, subtype="html")
    if letter.kind in (Kind.FIRST, Kind.REPLY) and rng.random() < 0.08:
        size = HEAVY if rng.random() < 0.2 else rng.randrange(500, 20_000)
        mail.add_attachment(
            b"\x89PNG\r\n\x1a\n" + rng.randbytes(size), maintype="image", subtype="png", filename=f"снимок-{letter.number}.png"
        )
    return mail


_REPORT = """\
From: Mail Delivery System <{sender}>
To: {to}
Subject: {subject}
Message-ID: <{message_id}>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="=_report"

--=_report
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

This is the mail system ({marker}).

<{address}>: host unreachable

--=_report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx{number}.example

Final-Recipient: rfc822; {address}
Action: {action}
Status: {code}
Diagnostic-Code: smtp; {code} {words}

--=_report
Content-Type: text/rfc822-headers

Message-ID: <{returned}>
To: {address}

--=_report--
"""


def _report(letter: Letter, rng: random.Random, answered: str | None, *, to: str) -> bytes:
    """What a mail server writes about a letter that waits or could not be delivered (RFC 3464)."""
    waits = letter.answers is not None  # about a letter of the desk; it will arrive yet, so the request is not touched
    text = _REPORT.format(
        sender=letter.sender, to=to, message_id=letter.message_id, marker=letter.marker, number=letter.number,
        subject="Warning: message delayed" if waits else "Undelivered Mail Returned to Sender",
        address=letter.answers.sender if letter.answers else f"gone{letter.number}@nowhere.example",
        action="delayed" if waits else "failed", code="4.4.1" if waits else "5.1.1", words=rng.choice(("no route", "not there")),
        returned=answered or f"unknown.{letter.number}@elsewhere.example",
    )  # fmt: skip
    return text.replace("\n", "\r\n").encode()
