"""Mails as people send them, ready for the wire: no text twice, half Russian and half English, HTML beside the text, some small files."""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from html import escape

from benchmarks.report import ROOT
from channels.email.sandbox.mailbox import Opened
from desk_core.kit.clock import SystemClock

ADDRESS = "support@bench.example"
_POLICY = SMTP.clone(max_line_length=900)
_FILES = tuple(ROOT / "tests" / "data" / name for name in ("dev_200.jsonl", "dev_320.jsonl"))
_OPENING = frozenset({"report", "ask", "complaint"})
"""What opens a request; a letter about something else may be answered without one."""
_ENDINGS = {
    "ru": (
        "Спасибо!",
        "С уважением,",
        "Заранее спасибо, жду ответа.",
        "Это срочно, у нас стоит работа.",
        "Так с понедельника.",
        "Помогите.",
    ),
    "en": ("Thanks!", "Best regards,", "Please call me back.", "This is urgent for us.", "It has been like this since Monday.", "Cheers,"),
}
_NAMES = {
    "ru": ("Анна Крылова", "Пётр Сомов", "Ольга Юрьевна Лебедева", "Тимур Ахметов", "Мария Ким", "Иван Дроздов", "Светлана Зайцева"),
    "en": ("Emma Clark", "John Patel", "Olivia Brandt", "Liam O'Neill", "Sophie Martin", "Jack Novak", "Grace Lindqvist"),
}
_STYLE = (
    "<style>p.MsoNormal{margin:0cm;font-size:11.0pt;font-family:Calibri,sans-serif}a:link{color:#0563C1}"
    "div.WordSection1{page:WordSection1}</style>"
)


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail as it is sent. `wire` is what follows DATA, dots stuffed and ended."""

    sender: str
    to: str
    raw: bytes

    @property
    def wire(self) -> bytes:
        return self.raw.replace(b"\r\n.", b"\r\n..") + b".\r\n"


@dataclass(frozen=True, slots=True)
class _Text:
    text: str
    language: str
    opens: bool


def mails(count: int, *, seed: int) -> list[Letter]:
    """New mails of different people, no text twice: where there are more mails than texts, each has a sentence of its own."""
    return list(_mails(count, seed=seed))


def stream(count: int, *, seed: int) -> Iterator[Letter]:
    """The same, made as they are needed."""
    return _mails(count, seed=seed)


def replies(acknowledgements: Sequence[Opened], *, seed: int) -> list[Letter]:
    """Answers to letters of the desk as mail programs write them: same thread, history quoted, in words that no opening has."""
    chance = random.Random(seed)
    texts = _alternating([one for one in _texts() if not one.opens], chance)
    if len(acknowledgements) > len(texts):
        raise ValueError(f"there are {len(texts)} texts to answer with")
    return [_reply(letter, one, number, chance) for number, (letter, one) in enumerate(zip(acknowledgements, texts, strict=False))]


def mixed(new: Sequence[Letter], answers: Sequence[Letter], *, seed: int) -> list[Letter]:
    """All of them, in an order of chance."""
    every = [*new, *answers]
    random.Random(seed).shuffle(every)
    return every


def _mails(count: int, *, seed: int) -> Iterator[Letter]:
    chance = random.Random(seed)
    texts = _alternating([one for one in _texts() if one.opens], chance)
    for number in range(count):
        one = texts[number % len(texts)]
        detail = "" if count <= len(texts) else f"\n\n{_detail(one.language, number, chance)}"
        yield _letter(one, detail, number, seed, chance)


def _texts() -> list[_Text]:
    rows = [json.loads(line) for path in _FILES for line in path.read_text(encoding="utf-8").splitlines()]
    return [_Text(row["text"], row["language"], row["intent"] in _OPENING) for row in rows]


def _alternating(texts: Sequence[_Text], chance: random.Random) -> list[_Text]:
    russian, english = ([one for one in texts if one.language == language] for language in ("ru", "en"))
    chance.shuffle(russian)
    chance.shuffle(english)
    return [one for pair in zip(russian, english, strict=False) for one in pair]


def _detail(language: str, number: int, chance: random.Random) -> str:
    room, label = chance.randrange(100, 999), f"{chance.randrange(10_000, 99_999)}-{number}"
    if language == "ru":
        return f"Кабинет {room}, инвентарный номер {label}."
    return f"I sit in room {room}, the asset tag is {label}."


def _letter(one: _Text, detail: str, number: int, seed: int, chance: random.Random) -> Letter:
    address = f"person{seed}-{number}@customer{number % 37}.example"
    name, ending = chance.choice(_NAMES[one.language]), chance.choice(_ENDINGS[one.language])
    mail = _begun(name, address, ADDRESS, one.text[:60].split("\n")[0], number)
    phone = f"+7 900 {number % 1000:03d}-{seed % 100:02d}-{number % 100:02d}"
    mail.set_content(f"{one.text}{detail}\n\n{ending}\n-- \n{name}\n{phone}\n")
    body = "".join(f'<p class="MsoNormal">{escape(line)}<o:p></o:p></p>' for line in f"{one.text}{detail}\n{ending}".split("\n") if line)
    signature = f'<table border="0"><tr><td><b>{escape(name)}</b><br><a href="tel:{phone}">{phone}</a></td></tr></table>'
    mail.add_alternative(
        f'<html><head>{_STYLE}</head><body lang="{one.language}"><div class="WordSection1">{body}<br>{signature}</div></body></html>',
        subtype="html",
    )
    if number % 8 == 0:
        mail.add_attachment(
            b"\x89PNG\r\n\x1a\n" + chance.randbytes(chance.randrange(1000, 6000)), maintype="image", subtype="png", filename="снимок.png"
        )
    if number % 20 == 1:
        mail.add_attachment(
            f"{number}: error {chance.getrandbits(64):x}\n".encode() * 40, maintype="text", subtype="plain", filename="app.log"
        )
    return Letter(address, ADDRESS, mail.as_bytes())


def _reply(letter: Opened, one: _Text, number: int, chance: random.Random) -> Letter:
    answered, address = f"<{letter.letter.message_id}>", letter.letter.recipient
    subject = letter.letter.subject if letter.letter.subject.lower().startswith("re:") else f"Re: {letter.letter.subject}"
    mail = _begun(chance.choice(_NAMES[one.language]), address, letter.reply_to, subject, number)
    mail["In-Reply-To"], mail["References"] = answered, f"{letter.references} {answered}".strip()
    when = letter.letter.moment.strftime("%d.%m.%Y %H:%M")
    wrote = f"{when}, {letter.letter.sender} {'пишет' if one.language == 'ru' else 'wrote'}:"
    quoted = "\n".join(f"> {line}" for line in letter.text.split("\n"))
    mail.set_content(f"{one.text}\n\n{wrote}\n{quoted}\n")
    inner = escape(letter.text).replace("\n", "<br>")
    mail.add_alternative(
        f'<p>{escape(one.text)}</p><div class="gmail_quote"><div class="gmail_attr">{escape(wrote)}<br></div>'
        f'<blockquote class="gmail_quote" style="margin:0 0 0 .8ex">{inner}</blockquote></div>',
        subtype="html",
    )
    return Letter(address, letter.reply_to, mail.as_bytes())


def _begun(name: str, address: str, to: str, subject: str, number: int) -> EmailMessage:
    """The head of a mail that has come a way."""
    mail, domain, now = EmailMessage(policy=_POLICY), address.rpartition("@")[2], format_datetime(SystemClock().now())
    mail["Received"] = f"from mx.{domain} (mx.{domain} [192.0.2.{number % 250 + 1}]) by relay.example with ESMTPS id {number:08x}; {now}"
    mail["Received"] = f"from [198.51.100.{number % 250 + 1}] (helo=pc-{number}) by mx.{domain} with esmtpsa; {now}"
    mail["From"] = f'"{name}" <{address}>'
    mail["To"], mail["Subject"], mail["Date"] = to, subject, now
    mail["Message-ID"] = make_msgid(domain=domain)
    mail["X-Mailer"], mail["Thread-Index"] = "Microsoft Outlook 16.0", f"AQHb{number:012x}=="
    return mail
