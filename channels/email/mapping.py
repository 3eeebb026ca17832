"""One raw mail as an `InboundMessage`: text, people, files, thread and verdict. Pure, and never raises."""

import hashlib
import mimetypes
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

from channels.email import bounces, quotes
from channels.email.addresses import address_of, addresses
from channels.email.calendar import calendar_part, event_of
from channels.email.charsets import declared_in_html, text_of
from channels.email.containers import PLAIN, bare, structure_of
from channels.email.enclosures import Enclosed, sealed, take_uuencoded, unwrap_tnef, without_armour
from channels.email.filters import Letter, judge
from channels.email.filters.automatic import no_person
from channels.email.html_text import remote_pictures, safe_html, text_of_html
from channels.email.mime import Part, header_text, headers_of, read, split_head
from channels.email.threading import number_in_subject, read_token, without_plus
from channels.email.verdicts import Verdict
from desk_core.conversations.ports import InboundFile, InboundKind, InboundMessage, Sender

MAX_TEXT = 200_000
NOBODY = "unknown@invalid"
_OTHERS = 50
_TNEF = frozenset({"application/ms-tnef", "application/vnd.ms-tnef"})
_ID = re.compile(r"<\s*([^<>\s]{1,400})\s*>")
_FORWARD_SUBJECT = re.compile(r"^\s*(?:\[#\s?\d{1,10}\]\s*)?(?:fwd?|fw|пересл|пересл\.|перенапр|вл|вс)\s*:", re.IGNORECASE)
_TAG = re.compile(r"\[#\s?\d{1,10}\]\s*")
_MARKED = re.compile(r"^ {0,3}>", re.MULTILINE)
_UNSAFE = re.compile(r"[\x00-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069<>:\"|?*]")


@dataclass(frozen=True, slots=True)
class FilePart:
    """An attachment with its bytes, named safely; `content_id` is what `cid:` links in the HTML say."""

    name: str
    declared_type: str | None
    content: bytes
    inline: bool = False
    content_id: str | None = None


@dataclass(frozen=True, slots=True)
class ParsedMail:
    """Everything the desk wants to know of a mail, with the files as bytes."""

    inbox_id: str
    external_id: str
    sender: Sender
    at: datetime
    subject: str
    text: str
    original_text: str
    html: str | None
    files: tuple[FilePart, ...]
    references: tuple[str, ...]
    tokens: tuple[str, ...]
    recipients: tuple[str, ...]
    verdict: Verdict
    reply_to: str | None = None
    bounce: bounces.Bounce | None = None
    card: Mapping[str, Any] = field(default_factory=dict)


def parse(
    raw: bytes,
    *,
    inbox_id: str,
    inbox_addresses: Collection[str],
    secret: bytes,
    received_at: datetime,
    envelope_from: str | None = None,
    envelope_to: Collection[str] = (),
    senders: Mapping[str, str] = MappingProxyType({}),
) -> ParsedMail:
    """Read a mail as it came; `senders` are rules of the desk, see `judge`.

    What cannot be read at all keeps its text and the verdict `unreadable`.
    """
    own = frozenset(address.lower() for address in inbox_addresses)
    try:
        return _parse(raw, inbox_id, own, secret, received_at, envelope_from, envelope_to, senders)
    except Exception as error:  # noqa: BLE001 - a mail that trips the parser must still reach a person
        text = text_of(raw[:MAX_TEXT])
        return _unreadable(raw, text, inbox_id, received_at, envelope_from, tuple(envelope_to), {"error": type(error).__name__})


def to_inbound(parsed: ParsedMail) -> InboundMessage:
    """The mail in the desk's words. Files carry no `sha256` yet: the adapter stores them and puts it in."""
    bounce = parsed.bounce
    card = dict(parsed.card)
    if bounce is not None:
        card |= {"permanent": bounce.permanent, "reason": bounce.reason, "address": bounce.address, "status": bounce.status}
    return InboundMessage(
        kind=InboundKind.MESSAGE if bounce is None else InboundKind.BOUNCE,
        external_id=parsed.external_id,
        shown_id=parsed.external_id,
        # One line for all inboxes: a mail that reaches two of them comes twice, and the second copy has to find what the first became.
        lane=f"in:email:{parsed.sender.address}",
        sender=parsed.sender,
        at=parsed.at,
        text=parsed.text,
        original_text=parsed.original_text,
        html=parsed.html,
        subject=parsed.subject,
        files=tuple(
            InboundFile(file.name, file.declared_type, len(file.content), inline=file.inline, content_id=file.content_id)
            for file in parsed.files
        ),
        reply_to=parsed.reply_to,
        edits=bounce.message_id if bounce else None,
        references=parsed.references,
        tokens=parsed.tokens,
        automatic=parsed.verdict.automatic,
        held=parsed.verdict.held,
        recipients=parsed.recipients,
        card=card,
        verdict=parsed.verdict.code,
        verdict_params=parsed.verdict.params,
    )


def mail_content(root: Part) -> tuple[str, str, tuple[FilePart, ...]]:
    """(text, HTML as it came, files) of a mail that is shown rather than taken in."""
    found = _Found()
    _collect(root, found)
    return found.text(), found.html(), tuple(found.files)


def _parse(
    raw: bytes,
    inbox_id: str,
    own: frozenset[str],
    secret: bytes,
    received_at: datetime,
    envelope_from: str | None,
    envelope_to: Collection[str],
    senders: Mapping[str, str],
) -> ParsedMail:
    root = read(raw)
    if not any(name in {"from", "to", "subject", "date", "message-id", "content-type", "received"} for name, _ in root.headers):
        return _unreadable(raw, text_of(raw[:MAX_TEXT]), inbox_id, received_at, envelope_from, tuple(envelope_to), {"error": "no_headers"})
    sender = _sender(root, envelope_from)
    subject = root.get("subject")[:500]
    found = _Found()
    _collect(root, found)
    original = found.text()
    card: dict[str, Any] = {"defects": list(root.defects)} if root.defects else {}
    if seal := sealed(root, original):
        card["sealed"], original = seal, without_armour(original)
    if (invitation := calendar_part(root)) is not None and (event := event_of(invitation)):
        card["event"] = event
    if len(original) > MAX_TEXT:
        original, card["truncated"] = original[:MAX_TEXT], len(original)
    forward = bool(_FORWARD_SUBJECT.match(subject))
    markup = found.html()
    structure = structure_of(markup) if markup else PLAIN
    if found.typed:
        structure = replace(structure, typed=(*structure.typed, *found.typed))
    # Where somebody wrote between quotations that the plain text does not mark, only the markup tells what they said.
    body = text_of_html(markup) if structure.between and not _MARKED.search(original) else original
    answer = quotes.split(body, structure=structure, forward=forward, sender=sender.name or "")
    inside = _mail_inside(root)
    author = (_author_of(inside) if inside is not None else None) or quotes.first_author(original, forward=forward)
    if author is not None and author[1] not in {*own, sender.address}:
        parts = quotes.parted(original, forward=forward)
        if inside is not None and _author_of(inside):
            parts = original.strip(), mail_content(read(inside))[0]
        told = {"subject": _as_first_written(subject), "covering": parts[0], "text": parts[1][:MAX_TEXT]}
        card["passed_on"] = {"name": author[0], "address": author[1], **told}
    message_id = next(iter(_ids(root.get("message-id"))), None)
    answers = _ids(root.get("in-reply-to"))
    # Oldest first; what the mail answers comes last, because the last counts most.
    references = tuple(dict.fromkeys([*(one for one in _ids(root.get("references")) if one not in answers), *answers]))[-100:]
    people = [address for name in ("to", "cc") for value in _raws(root, name) for _, address in addresses(value)]
    carbon = [address for value in _raws(root, "cc") for _, address in addresses(value)]
    recipients = tuple(dict.fromkeys([*people, *(address.lower() for address in envelope_to)]))[:200]
    delivered = [value for name in ("delivered-to", "x-original-to", "envelope-to") for value in root.all(name)]
    tokens = tuple(dict.fromkeys(token for text in (*recipients, *delivered, *references) if (token := read_token(text, secret))))
    letter = Letter(
        root, sender.address, subject, answer.reply, message_id, envelope_from, own, secret, senders,
        answers=bool(references), passes_on=forward or author is not None,
    )  # fmt: skip
    verdict = judge(letter)
    bounce = None
    if verdict.code not in {"own_loop", "own_check"}:
        bounce = bounces.find(root, sender=sender.address, subject=subject, text=original, own=tuple(own), secret=secret)
    if bounce is not None:
        verdict = Verdict("bounce", {"reason": bounce.reason[:200], "address": bounce.address or ""}, automatic=True, held=True)
    elif sender.address == NOBODY and verdict.code == "received":
        verdict = Verdict("unreadable", {"error": "no_sender"}, automatic=True, held=True)
    if message_id is None:
        message_id = _made_up(root, raw, received_at)
        code = "no_message_id" if verdict.code == "received" else verdict.code
        verdict = Verdict(code, {**verdict.params, "made_up": message_id}, automatic=verdict.automatic, held=verdict.held)
    elif message_id != (bounded := _bounded(message_id)):
        message_id, card["message_id"] = bounded, message_id
    replies = [address for _, address in addresses(root.raw("reply-to"))]
    if replies and replies[0] != sender.address:
        card["reply_to"] = replies[:10]
    if (number := number_in_subject(subject)) is not None:
        card["number"] = number
    if carbon:
        card["cc"] = list(dict.fromkeys(carbon))[:100]
    ours = {*own, *(without_plus(address) for address in (*envelope_to, *(address_of(one) or "" for one in delivered)))}
    if not verdict.held and (others := _others(root, {*ours, sender.address}, senders)):
        card["people"] = others
    if date := root.get("date"):
        card["date"] = date[:100]
    if remote := remote_pictures(markup):
        card["pictures"] = remote
    return ParsedMail(
        inbox_id=inbox_id,
        external_id=message_id,
        sender=sender,
        at=received_at,
        subject=subject,
        text=answer.reply,
        original_text=original,
        html=safe_html(markup) or None if markup else None,
        files=tuple(found.files),
        references=references,
        tokens=tokens,
        recipients=recipients,
        verdict=verdict,
        reply_to=references[-1] if references else None,
        bounce=bounce,
        card=card,
    )


@dataclass(slots=True)
class _Found:
    """What lies in a mail: its readable pieces in order, and its files."""

    pieces: list[tuple[str, str]] = field(default_factory=list)  # (plain, html); one of them may be empty
    files: list[FilePart] = field(default_factory=list)
    typed: list[str] = field(default_factory=list)  # letters of lines whose ">" is no mark of a quote
    wrapped: list[tuple[str, str]] = field(default_factory=list)  # of winmail.dat: mostly the same words again

    def enclose(self, enclosed: Sequence[Enclosed]) -> None:
        """Files that came in another wrapping than MIME."""
        for file in enclosed:
            kind, _ = mimetypes.guess_type(file.name)
            self.files.append(FilePart(safe_name(file.name, kind, len(self.files) + 1), kind, file.content))

    def text(self) -> str:
        texts = [plain if plain.strip() else text_of_html(html) for plain, html in self._told()]
        return "\n\n".join(text.strip("\n") for text in texts if text.strip())

    def html(self) -> str:
        return "\n".join(html for _, html in self._told() if html)

    def _told(self) -> list[tuple[str, str]]:
        return self.pieces if any(plain.strip() or html.strip() for plain, html in self.pieces) else self.wrapped


def _collect(part: Part, found: _Found, *, related: bool = False) -> None:
    if part.type == "multipart/alternative":
        _collect_alternative(part, found)
        return
    if part.parts:
        for child in part.parts:
            _collect(child, found, related=related or part.type == "multipart/related")
        return
    disposition, options = part.disposition()
    name = options.get("filename") or part.params.get("name") or ""
    if part.type in {"text/plain", "text/html", "text/enriched"} and disposition != "attachment" and not name:
        content = part.content()
        if part.type == "text/html":
            found.pieces.append(("", text_of(content, part.params.get("charset") or declared_in_html(content))))
        else:
            text = text_of(content, part.params.get("charset")).replace("\r\n", "\n").replace("\r", "\n")
            text, enclosed = take_uuencoded(text)
            if part.params.get("format", "").lower() == "flowed":
                found.typed += [bare(line) for line in text.split("\n") if line.startswith(" >") and bare(line)][:_OTHERS]
                text = _unflowed(text, part.params)
            found.pieces.append((text, ""))
            found.enclose(enclosed)
        return
    content = part.content()
    if (part.type in _TNEF or name.lower() == "winmail.dat") and (opened := unwrap_tnef(content)) is not None:
        if opened.text or opened.html:
            found.wrapped.append((opened.text, opened.html))
        found.enclose(opened.files)
        return
    if not content and not name and part.type in {"text/plain", "application/octet-stream"}:
        return
    content_id = part.get("content-id").strip("<> ") or None
    inline = disposition == "inline" or (related and content_id is not None and disposition != "attachment")
    if part.type == "message/rfc822" and not name:
        head, _ = split_head(content.lstrip(b"\r\n"))
        name = next((header_text(value) for key, value in headers_of(head) if key == "subject"), "") or "message"
        name = f"{name[:100]}.eml"
    found.files.append(FilePart(safe_name(name, part.type, len(found.files) + 1), part.type, content, inline, content_id))


def _collect_alternative(part: Part, found: _Found) -> None:
    """One piece from the alternatives: the plain text to read, the HTML to show, every file of either."""
    plain: list[str] = []
    html: list[str] = []
    for child in part.parts:
        inner = _Found()
        _collect(child, inner)
        plain += [text for text, _ in inner.pieces if text.strip()]
        html += [markup for _, markup in inner.pieces if markup.strip()]
        found.files += inner.files
        found.wrapped += inner.wrapped
        found.typed += inner.typed
    found.pieces.append(("\n\n".join(plain), "\n".join(html)))


def _unflowed(text: str, params: Mapping[str, str]) -> str:
    """Join the soft line breaks of format=flowed (RFC 3676)."""
    joined: list[str] = []
    open_line = False
    for line in text.split("\n"):
        soft = line.endswith(" ") and line != "-- "
        body = line.removeprefix(" ")
        if open_line and not body.startswith(">") and joined and not joined[-1].startswith(">"):
            joined[-1] += body
        else:
            joined.append(body)
        open_line = soft
        if soft and params.get("delsp", "").lower() == "yes":
            joined[-1] = joined[-1][:-1]
    return "\n".join(joined)


def safe_name(name: str, kind: str | None, number: int) -> str:
    """A file name without a path, control characters or direction tricks; made up where there is none."""
    base = re.split(r"[/\\]", name)[-1]
    base = " ".join(_UNSAFE.sub(" ", base).split()).lstrip(".").strip()
    if not base:
        extension = ".eml" if kind == "message/rfc822" else (mimetypes.guess_extension(kind or "") or ".bin")
        return f"attachment-{number}{extension}"
    if len(base) > 150:
        stem, dot, extension = base.rpartition(".")
        base = f"{stem[: 149 - len(extension)]}.{extension}" if dot and len(extension) <= 12 else base[:150]
    return base


def _sender(root: Part, envelope_from: str | None) -> Sender:
    found = [pair for name in ("from", "sender") for value in _raws(root, name) for pair in addresses(value)]
    if not found:
        address = address_of(envelope_from) or next((own for value in root.all("return-path") if (own := address_of(value))), None)
        return Sender(address or NOBODY)
    name, address = found[0]
    replies = addresses(root.raw("reply-to"))
    # Shop and site forms write from no-reply with the person in Reply-To: the person is who asks.
    if replies and bounces.from_no_reply(address) and not bounces.from_no_reply(replies[0][1]):
        name, address = replies[0][0] or name, replies[0][1]
    return Sender(address, name)


def _others(root: Part, known: Collection[str], senders: Mapping[str, str]) -> list[list[str]]:
    """[name, address] of the people whom the letter went to besides the desk; no robots and no lists."""
    found: dict[str, str] = {}
    for name, address in (pair for header in ("to", "cc") for value in _raws(root, header) for pair in addresses(value)):
        if address in known or without_plus(address) in known or senders.get(address) == "robot" or no_person(address):
            continue
        found[address] = found.get(address) or name
    return [[name, address] for address, name in found.items()][:_OTHERS]


def _mail_inside(root: Part) -> bytes | None:
    """The one mail that came attached; delivery reports return ours that way and are read elsewhere."""
    inside = [part for part in root.walk() if part.type == "message/rfc822"] if root.type == "multipart/mixed" else []
    return inside[0].content().lstrip(b"\r\n") if len(inside) == 1 else None


def _author_of(mail: bytes) -> tuple[str, str] | None:
    head, _ = split_head(mail)
    return next((pair for name, value in headers_of(head) if name == "from" for pair in addresses(value)), None)


def _as_first_written(subject: str) -> str:
    """A subject without what a program puts before it to pass a mail on, and without the number of another request."""
    subject = _TAG.sub("", subject)
    while match := _FORWARD_SUBJECT.match(subject):
        subject = subject[match.end() :]
    return subject.strip()


def _raws(root: Part, name: str) -> list[bytes]:
    return [value for key, value in root.headers if key == name][:20]


def _ids(text: str) -> list[str]:
    """Message-IDs without brackets; bare ones are taken where there are no brackets at all."""
    found = _ID.findall(text)
    return found or [word.strip("<>;,") for word in text.split() if "@" in word and len(word) <= 400]


def _bounded(message_id: str) -> str:
    if len(message_id) <= 250:
        return message_id
    return f"{message_id[:180]}~{hashlib.sha256(message_id.encode()).hexdigest()[:32]}"


def _made_up(root: Part, raw: bytes, received_at: datetime) -> str:
    """The same id for the same mail, whichever servers it passed: trace headers do not count. Where it has no date, for a day."""
    digest = hashlib.sha256(b"" if root.raw("date") else f"{received_at:%Y-%m-%d}".encode())
    for name in ("from", "to", "date", "subject"):
        digest.update(name.encode() + b":" + (root.raw(name) or b"") + b"\n")
    digest.update(split_head(raw.lstrip(b"\r\n"))[1].strip().replace(b"\r\n", b"\n"))
    return f"{digest.hexdigest()[:40]}@made-up.priyom"


def _unreadable(
    raw: bytes,
    text: str,
    inbox_id: str,
    received_at: datetime,
    envelope_from: str | None,
    envelope_to: tuple[str, ...],
    params: dict[str, str],
) -> ParsedMail:
    sender = address_of(envelope_from)
    made_up = f"{hashlib.sha256(raw).hexdigest()[:40]}@made-up.priyom"
    return ParsedMail(
        inbox_id=inbox_id,
        external_id=made_up,
        sender=Sender(sender or NOBODY),
        at=received_at,
        subject="",
        text=text.strip(),
        original_text=text,
        html=None,
        files=(),
        references=(),
        tokens=(),
        recipients=envelope_to,
        verdict=Verdict("unreadable", {**params, "made_up": made_up}, automatic=sender is None, held=sender is None),
    )
