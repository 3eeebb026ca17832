"""One raw mail as an `InboundMessage`: text, people, files, thread and verdict. Pure, and never raises."""

import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from channels.email import bounces, quotes
from channels.email.addresses import address_of, addresses
from channels.email.calendar import calendar_part, event_of
from channels.email.charsets import text_of
from channels.email.containers import PLAIN, structure_of
from channels.email.contents import FilePart, contents_of
from channels.email.enclosures import sealed, without_armour
from channels.email.filters import Letter, judge
from channels.email.html_text import remote_pictures, safe_html, text_of_html
from channels.email.mime import Part, headers_of, read, split_head
from channels.email.people import NOBODY, others_on, raws_of, sender_of
from channels.email.rules import NONE, Rules
from channels.email.threading import number_in_subject, read_token
from channels.email.verdicts import Verdict
from desk_core.conversations.addresses import without_plus
from desk_core.conversations.ports import InboundFile, InboundKind, InboundMessage, Sender

MAX_TEXT = 200_000
_ID = re.compile(r"<\s*([^<>\s]{1,400})\s*>")
_FORWARD_SUBJECT = re.compile(r"^\s*(?:\[#\s?\d{1,10}\]\s*)?(?:fwd?|fw|пересл|пересл\.|перенапр|вл|вс)\s*:", re.IGNORECASE)
_TAG = re.compile(r"\[#\s?\d{1,10}\]\s*")
_MARKED = re.compile(r"^ {0,3}>", re.MULTILINE)


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
    rules: Rules = NONE,
) -> ParsedMail:
    """Read a mail as it came; `rules` are those of the desk, see `judge`.

    What cannot be read at all keeps its text and the verdict `unreadable`.
    """
    own = frozenset(address.lower() for address in inbox_addresses)
    try:
        return _parse(raw, inbox_id, own, secret, received_at, envelope_from, envelope_to, rules)
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


def _parse(
    raw: bytes,
    inbox_id: str,
    own: frozenset[str],
    secret: bytes,
    received_at: datetime,
    envelope_from: str | None,
    envelope_to: Collection[str],
    rules: Rules,
) -> ParsedMail:
    root = read(raw)
    if not any(name in {"from", "to", "subject", "date", "message-id", "content-type", "received"} for name, _ in root.headers):
        return _unreadable(raw, text_of(raw[:MAX_TEXT]), inbox_id, received_at, envelope_from, tuple(envelope_to), {"error": "no_headers"})
    sender = sender_of(root, envelope_from)
    subject = root.get("subject")[:500]
    found = contents_of(root)
    original = found.text()
    card: dict[str, Any] = {"defects": list(root.defects)} if root.defects else {}
    if seal := sealed(root, original):
        card["sealed"] = seal
        if seal["how"] == "signed":
            original = without_armour(original)
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
    files = list(found.files)
    inside = _mail_inside(root)
    author = (_author_of(inside) if inside is not None else None) or quotes.first_author(original, forward=forward)
    if author is not None and author[1] not in {*own, sender.address}:
        covering, text = quotes.parted(original, forward=forward)
        told: dict[str, Any] = {}
        if inside is not None and _author_of(inside):
            enclosed = contents_of(read(inside))
            covering, text = original.strip(), enclosed.text()
            told["files"] = {
                "covering": [at for at, file in enumerate(files) if file.declared_type != "message/rfc822"],
                "enclosed": [len(files) + at for at, _file in enumerate(enclosed.files)],
            }
            files += enclosed.files
        told |= {"subject": _as_first_written(subject), "covering": covering, "text": text[:MAX_TEXT]}
        card["passed_on"] = {"name": author[0], "address": author[1], **told}
    message_id = next(iter(_ids(root.get("message-id"))), None)
    answers = _ids(root.get("in-reply-to"))
    # Oldest first; what the mail answers comes last, because the last counts most.
    references = tuple(dict.fromkeys([*(one for one in _ids(root.get("references")) if one not in answers), *answers]))[-100:]
    people = [address for name in ("to", "cc") for value in raws_of(root, name) for _, address in addresses(value)]
    carbon = [address for value in raws_of(root, "cc") for _, address in addresses(value)]
    recipients = tuple(dict.fromkeys([*people, *(address.lower() for address in envelope_to)]))[:200]
    delivered = [value for name in ("delivered-to", "x-original-to", "envelope-to") for value in root.all(name)]
    tokens = tuple(dict.fromkeys(token for text in (*recipients, *delivered, *references) if (token := read_token(text, secret))))
    letter = Letter(
        root, sender.address, subject, answer.reply, message_id, envelope_from, own, secret, rules,
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
    if not verdict.held and (others := others_on(root, {*ours, sender.address}, rules)):
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
        text=without_armour(answer.reply),
        original_text=original,
        html=safe_html(markup) or None if markup else None,
        files=tuple(files),
        references=references,
        tokens=tokens,
        recipients=recipients,
        verdict=verdict,
        reply_to=references[-1] if references else None,
        bounce=bounce,
        card=card,
    )


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
