"""What a chat message is and carries beside its words, for the page: kinds and fields in words of both languages. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from itertools import pairwise
from typing import Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from markupsafe import Markup

from desk_core.conversations.entities import Message
from desk_core.kit.i18n import gettext_noop as _
from desk_core.kit.i18n import translate
from desk_core.kit.markdown import unmarked
from gateway.web.markdown import plain

KINDS: Final[Mapping[str, str]] = {
    # what people send
    "photo": _("Photo"), "video": _("Video"), "video_note": _("Round video"), "voice": _("Voice message"), "audio": _("Audio"),
    "animation": _("Animation"), "live_photo": _("Live photo"), "sticker": _("Sticker"), "document": _("File"), "contact": _("Contact"),
    "location": _("Place"), "live_location": _("Place, live"), "venue": _("Venue"), "poll": _("Poll"), "dice": _("Dice"),
    "story": _("Story"),
    "paid_media": _("Paid media"), "checklist": _("Checklist"), "game": _("Game"), "invoice": _("Invoice"), "giveaway": _("Giveaway"),
    "successful_payment": _("Payment received"), "refunded_payment": _("Payment returned"), "web_app_data": _("Data from a mini app"),
    "users_shared": _("People shared"), "chat_shared": _("Chat shared"), "rich_message": _("Formatted text"), "gift": _("Gift"),
    "unique_gift": _("Unique gift"), "gift_upgrade_sent": _("Gift upgraded"), "passport_data": _("Telegram Passport data"),
    "text": _("Text"), "empty": _("Empty message"), "unreadable": _("Could not be read"),
    # what Telegram writes about a chat
    "new_chat_members": _("Joined the chat"), "left_chat_member": _("Left the chat"), "chat_owner_left": _("The owner left the chat"),
    "chat_owner_changed": _("The chat has a new owner"), "new_chat_title": _("The chat has a new title"),
    "new_chat_photo": _("The chat has a new picture"), "delete_chat_photo": _("The picture of the chat was removed"),
    "group_chat_created": _("Group created"), "supergroup_chat_created": _("Supergroup created"),
    "channel_chat_created": _("Channel created"),
    "message_auto_delete_timer_changed": _("Automatic deletion changed"), "migrate_to_chat_id": _("The group became a supergroup"),
    "migrate_from_chat_id": _("The supergroup was a group before"), "pinned_message": _("Message pinned"),
    "connected_website": _("Logged in on a website"), "write_access_allowed": _("The bot may write"),
    "proximity_alert_triggered": _("Somebody came near"), "boost_added": _("The chat was boosted"),
    "chat_background_set": _("The chat has a new background"), "checklist_tasks_done": _("Tasks of a checklist marked"),
    "checklist_tasks_added": _("Tasks added to a checklist"), "direct_message_price_changed": _("The price of direct messages changed"),
    "forum_topic_created": _("Topic created"), "forum_topic_edited": _("Topic changed"), "forum_topic_closed": _("Topic closed"),
    "forum_topic_reopened": _("Topic reopened"), "general_forum_topic_hidden": _("General topic hidden"),
    "general_forum_topic_unhidden": _("General topic shown again"), "giveaway_created": _("Giveaway announced"),
    "giveaway_winners": _("Winners of a giveaway"), "giveaway_completed": _("Giveaway over"), "managed_bot_created": _("Bot created"),
    "paid_message_price_changed": _("The price of messages changed"), "poll_option_added": _("Option added to a poll"),
    "poll_option_deleted": _("Option removed from a poll"), "suggested_post_approved": _("Suggested post approved"),
    "suggested_post_approval_failed": _("A suggested post could not be approved"), "suggested_post_declined": _("Suggested post declined"),
    "suggested_post_paid": _("Suggested post paid"), "suggested_post_refunded": _("Payment for a suggested post returned"),
    "video_chat_scheduled": _("Video chat planned"), "video_chat_started": _("Video chat began"), "video_chat_ended": _("Video chat ended"),
    "video_chat_participants_invited": _("Invited to a video chat"), "community_chat_added": _("Chat added to a community"),
    "community_chat_removed": _("Chat removed from a community"),
    # kinds of updates
    "channel_post": _("Channel post"), "edited_channel_post": _("Edited channel post"),
    "business_connection": _("Business account connected"),
    "business_message": _("Message to a business account"), "edited_business_message": _("Edited message to a business account"),
    "deleted_business_messages": _("Messages of a business account deleted"), "guest_message": _("Message from another chat"),
    "message_reaction": _("Reaction"), "message_reaction_count": _("Reactions"), "inline_query": _("Search through the bot"),
    "chosen_inline_result": _("Result of a search chosen"), "callback_query": _("Button pressed"),
    "shipping_query": _("Question about shipping"),
    "pre_checkout_query": _("Payment about to be made"), "purchased_paid_media": _("Paid media bought"), "poll_answer": _("Vote in a poll"),
    "my_chat_member": _("The bot's place in a chat changed"), "chat_member": _("A member of a chat changed"),
    "chat_join_request": _("Asks to join a chat"), "chat_boost": _("The chat was boosted"),
    "removed_chat_boost": _("A boost of the chat ended"),
    "managed_bot": _("A managed bot changed"),
}  # fmt: skip
UNKNOWN: Final = _("Something new from Telegram")

FIELDS: Final[Mapping[str, str]] = {
    "value": _("Value"), "title": _("Title"), "description": _("Description"), "question": _("Question"), "type": _("Type"),
    "total_voter_count": _("Votes"), "star_count": _("Stars"), "total_amount": _("Amount"), "currency": _("Currency"),
    "invoice_payload": _("Invoice number"), "telegram_payment_charge_id": _("Telegram's payment number"),
    "provider_payment_charge_id": _("Payment number"), "button_text": _("Button"), "users": _("People"), "user": _("Person"),
    "from": _("From"),
    "chat": _("Chat"), "chats": _("Chats"), "username": _("Username"), "date": _("Time"), "winner_count": _("Winners"),
    "winners_selection_date": _("Drawn at"), "prize_description": _("Prize"), "winners": _("Winners"), "name": _("Name"), "text": _("Text"),
    "emoji": _("Emoji"), "query": _("Looked for"), "status": _("State"), "old_chat_member": _("Was"), "new_chat_member": _("Is now"),
    "option_ids": _("Options"), "options": _("Options"), "data": _("Data"), "reason": _("Reason"), "is_enabled": _("Switched on"),
    "id": _("Number"), "user_id": _("Person's number"), "chat_id": _("Chat's number"), "message_id": _("Message number"),
    "message_ids": _("Message numbers"), "user_chat_id": _("Chat's number"), "bio": _("About"), "duration": _("Length"),
    "tasks": _("Tasks"),
    "is_closed": _("Closed"), "is_anonymous": _("Anonymous"), "invite_link": _("Invitation"), "performer": _("Performer"),
    "address": _("Address"), "phone_number": _("Phone"),
}  # fmt: skip

_YES, _NO = _("yes"), _("no")
_STATES: Final[Mapping[str, str]] = {
    "creator": _("owner"), "administrator": _("administrator"), "member": _("member"), "restricted": _("restricted"), "left": _("left"),
    "kicked": _("removed"), "regular": _("regular"), "quiz": _("quiz"),
}  # fmt: skip
_TAGS: Final = {
    "bold": "b", "italic": "i", "underline": "u", "strikethrough": "s", "blockquote": "blockquote", "expandable_blockquote": "blockquote",
    "code": "code", "pre": "pre",
}  # fmt: skip
_SHOWN_BY_ITSELF: Final = frozenset({"text", "photo", "document", "rich_message", "checklist"})


@dataclass(frozen=True, slots=True)
class Card:
    """What kind of message it is, what is known of it, and where a place can be looked up."""

    title: str
    facts: tuple[tuple[str, str], ...] = ()
    place: str = ""  # address of a map; only ever a link, nothing is fetched


@dataclass(frozen=True, slots=True)
class Around:
    """Where a message comes from and what it answers."""

    forwarded_from: str = ""
    forwarded_link: str = ""
    via: str = ""
    group: str = ""
    answers: str = ""  # who said what it answers
    quoted: str = ""
    quoted_id: str = ""  # where that stands on this page


@dataclass(frozen=True, slots=True)
class Reactions:
    emoji: str
    words: str


def card_of(message: Message, language: str, zone: ZoneInfo) -> Card | None:
    """The card of a message; None where its words and files say all."""
    kept = message.card or {}
    kind = str(kept.get("kind") or "")
    if not kind or message.direction not in ("inbound", "activity"):
        return None
    if kind == "location" and ("live_period" in kept or (message.meta or {}).get("live")):
        kind = "live_location"
    details = kept.get("details")
    facts = _facts(kind, details if isinstance(details, Mapping) else {}, kept, message.text or "", language, zone)
    if kind in _SHOWN_BY_ITSELF and not facts and (message.text or message.attachments):
        return None
    return Card(title_of(kind, language), facts, _place(kept))


def title_of(kind: str, language: str) -> str:
    """The kind of a message or update in words, one of a kind unknown today included."""
    return translate(language, KINDS[kind]) if kind in KINDS else f"{translate(language, UNKNOWN)}: {_spelled(kind)}"


def around(message: Message, known: Mapping[str, Message], language: str) -> Around | None:
    """What stands around a message; `known` holds the messages of the page by the id of their channel."""
    kept = message.card or {}
    answered = known.get(message.reply_to or "") if message.reply_to != message.external_id else None
    told = kept.get("answers") or kept.get("answers_elsewhere")
    told = told if isinstance(told, Mapping) else {}
    said = ""
    if answered is not None:  # what the desk wrote is Markdown
        said = unmarked(answered.text) if answered.direction == "outbound" else answered.text
    quoted = str(kept.get("quote") or said or told.get("text") or "")
    if not quoted and told.get("kind"):
        quoted = title_of(str(told["kind"]), language)
    if answered is not None and not quoted:
        quoted = title_of(str((answered.card or {}).get("kind") or "document"), language)
    who = answered.author if answered is not None else str(told.get("from") or "")
    if answered is not None and answered.author_kind == "bot":
        who = translate(language, _("Bot"))  # as above its own messages
    found = Around(
        forwarded_from=str(kept.get("forwarded_from") or ""),
        forwarded_link=_web(kept.get("forwarded_link")),
        via=str(kept.get("via_bot") or ""),
        group=str(kept.get("chat_title") or "") if kept.get("chat_type") else "",
        answers="" if message.direction == "outbound" else who,
        quoted="" if message.direction == "outbound" else _cut(quoted),
        quoted_id=answered.id if answered is not None else "",
    )
    return found if found != Around(quoted_id=found.quoted_id) else None


def reactions_of(message: Message, language: str) -> tuple[Reactions, ...]:
    """Reactions at a message, each with the words that a screen reader says: who, or how many."""
    meta = message.meta or {}
    by: dict[str, list[str]] = {}
    for told in meta.get("reactions", {}).values():
        for emoji in told.get("emoji", ()):
            by.setdefault(str(emoji), []).append(str(told.get("name") or ""))
    found = [Reactions(_emoji(emoji, language), ", ".join(filter(None, names))) for emoji, names in by.items()]
    counted = [Reactions(_emoji(str(emoji), language), f"× {count}") for emoji, count in meta.get("reaction_counts", ()) if count]
    return (*found, *counted)


def formatted(text: str, marks: Any) -> Markup:
    """The words with their formatting: every piece escaped, tags from a closed list, links to the web alone."""
    good = [mark for mark in marks if _is_mark(mark, len(text))] if isinstance(marks, list) else []
    if not good:
        return plain(text)
    edges = sorted({0, len(text), *(edge for begin, end, *_more in good for edge in (begin, end))})
    pieces: list[Markup] = []
    for begin, end in pairwise(edges):
        piece = plain(text[begin:end])
        over = sorted((mark for mark in good if mark[0] <= begin and mark[1] >= end), key=lambda mark: (mark[1] - mark[0], str(mark[2])))
        for _begin, _end, kind, data in over:  # the narrowest is wrapped first
            piece = _wrapped(piece, text[begin:end], str(kind), str(data))
        pieces.append(piece)
    return Markup("").join(pieces)


def _wrapped(piece: Markup, words: str, kind: str, data: str) -> Markup:
    if kind == "text_link":
        address = _web(data)
        if not address or "<a " in piece:
            return piece
        return Markup('<a href="{}" target="_blank" rel="noopener noreferrer nofollow">{}</a>').format(address, piece)
    if kind == "spoiler":
        return Markup('<span class="spoiler" tabindex="0">{}</span>').format(piece)
    tag = _TAGS.get(kind)
    if tag in ("code", "pre"):
        piece = Markup(escape(words))  # noqa: S704 - escaped; a link inside code is code
    if tag in ("pre", "blockquote"):  # pieces of one block stay in one line of text, so a span with the look of a block
        return Markup('<span class="as-{}">{}</span>').format(tag, piece)
    return Markup("<{0}>{1}</{0}>").format(Markup(tag), piece) if tag else piece  # noqa: S704 - from the closed list above


def _is_mark(mark: Any, length: int) -> bool:
    if not isinstance(mark, list | tuple) or len(mark) != 4:
        return False
    begin, end = mark[0], mark[1]
    return isinstance(begin, int) and isinstance(end, int) and 0 <= begin < end <= length


def _facts(
    kind: str, details: Mapping[str, Any], kept: Mapping[str, Any], text: str, language: str, zone: ZoneInfo
) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    if seconds := kept.get("duration"):
        found.append((translate(language, FIELDS["duration"]), f"{int(seconds) // 60}:{int(seconds) % 60:02}"))
    own = {name: kept[name] for name in ("performer", "title", "address", "phone_number", "name", "reason") if kept.get(name)}
    for name, value in {**own, **details}.items():
        words = _value(str(name), value, language, zone)
        if words and words not in text:
            found.append((translate(language, FIELDS[name]) if name in FIELDS else _spelled(str(name)), words))
    return tuple(found)


def _value(name: str, value: Any, language: str, zone: ZoneInfo) -> str:
    if isinstance(value, bool):
        return translate(language, _YES if value else _NO)
    if isinstance(value, int) and (name == "date" or name.endswith("_date")):
        try:
            return f"{datetime.fromtimestamp(value, UTC).astimezone(zone):%d.%m.%Y %H:%M}"
        except (ValueError, OverflowError, OSError):
            return str(value)
    if isinstance(value, str) and value in _STATES:
        return translate(language, _STATES[value])
    return str(value) if isinstance(value, str | int | float) else ""


def _spelled(name: str) -> str:
    """A name that the Bot API gave and that nobody has put into words yet."""
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def _place(kept: Mapping[str, Any]) -> str:
    latitude, longitude = kept.get("latitude"), kept.get("longitude")
    if not isinstance(latitude, int | float) or not isinstance(longitude, int | float):
        return ""
    return f"https://www.openstreetmap.org/?mlat={latitude}&mlon={longitude}#map=17/{latitude}/{longitude}"


def _web(address: Any) -> str:
    try:
        return str(address) if isinstance(address, str) and urlsplit(address).scheme in ("http", "https", "mailto", "tel") else ""
    except ValueError:
        return ""


def _emoji(emoji: str, language: str) -> str:
    return {"paid": "⭐", "custom_emoji": translate(language, _("own emoji"))}.get(emoji, emoji)


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 160 else f"{line[:159]}…"
