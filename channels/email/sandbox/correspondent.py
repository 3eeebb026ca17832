"""A pretend customer with a mailbox: writes and replies over real SMTP, reads what the desk sent."""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from html import escape

from channels.email.sandbox.mailbox import MailSandbox, Opened
from desk_core.kit.clock import Clock, SystemClock
from desk_core.kit.ids import new_id

Attachment = tuple[str, str, bytes]  # (name, content type, content)
# Long Message-IDs must not be folded into encoded words.
AWAY = "I am out of the office until Monday.\n\nЯ не на работе до понедельника."
_LONGEST_NAME = 200
"""A mail shows no longer one, and the library folds a thousand letters in two seconds, four thousand in thirteen."""
_POLICY = SMTP.clone(max_line_length=900)


class NothingHeard(AssertionError):
    """No letter came in time."""


class Correspondent:
    """Somebody who writes to the desk from one address. `smtp` is the desk's own listener, `desks` are its addresses.

    Mail to their domains goes there, mail to others into their mailboxes; where none are given, all goes there.
    """

    def __init__(
        self,
        address: str,
        *,
        sandbox: MailSandbox,
        smtp: tuple[str, int],
        desk: str = "",
        desks: Collection[str] = (),
        name: str = "",
        clock: Clock | None = None,
    ) -> None:
        self.address, self.desk, self.name, self._domains = address, desk, name, {_domain(one) for one in desks}
        self._sandbox, self._smtp, self._clock = sandbox, smtp, clock or SystemClock()
        self._heard: set[str] = set()

    async def writes(
        self,
        subject: str,
        text: str,
        *attachments: Attachment,
        to: str | None = None,
        cc: Sequence[str] = (),
        html: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> str:
        """Send a new letter; the answer is its Message-ID. Raises `aiosmtplib.SMTPException` when the desk refuses it."""
        return await self._send(to or self.desk, subject, text, attachments, cc=cc, html=html, headers=dict(headers or {}))

    async def replies(
        self, letter: Opened, text: str, *attachments: Attachment, cc: Sequence[str] = (), headers: Mapping[str, str] | None = None
    ) -> str:
        """Answer a letter as a mail program does: same thread, quoted below; the answer is the Message-ID."""
        answered = f"<{letter.letter.message_id}>"
        thread = {"In-Reply-To": answered, "References": f"{letter.references} {answered}".strip()}
        subject = letter.letter.subject if letter.letter.subject.lower().startswith("re:") else f"Re: {letter.letter.subject}"
        when = letter.letter.moment.strftime("%d.%m.%Y %H:%M")
        history = "\n".join(f"> {line}" for line in letter.text.split("\n"))
        full = f"{text}\n\n{when}, {letter.letter.sender} wrote:\n{history}"
        markup = f"<p>{escape(text).replace(chr(10), '<br>')}</p><p>{when}, {escape(letter.letter.sender)} wrote:</p>"
        markup += f'<blockquote type="cite">{escape(letter.text).replace(chr(10), "<br>")}</blockquote>'
        return await self._send(letter.reply_to, subject, full, attachments, cc=cc, html=markup, headers={**thread, **(headers or {})})

    async def is_away(self, letter: Opened, text: str = "") -> str:
        """Answer a letter as an out-of-office robot does; the answer is the Message-ID."""
        thread = {"In-Reply-To": f"<{letter.letter.message_id}>", "Auto-Submitted": "auto-replied", "X-Auto-Response-Suppress": "All"}
        return await self._send(
            letter.reply_to, f"Automatic reply: {letter.letter.subject}", text or AWAY, (), cc=(), html=None, headers=thread
        )

    async def bounces(self, letter: Opened, *, permanent: bool = True) -> None:
        """Return a letter to its envelope as a mail server that knows no such person, or cannot deliver yet (RFC 3464)."""
        back = letter.letter.envelope_from or letter.reply_to
        code, status, action = ("550", "5.1.1", "failed") if permanent else ("451", "4.3.0", "delayed")
        domain = self.address.rpartition("@")[2]
        words = f"{code} {status} <{self.address}>: {'no such person here' if permanent else 'try again later'}"
        head = letter.raw.replace(b"\r\n", b"\n").partition(b"\n\n")[0].decode("utf-8", "replace")
        subject = "Undelivered Mail Returned to Sender" if permanent else "Delayed Mail"
        # By hand: the library's parts of type "message" hold messages, and a report holds fields.
        report = (
            f"From: Mail Delivery System <MAILER-DAEMON@{domain}>\nTo: {back}\nSubject: {subject}\n"
            f"Date: {format_datetime(self._clock.now())}\nMessage-ID: <{new_id()}@{domain}>\nAuto-Submitted: auto-replied\n"
            f"MIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; boundary=report\n\n"
            f"--report\nContent-Type: text/plain; charset=utf-8\n\nThis is the mail system at {domain}.\n\n<{self.address}>: {words}\n\n"
            f"--report\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; {domain}\n\n"
            f"Final-Recipient: rfc822; {self.address}\nAction: {action}\nStatus: {status}\nDiagnostic-Code: smtp; {words}\n\n"
            f"--report\nContent-Type: text/rfc822-headers; charset=utf-8\n\n{head}\n\n--report--\n"
        )
        await self._deliver(report.replace("\n", "\r\n").encode(), sender="", to=back, desks=[back], thread=letter.letter.thread)

    async def hears(self, *, timeout: float = 15.0, matching: Callable[[Opened], bool] | str | None = None) -> Opened:
        """The next letter to this address not heard before, oldest first; `matching` is a test or words it must hold."""
        until = time.monotonic() + timeout
        while True:
            for letter in reversed(await self._sandbox.letters(self.address)):
                if letter.direction != "sent" or letter.id in self._heard:
                    continue
                opened = await self._sandbox.open(letter.id)
                if opened is not None and _fits(opened, matching):
                    self._heard.add(letter.id)
                    return opened
            if time.monotonic() >= until:
                raise NothingHeard(f"{self.address} heard nothing that fits {matching!r} within {timeout:g} s")
            await asyncio.sleep(0.05)

    async def _send(
        self,
        to: str,
        subject: str,
        text: str,
        attachments: Sequence[Attachment],
        *,
        cc: Sequence[str],
        html: str | None,
        headers: dict[str, str],
    ) -> str:
        domain = self.address.rpartition("@")[2]
        message_id = headers.pop("Message-ID", f"{new_id()}@{domain}").strip("<>")
        mail = EmailMessage(policy=_POLICY.clone(utf8=not "".join([self.address, to, *cc]).isascii()))
        mail["From"] = f"{_quoted(self.name)} <{self.address}>" if self.name else self.address
        mail["To"] = to
        if cc:
            mail["Cc"] = ", ".join(cc)
        mail["Subject"] = " ".join(subject.split())
        mail["Date"] = format_datetime(self._clock.now())
        mail["Message-ID"] = f"<{message_id}>"
        for name, value in headers.items():
            mail[name] = value
        mail.set_content(text)
        if html is not None:
            mail.add_alternative(html, subtype="html")
        for name, kind, content in attachments:
            main, _slash, sub = kind.partition("/")
            if main in ("message", "multipart"):  # those hold parts, not bytes; a program sends such a file as bytes all the same
                main, sub = "application", "octet-stream"
            mail.add_attachment(content, maintype=main, subtype=sub or "octet-stream", filename=name)
        raw = mail.as_bytes()
        people = [one for one in (to, *cc) if self._domains and _domain(one) not in self._domains]
        await self._deliver(raw, sender=self.address, to=to, desks=[one for one in (to, *cc) if one not in people])
        for person in people:
            await self._sandbox.put(raw, sender=self.address, recipient=person)
        return message_id

    async def _deliver(self, raw: bytes, *, sender: str, to: str, desks: Sequence[str], thread: str = "") -> None:
        import aiosmtplib

        host, port = self._smtp
        if desks:
            async with aiosmtplib.SMTP(hostname=host, port=port, timeout=30, use_tls=False, start_tls=False) as client:
                plain = "".join([sender, *desks]).isascii()
                await client.sendmail(sender, desks, raw, mail_options=[] if plain else ["SMTPUTF8", "BODY=8BITMIME"])
        await self._sandbox.put(raw, sender=self.address, recipient=to, direction="written", thread=thread)


def _fits(letter: Opened, matching: Callable[[Opened], bool] | str | None) -> bool:
    if matching is None:
        return True
    if isinstance(matching, str):
        return matching in letter.letter.subject or matching in letter.text
    return matching(letter)


def _domain(address: str) -> str:
    return address.rpartition("@")[2].lower()


def _quoted(name: str) -> str:
    return '"' + " ".join(name[:_LONGEST_NAME].split()).replace("\\", "").replace('"', "'") + '"'
