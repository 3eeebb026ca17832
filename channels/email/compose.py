"""One `OutboundMessage` as a mail: the same bytes for every attempt, plain text and HTML from one Markdown source. Pure.

Built with the classic MIME classes: the modern policy encodes long Message-IDs in References into encoded words, which breaks threads.
"""

import hashlib
import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from email import encoders, policy
from email.header import Header
from email.message import Message
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.utils import format_datetime
from functools import cache
from typing import TYPE_CHECKING

from channels.email.addresses import address_of
from channels.email.letter import Letter, worded
from channels.email.threading import bounce_address, make_message_id, plus_address, tagged_subject
from desk_core.conversations.ports import FileLink, OutboundFile, OutboundMessage, Refused
from desk_core.kit.i18n import gettext_noop as _
from desk_core.kit.i18n import translate
from desk_core.kit.markdown import unmarked, with_links

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

_MADE_UP = "@made-up.priyom"
_KEPT_REFERENCES = 12
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Who a desk's mail is from. `plus` is off where the mail server of the address knows no plus-addresses."""

    address: str
    name: str
    plus: bool = True
    letters: Mapping[str, Letter] = field(default_factory=dict)  # by language
    names: Mapping[str, str] = field(default_factory=dict)  # by language too; `name` where there is none


def message_id_of(message: OutboundMessage, *, mailbox: Mailbox, secret: bytes) -> str:
    """The Message-ID of this message, without brackets: the same for every attempt."""
    return make_message_id(message.message_id, message.conversation_id, mailbox.address.rpartition("@")[2], secret)


def envelope_sender(message: OutboundMessage, *, mailbox: Mailbox, secret: bytes) -> str:
    """Who the relay is told the mail is from. A delivery report comes back to the very conversation.

    Also of what the desk writes by itself: machines are not answered, so there is nothing for a null sender to prevent.
    """
    return bounce_address(mailbox.address, message.conversation_id, secret) if mailbox.plus else mailbox.address


def compose(message: OutboundMessage, *, mailbox: Mailbox, secret: bytes, files: Sequence[tuple[OutboundFile, bytes]] = ()) -> Message:
    """The mail to send. Raises `Refused` when there is no address to send it to."""
    to = address_of(message.to)
    if to is None:
        raise Refused("there is no e-mail address to answer to")
    mailbox = replace(mailbox, name=mailbox.names.get(message.language) or mailbox.name)
    message_id = message_id_of(message, mailbox=mailbox, secret=secret)
    mark = hashlib.sha256(message_id.encode()).hexdigest()[:24]
    body = MIMEMultipart("alternative", boundary=f"=_alt_{mark}")
    written = worded(message, mailbox.letters.get(message.language, Letter()), organisation=mailbox.name)
    body.attach(MIMEText(plain_body(written), "plain", "utf-8"))
    body.attach(MIMEText(html_body(written), "html", "utf-8"))
    mail: MIMEMultipart = body
    if files:
        mail = MIMEMultipart("mixed", boundary=f"=_mix_{mark}")
        mail.attach(body)
        for file, content in files:
            mail.attach(_attachment(file, content))
    references = [one for one in message.references if not one.endswith(_MADE_UP)]
    answered = message.reply_to if message.reply_to and "@" in message.reply_to else (references[-1] if references else None)
    subject = tagged_subject(
        _clean(message.subject or translate(message.language, _("Your request"))),
        message.ticket_number,
        answer=bool(message.references) and not message.automatic,
    )
    name = f"{_clean(message.author_name)} ({_clean(mailbox.name)})" if message.author_name else _clean(mailbox.name)
    mail["From"] = _person(name, mailbox.address)
    mail["To"] = _person(_clean(message.to_name) if message.to_name != message.to else "", to)
    if message.cc:
        mail["Cc"] = ", ".join(_person(_clean(name), address) for name, address in message.cc)
    mail["Subject"] = Header(subject, "utf-8", header_name="Subject").encode() if not subject.isascii() else subject
    mail["Date"] = format_datetime(message.at)
    mail["Message-ID"] = f"<{message_id}>"
    if mailbox.plus:
        mail["Reply-To"] = _person(_clean(mailbox.name), plus_address(mailbox.address, message.conversation_id, secret))
    if answered and not answered.endswith(_MADE_UP):
        mail["In-Reply-To"] = f"<{_clean(answered)}>"
    if references:
        # The first names the thread, the last ones place the mail in it; more would only make the header too long.
        kept = references if len(references) <= _KEPT_REFERENCES else [references[0], *references[1 - _KEPT_REFERENCES :]]
        mail["References"] = " ".join(f"<{_clean(one)}>" for one in kept)
    if message.automatic:
        mail["Auto-Submitted"] = "auto-replied"
        mail["X-Auto-Response-Suppress"] = "All"
        mail["Precedence"] = "auto_reply"
    if message.stop_url:
        mail["List-Unsubscribe"] = f"<{_clean(message.stop_url)}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail["Content-Language"] = message.language
    return mail


class _Wire(policy.Compat32):
    """Puts headers on the wire. Names and subjects are ASCII by now: what is not is an address or the id of a letter, and goes in UTF-8
    (RFC 6532), because as encoded words it would be neither.
    """

    def fold_binary(self, name: str, value: str) -> bytes:
        if value.isascii():
            return super().fold_binary(name, value)
        lines = [f"{name}:"]
        for word in value.split():
            fits = len(lines[-1]) + len(word) < 78 or lines[-1] == f"{name}:"
            lines[-1:] = [f"{lines[-1]} {word}"] if fits else [lines[-1], f" {word}"]
        return (self.linesep.join(lines) + self.linesep).encode()


def to_bytes(mail: Message) -> bytes:
    """The mail as it goes over the wire."""
    return mail.as_bytes(policy=_Wire(linesep="\r\n"))


def plain_body(message: OutboundMessage) -> str:
    """The text part: Markdown without its marks, links in brackets, buttons as links, footer, quoted original."""
    lines = [unmarked(message.text).strip()]
    if message.links:
        lines += [
            "",
            _links_title(message),
            *(f"- {_clean(file.name)} ({_megabytes(file, message.language)}): {file.url}" for file in message.links),
        ]
    links = [f"{_clean(button.label)}: {button.url}" for row in message.buttons for button in row if button.url]
    if links:
        lines += ["", *links]
    footer = _footer(message)
    if footer:
        lines += ["", "-- ", *footer]
    if message.original.get("text"):
        lines += ["", _attribution(message), *(f"> {line}" for line in str(message.original["text"])[:4000].split("\n"))]
    return "\n".join(lines) + "\n"


_BODY = "font-family:sans-serif;overflow-wrap:anywhere"
"""Long addresses wrap, or a phone shows the whole letter at the width of one."""


def html_body(message: OutboundMessage) -> str:
    """The HTML part: small and readable everywhere, no pictures, no styles that matter."""
    parts = [_markdown().render(message.text)]
    if message.links:
        items = "".join(f"<li>{_linked_file(file, message.language)}</li>" for file in message.links)
        parts.append(f"<p>{html.escape(_links_title(message))}</p><ul>{items}</ul>")
    links = [
        f'<p><a href="{html.escape(button.url, quote=True)}">{html.escape(_clean(button.label))}</a></p>'
        for row in message.buttons
        for button in row
        if button.url and button.url.startswith(("http://", "https://", "mailto:"))
    ]
    footer = _footer(message)
    if footer:
        parts += [*links, "<hr>", f"<p><small>{'<br>'.join(_linked(line) for line in footer)}</small></p>"]
    else:
        parts += links
    if message.original.get("text"):
        quoted = html.escape(str(message.original["text"])[:4000]).replace("\n", "<br>")
        parts.append(f'<p>{html.escape(_attribution(message))}</p><blockquote type="cite">{quoted}</blockquote>')
    language = html.escape(message.language, quote=True)
    head = f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"></head>'
    return f'{head}<body style="{_BODY}">{"".join(parts)}</body></html>\n'


def _footer(message: OutboundMessage) -> list[str]:
    language = message.language
    lines = []
    if message.ticket_number is not None:
        lines.append(
            translate(language, _("Request #%(number)s. To add something, just reply to this letter."), number=message.ticket_number)
        )
    if message.promise:
        lines.append(translate(language, _("Somebody answers by: %(when)s"), when=_clean(message.promise)))
    if message.status_url:
        lines.append(translate(language, _("See how it goes: %(url)s"), url=_clean(message.status_url)))
    if message.stop_url:
        lines.append(translate(language, _("No more reminders about this request: %(url)s"), url=_clean(message.stop_url)))
    return lines


def _links_title(message: OutboundMessage) -> str:
    until = min(file.until for file in message.links)
    return translate(message.language, _("Too large for a letter, to be fetched until %(date)s:"), date=f"{until:%d.%m.%Y}")


def _linked_file(file: FileLink, language: str) -> str:
    return f'<a href="{html.escape(file.url, quote=True)}">{html.escape(_clean(file.name))}</a> ({_megabytes(file, language)})'


def _megabytes(file: FileLink, language: str) -> str:
    return translate(language, _("%(n)s MB"), n=max(round(file.size / 1024 / 1024), 1))


def _attribution(message: OutboundMessage) -> str:
    at = str(message.original.get("at", ""))
    try:
        when = datetime.fromisoformat(at).strftime("%d.%m.%Y %H:%M")
    except ValueError:
        when = ""
    author = _clean(str(message.original.get("author", "")))
    return translate(message.language, _("%(when)s, %(author)s wrote:"), when=when, author=author)


def _linked(line: str) -> str:
    return re.sub(r"(https?://[^\s<>\"]+)", r'<a href="\1">\1</a>', html.escape(line))


@cache
def _markdown() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    return with_links(MarkdownIt("commonmark", {"html": False, "breaks": True}).disable("image"))


def _attachment(file: OutboundFile, content: bytes) -> MIMEBase:
    kind, _slash, subtype = (file.content_type if "/" in file.content_type else "application/octet-stream").partition("/")
    part = MIMEBase(_clean(kind), _clean(subtype).split(";")[0])
    part.set_payload(content)
    encoders.encode_base64(part)
    name = _clean(file.name) or "file"
    part.add_header("Content-Disposition", "attachment", filename=name if name.isascii() else ("utf-8", "", name))
    return part


def _person(name: str, address: str) -> str:
    if not name:
        return address
    if not name.isascii():
        return f"{Header(name, 'utf-8').encode()} <{address}>"
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}" <{address}>'


def _clean(value: str) -> str:
    """One line without control characters: nothing a person typed can begin a header of its own."""
    return " ".join(_CONTROL.sub(" ", value).split())
