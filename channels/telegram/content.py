"""What one Telegram message carries: its text, its files and a card, whatever its kind (pure)."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from channels.telegram.entities import clean, formatted_text
from desk_core.conversations.ports import InboundFile

Json: TypeAlias = Mapping[str, Any]

# What every message may have beside its content; the first other field names the kind of a message we do not know.
# fmt: off
_ENVELOPE: Final = frozenset((
    "message_id", "message_thread_id", "direct_messages_topic", "from", "sender_chat", "sender_boost_count", "sender_business_bot",
    "sender_tag", "date", "guest_query_id", "business_connection_id", "chat", "forward_origin", "is_topic_message",
    "is_automatic_forward", "reply_to_message", "external_reply", "quote", "reply_to_story", "reply_to_checklist_task_id",
    "reply_to_poll_option_id", "via_bot", "guest_bot_caller_user", "guest_bot_caller_chat", "edit_date", "has_protected_content",
    "is_from_offline", "is_paid_post", "media_group_id", "author_signature", "paid_star_count", "entities", "link_preview_options",
    "suggested_post_info", "effect_id", "caption", "caption_entities", "show_caption_above_media", "has_media_spoiler", "reply_markup",
    "forward_from", "forward_from_chat", "forward_from_message_id", "forward_signature", "forward_sender_name", "forward_date",
))
# fmt: on

# Written by Telegram about the chat, not by a person to us: kept for operators, no answer is due.
# fmt: off
_SERVICE: Final = frozenset((
    "new_chat_members", "new_chat_member", "new_chat_participant", "left_chat_member", "left_chat_participant", "chat_owner_left",
    "chat_owner_changed", "new_chat_title", "new_chat_photo", "delete_chat_photo", "group_chat_created", "supergroup_chat_created",
    "channel_chat_created", "message_auto_delete_timer_changed", "migrate_to_chat_id", "migrate_from_chat_id", "pinned_message",
    "connected_website", "write_access_allowed", "proximity_alert_triggered", "boost_added", "chat_background_set",
    "checklist_tasks_done", "checklist_tasks_added", "direct_message_price_changed", "forum_topic_created", "forum_topic_edited",
    "forum_topic_closed", "forum_topic_reopened", "general_forum_topic_hidden", "general_forum_topic_unhidden", "giveaway_created",
    "giveaway_completed", "giveaway_winners", "managed_bot_created", "paid_message_price_changed", "poll_option_added",
    "poll_option_deleted", "suggested_post_approved", "suggested_post_approval_failed", "suggested_post_declined",
    "suggested_post_paid", "suggested_post_refunded", "video_chat_scheduled", "video_chat_started", "video_chat_ended",
    "video_chat_participants_invited", "community_chat_added", "community_chat_removed",
))
# fmt: on

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
_STICKER_ENDINGS: Final = {"is_animated": ("tgs", "application/x-tgsticker"), "is_video": ("webm", "video/webm")}
_WITHOUT_CENTS: Final = frozenset(("XTR", "JPY", "KRW", "VND", "CLP", "ISK", "UGX", "PYG", "UYI"))
LONGEST_NAME: Final = 150


@dataclass(frozen=True, slots=True)
class Content:
    """`kind` is the Bot API's own name of the field; `supported` says that a conversation can go on with it."""

    kind: str
    text: str = ""
    files: tuple[InboundFile, ...] = ()
    card: Mapping[str, Any] = field(default_factory=dict)
    supported: bool = True
    service: bool = False
    joins_burst: bool = True


def read_content(message: Json) -> Content:
    """The content of any message, one of a kind unknown today included."""
    for kind, read in _READERS:
        if message.get(kind) is not None:
            return read(message)
    kind = next((name for name in message if name not in _ENVELOPE), "empty")
    text, marks = _caption(message)
    card = {"kind": kind, "details": outline(message.get(kind)), **marks}
    text = text or summary(message.get(kind))
    return Content(kind, text=text, card=card, supported=False, service=kind in _SERVICE, joins_burst=False)


def string(body: Json, name: str) -> str:
    value = body.get(name)
    return clean(value) if isinstance(value, str) else ""


def number(body: Json, name: str) -> int | None:
    """A whole number; one beyond 64 bits is no id and no size, and no store would take it."""
    value = body.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63 else None


def mapping(body: Json, name: str) -> Json:
    value = body.get(name)
    return value if isinstance(value, Mapping) else {}


def items(body: Json, name: str) -> list[Any]:
    value = body.get(name)
    return value if isinstance(value, list) else []


def safe_name(name: str, default: str) -> str:
    """A file name without folders and control characters, its ending kept when it must be shortened."""
    name = _CONTROL.sub(" ", name.replace("\\", "/").rsplit("/", 1)[-1]).strip(" .")
    if len(name) > LONGEST_NAME:
        stem, dot, ending = name.rpartition(".")
        name = f"{stem[: LONGEST_NAME - 11]}{dot}{ending[:10]}" if dot else name[:LONGEST_NAME]
    return name or default


def outline(value: Any) -> dict[str, Any]:
    """The plain fields of something, few and short: enough for an operator's card (the raw update is stored too).

    What lies deeper is there by its words: the name of a person or place, the text of an option.
    """
    if isinstance(value, list):
        return {"value": words} if (words := _listed(value)) else {}
    if not isinstance(value, Mapping):
        return {"value": _short(value)} if isinstance(value, str | int | float) and not isinstance(value, bool) else {}
    found: dict[str, Any] = {}
    for name, item in value.items():
        if len(found) == 20:
            break
        if isinstance(item, str | int | float):
            found[clean(str(name))[:60]] = _short(item)
        elif words := _listed(item) if isinstance(item, list) else _called(item):
            found[clean(str(name))[:60]] = words
    return found


def name_of(person: Json) -> str:
    """What a person, a chat or a channel is called."""
    full = " ".join(filter(None, (string(person, "first_name").strip(), string(person, "last_name").strip())))
    return (full or string(person, "title") or string(person, "username"))[:200]


def _listed(values: list[Any]) -> str:
    words = [
        _called(one) if isinstance(one, Mapping) else str(_short(one)) if isinstance(one, str | int | float) else "" for one in values[:20]
    ]
    return ", ".join(filter(None, words))[:300]


def _called(value: Any) -> str:
    if not isinstance(value, Mapping):
        return ""
    status = string(value, "status")
    return (status or name_of(value) or summary(value) or string(value, "emoji") or _coordinates(_point(value)))[:300]


def _short(value: str | float) -> str | int | float | bool:
    if isinstance(value, str):
        return clean(value)[:300]
    # Neither an integer beyond 64 bits nor NaN has a place in a JSON column.
    return value if isinstance(value, bool) or abs(value) < 2**63 else "?"


def summary(value: Any) -> str:
    """The words a person would recognise something unknown by: the question of a poll, the title of a game."""
    if isinstance(value, Mapping):
        for name in ("question", "title", "text", "data", "emoji"):
            if words := string(value, name):
                return words
    return ""


def _formatted(message: Json, field_: str) -> tuple[str, dict[str, Any]]:
    """A text and, for its card, where its formatting lies."""
    entities = items(message, "entities" if field_ == "text" else f"{field_}_entities")
    value = message.get(field_)
    text, marks = formatted_text(value if isinstance(value, str) else "", entities)
    return text, {"marks": [list(mark) for mark in marks]} if marks else {}


def _caption(message: Json) -> tuple[str, dict[str, Any]]:
    return _formatted(message, "caption")


def _text(message: Json) -> Content:
    text, marks = _formatted(message, "text")
    return Content("text", text=text, card=marks)


def _rich_text(message: Json) -> Content:
    text = "\n".join(words for block in items(mapping(message, "rich_message"), "blocks") if (words := _words(block).strip()))
    return Content("rich_message", text=text, card={"kind": "rich_message"}, supported=bool(text))


def _words(value: Any) -> str:
    """The words of a rich block, however deep they lie."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return "".join(_words(one) for one in value)
    if isinstance(value, Mapping):
        cells = " | ".join(" ".join(_words(cell) for cell in row) for row in items(value, "cells") if isinstance(row, list))
        return _words(value.get("text")) + _words(value.get("items")) + _words(value.get("blocks")) + cells
    return ""


def _file(body: Json, default_name: str, declared_type: str | None) -> tuple[InboundFile, ...]:
    remote_id = string(body, "file_id")
    if not remote_id:
        return ()
    name = safe_name(string(body, "file_name"), default_name)
    unique_id = string(body, "file_unique_id") or None
    declared = string(body, "mime_type") or declared_type
    return (InboundFile(name, declared, number(body, "file_size"), remote_id=remote_id, unique_id=unique_id),)


def _media(kind: str, *, ending: str, declared_type: str | None = None) -> Callable[[Json], Content]:
    def read(message: Json) -> Content:
        body = mapping(message, kind)
        files = _file(body, f"{kind}_{message.get('message_id', 0)}.{ending}", declared_type)
        card: dict[str, Any] = {"kind": kind}
        card |= {name: seconds for name in ("duration",) if (seconds := number(body, name)) is not None}
        card |= {name: words for name in ("title", "performer") if (words := string(body, name)[:200])}
        text, marks = _caption(message)
        return Content(kind, text=text, files=files, card={**card, **marks}, supported=bool(files))

    return read


def _photo(message: Json) -> Content:
    files = _largest(items(message, "photo"), f"photo_{message.get('message_id', 0)}.jpg")
    text, marks = _caption(message)
    return Content("photo", text=text, files=files, card={"kind": "photo", **marks}, supported=bool(files))


def _largest(photo: list[Any], name: str) -> tuple[InboundFile, ...]:
    sizes = [size for size in photo if isinstance(size, Mapping) and string(size, "file_id")]
    if not sizes:
        return ()
    largest = max(sizes, key=lambda size: ((number(size, "width") or 0) * (number(size, "height") or 0), number(size, "file_size") or 0))
    return _file({**largest, "file_name": name}, name, "image/jpeg")


def _paid_media(message: Json) -> Content:
    """What is paid for is a photo, a video, or hidden behind a preview."""
    body = mapping(message, "paid_media")
    files: tuple[InboundFile, ...] = ()
    for at, media in enumerate((one for one in items(body, "paid_media") if isinstance(one, Mapping)), 1):
        name = f"paid_{message.get('message_id', 0)}_{at}"
        files += _largest(items(media, "photo"), f"{name}.jpg") + _file(mapping(media, "video"), f"{name}.mp4", "video/mp4")
    text, marks = _caption(message)
    card = {"kind": "paid_media", "details": outline({"star_count": body.get("star_count")}), **marks}
    return Content("paid_media", text=text, files=files, card=card, supported=bool(files))


def _poll(message: Json) -> Content:
    poll = mapping(message, "poll")
    options = [string(one, "text") for one in items(poll, "options")[:100] if isinstance(one, Mapping)]
    text = "\n".join(filter(None, (string(poll, "question"), *(f"– {option}" for option in options if option))))
    details = {"type": poll.get("type"), "total_voter_count": poll.get("total_voter_count")}
    return Content("poll", text=text, card={"kind": "poll", "details": outline(details)}, supported=False, joins_burst=False)


def _checklist(message: Json) -> Content:
    checklist = mapping(message, "checklist")
    tasks = [
        ("☑ " if "completion_date" in task or "completed_by_user" in task else "☐ ") + string(task, "text")
        for task in items(checklist, "tasks")[:100]
        if isinstance(task, Mapping)
    ]
    text = "\n".join(filter(None, (string(checklist, "title"), *tasks)))
    return Content("checklist", text=text, card={"kind": "checklist"}, supported=bool(text))


def _web_app_data(message: Json) -> Content:
    body = mapping(message, "web_app_data")
    text = string(body, "data")
    card = {"kind": "web_app_data", "details": outline({"button_text": body.get("button_text")})}
    return Content("web_app_data", text=text, card=card, supported=bool(text), joins_burst=False)


def _payment(kind: str) -> Callable[[Json], Content]:
    def read(message: Json) -> Content:
        body = mapping(message, kind)
        kept = {name: value for name, value in body.items() if name not in ("currency", "total_amount", "start_parameter")}
        amount, currency = number(body, "total_amount"), string(body, "currency")[:10]
        if amount is not None:
            # Stars have no smaller unit; nor do some currencies.
            whole = currency in _WITHOUT_CENTS
            kept = {"total_amount": f"{amount if whole else f'{amount / 100:.2f}'} {currency}".strip(), **kept}
        return Content(kind, text=string(body, "title"), card={"kind": kind, "details": outline(kept)}, supported=False, joins_burst=False)

    return read


def _sticker(message: Json) -> Content:
    sticker = mapping(message, "sticker")
    ending, declared_type = next((what for flag, what in _STICKER_ENDINGS.items() if sticker.get(flag) is True), ("webp", "image/webp"))
    emoji = string(sticker, "emoji")
    card = {"kind": "sticker", "emoji": emoji, "set_name": string(sticker, "set_name")}
    files = _file(sticker, f"sticker_{message.get('message_id', 0)}.{ending}", declared_type)
    return Content("sticker", text=emoji, files=files, card=card, supported=bool(files or emoji))


def _contact(message: Json) -> Content:
    contact = mapping(message, "contact")
    digits = string(contact, "phone_number")
    phone = f"+{digits}" if digits.isdecimal() else digits
    name = " ".join(filter(None, (string(contact, "first_name"), string(contact, "last_name"))))
    # Only the person's own card proves that the number is theirs.
    own = number(contact, "user_id") is not None and number(contact, "user_id") == number(mapping(message, "from"), "id")
    card = {"kind": "contact", "phone_number": phone, "name": name, "own": own}
    return Content("contact", text=", ".join(filter(None, (name, phone))), card=card, joins_burst=False)


def _location(message: Json) -> Content:
    card = {"kind": "location", **_point(mapping(message, "location"))}
    return Content("location", text=_coordinates(card), card=card, joins_burst=False)


def _venue(message: Json) -> Content:
    venue = mapping(message, "venue")
    card = {"kind": "venue", "title": string(venue, "title"), "address": string(venue, "address"), **_point(mapping(venue, "location"))}
    text = ", ".join(filter(None, (string(venue, "title"), string(venue, "address"))))
    return Content("venue", text=text or _coordinates(card), card=card, joins_burst=False)


def _point(location: Json) -> dict[str, Any]:
    kept = ("latitude", "longitude", "live_period", "horizontal_accuracy", "heading")
    return {name: _short(location[name]) for name in kept if isinstance(location.get(name), int | float)}


def _coordinates(card: Json) -> str:
    return f"{card['latitude']}, {card['longitude']}" if "latitude" in card and "longitude" in card else ""


# In this order: an animation also carries a document, a venue a location.
_READERS: Final[tuple[tuple[str, Callable[[Json], Content]], ...]] = (
    ("text", _text),
    ("rich_message", _rich_text),
    ("animation", _media("animation", ending="mp4", declared_type="video/mp4")),
    ("photo", _photo),
    ("voice", _media("voice", ending="ogg", declared_type="audio/ogg")),
    ("video", _media("video", ending="mp4", declared_type="video/mp4")),
    ("video_note", _media("video_note", ending="mp4", declared_type="video/mp4")),
    ("live_photo", _media("live_photo", ending="mp4", declared_type="video/mp4")),
    ("audio", _media("audio", ending="mp3", declared_type="audio/mpeg")),
    ("sticker", _sticker),
    ("document", _media("document", ending="bin")),
    ("venue", _venue),
    ("location", _location),
    ("contact", _contact),
    ("paid_media", _paid_media),
    ("poll", _poll),
    ("checklist", _checklist),
    ("web_app_data", _web_app_data),
    ("invoice", _payment("invoice")),
    ("successful_payment", _payment("successful_payment")),
    ("refunded_payment", _payment("refunded_payment")),
)
