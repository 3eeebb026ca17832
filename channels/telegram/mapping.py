"""A Telegram update, as plain JSON, in the desk's words. Pure, and total: there is no update it does not map.

It reads the JSON itself and not aiogram's types, so that a kind of update newer than the library, or a field of an
unexpected type, is stored and shown like everything else, and so that receiving does not wait for a heavy import.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from channels.telegram.content import Json, items, mapping, name_of, number, outline, read_content, string, summary
from desk_core.conversations.ports import InboundKind, InboundMessage, Sender

_COMMAND: Final = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@([A-Za-z0-9_]{1,64}))?(?:\s+(.*))?", re.DOTALL)
_DEEP_LINK: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MESSAGES: Final = frozenset({"message", "edited_message"})
# Messages of places where the bot is no party to a talk: kept and shown, never answered.
_OVERHEARD: Final = frozenset({"channel_post", "edited_channel_post", "business_message", "edited_business_message", "guest_message"})
_NOBODY: Final = "telegram"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def to_inbound(update: Json, *, inbox_id: str, burst_seconds: float, now: datetime | None = None) -> InboundMessage:
    """The update as an inbound message; what cannot be read is UNSUPPORTED. `now` dates an update that has no time of its own."""
    try:
        return _mapped(update, inbox_id=inbox_id, burst_seconds=burst_seconds, now=now or _EPOCH)
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as error:
        return unreadable(update, inbox_id=inbox_id, reason=type(error).__name__, now=now)


def unreadable(update: Any, *, inbox_id: str, reason: str, now: datetime | None = None) -> InboundMessage:
    """The least that can be said of an update, for one that nothing else can be said of."""
    return InboundMessage(
        kind=InboundKind.UNSUPPORTED,
        external_id=external_id(update),
        lane=f"in:{inbox_id}:{_NOBODY}",
        sender=Sender(_NOBODY, name="Telegram"),
        at=now or _EPOCH,
        thread_key=_NOBODY,
        held=True,
        card={"kind": "unreadable", "reason": reason},
    )


def external_id(update: Any) -> str:
    """`u<update_id>`; for an update without one, a digest of its content, so that it too is stored once."""
    update_id = number(update, "update_id") if isinstance(update, Mapping) else None
    if update_id is not None:
        return f"u{update_id}"
    return "x" + hashlib.sha256(json.dumps(update, sort_keys=True, default=str).encode()).hexdigest()[:32]


def _mapped(update: Json, *, inbox_id: str, burst_seconds: float, now: datetime) -> InboundMessage:
    kind, body = _kind(update)
    if kind in _MESSAGES or kind in _OVERHEARD:
        return _message(update, kind, body, inbox_id=inbox_id, burst_seconds=burst_seconds, now=now)
    base = _base(update, kind, body, inbox_id=inbox_id, now=now)
    match kind:
        case "callback_query" if isinstance(body.get("data"), str):
            return _press(base, body)
        case "callback_query":
            return replace(base, callback_id=string(body, "id") or None)
        case "my_chat_member":
            return _membership(base, body)
        case "message_reaction":
            return _reaction(base, body)
        case "message_reaction_count":
            return _counts(base, body)
        case _:
            return base


def _kind(update: Json) -> tuple[str, Json]:
    for name, value in update.items():
        if isinstance(value, Mapping):
            return name, value
    return next((name for name in update if name != "update_id"), "empty"), {}


def _base(update: Json, kind: str, body: Json, *, inbox_id: str, now: datetime) -> InboundMessage:
    """What every update has: who, where, when; UNSUPPORTED and held until somebody knows better."""
    message = mapping(body, "message")
    chat = mapping(body, "chat") or mapping(message, "chat")
    sender = _sender(body, chat)
    chat_id = _id(chat) or sender.address
    card: dict[str, Any] = {"kind": kind, "details": outline(body)}
    if chat_type := _foreign_chat(chat):
        card["chat_type"] = chat_type
    return InboundMessage(
        kind=InboundKind.UNSUPPORTED,
        external_id=external_id(update),
        lane=f"in:{inbox_id}:{chat_id}",
        sender=sender,
        at=_time(body, now=now),
        thread_key=chat_id + (_thread(body) or _thread(message)),
        text=summary(body),
        held=True,
        card=card,
    )


def _message(update: Json, kind: str, body: Json, *, inbox_id: str, burst_seconds: float, now: datetime) -> InboundMessage:
    base = _base(update, kind, body, inbox_id=inbox_id, now=now)
    content = read_content(body)
    edited = kind.startswith("edited_")
    shown_id = _shown_id(body)
    command = _COMMAND.fullmatch(content.text.strip()) if kind == "message" and content.kind == "text" else None
    card = {**content.card, **_circumstances(body, base)}
    inbound_kind = InboundKind.EDIT if edited else InboundKind.MESSAGE
    if kind in _OVERHEARD or not content.supported:
        inbound_kind = InboundKind.UNSUPPORTED
        card = {**card, "kind": kind if kind in _OVERHEARD else content.kind, "content": content.kind}
    if command is not None:
        card |= {"args": (command[3] or "").strip()} | ({"command_to": command[2]} if command[2] else {})
    burst = content.joins_burst and command is None and inbound_kind is InboundKind.MESSAGE
    return replace(
        base,
        kind=inbound_kind,
        shown_id=shown_id,
        text=content.text,
        files=content.files,
        reply_to=_answered(body),
        edits=shown_id if edited else None,
        command=command[1].lower() if command else None,
        tokens=_deep_link(command),
        album=string(body, "media_group_id") or None,
        automatic=_is_automatic(body),
        held=kind in _OVERHEARD or content.service or _is_automatic(body),
        card=card,
        delay=burst_seconds if burst else 0.0,
    )


def _press(base: InboundMessage, body: Json) -> InboundMessage:
    message = mapping(body, "message")
    card = {name: value for name, value in base.card.items() if name == "chat_type"}
    return replace(
        base,
        kind=InboundKind.PRESS,
        button=string(body, "data"),
        callback_id=string(body, "id") or None,
        reply_to=_shown_id(message),  # the message whose button it was
        text="",
        held=False,
        card=card,
    )


def _membership(base: InboundMessage, body: Json) -> InboundMessage:
    status = string(mapping(body, "new_chat_member"), "status")
    card = dict(base.card) if "chat_type" in base.card else {}
    if chat_title := string(mapping(body, "chat"), "title"):
        card["chat_title"] = chat_title
    return replace(base, kind=InboundKind.MEMBERSHIP, held=False, card={**card, "blocked": status in ("kicked", "left"), "status": status})


def _reaction(base: InboundMessage, body: Json) -> InboundMessage:
    old, new = _emoji(items(body, "old_reaction")), _emoji(items(body, "new_reaction"))
    card = {name: value for name, value in base.card.items() if name == "chat_type"}
    card |= {"reactions": new, "added": [one for one in new if one not in old], "removed": [one for one in old if one not in new]}
    return replace(base, kind=InboundKind.REACTION, reply_to=_shown_id(body), held=False, card=card)


def _counts(base: InboundMessage, body: Json) -> InboundMessage:
    """Reactions of people whom Telegram does not name: how many of each."""
    counted = [
        [emoji[0], number(one, "total_count") or 0]
        for one in items(body, "reactions")
        if isinstance(one, Mapping) and (emoji := _emoji([one.get("type")]))
    ]
    card = {name: value for name, value in base.card.items() if name == "chat_type"} | {"counts": counted[:20]}
    return replace(base, kind=InboundKind.REACTION, reply_to=_shown_id(body), held=True, text="", card=card)


def _emoji(reactions: list[Any]) -> list[str]:
    found = [string(one, "emoji") or string(one, "type") for one in reactions if isinstance(one, Mapping)]
    return [emoji[:40] for emoji in found if emoji][:20]


def _circumstances(body: Json, base: InboundMessage) -> dict[str, Any]:
    """What an operator should know about a message beside its content: group, forward, quote, other bots."""
    found: dict[str, Any] = {name: value for name, value in base.card.items() if name == "chat_type"}
    if chat_title := string(mapping(body, "chat"), "title"):
        found["chat_title"] = chat_title
    if source := _forwarded(body):
        found["forwarded_from"] = source
        if address := _public_address(mapping(body, "forward_origin")):
            found["forwarded_link"] = address
    if quote := string(mapping(body, "quote"), "text"):
        found["quote"] = quote
    if via := string(mapping(body, "via_bot"), "username"):
        found["via_bot"] = via
    if elsewhere := mapping(body, "external_reply"):
        inner = read_content({name: value for name, value in elsewhere.items() if name not in ("origin", "chat")})
        found["answers_elsewhere"] = {"from": _origin(mapping(elsewhere, "origin")), "kind": inner.kind, "text": inner.text[:300]}
    elif story := mapping(body, "reply_to_story"):
        found["answers_elsewhere"] = {"from": name_of(mapping(story, "chat")), "kind": "story", "text": ""}
    elif answered := mapping(body, "reply_to_message"):
        found["answers"] = {"from": name_of(mapping(answered, "from")), "text": read_content(answered).text[:300]}
        if mapping(answered, "from").get("is_bot") is True:
            found["answers"]["bot"] = _id(mapping(answered, "from"))
    return found


def _forwarded(body: Json) -> str:
    old = name_of(mapping(body, "forward_from")) or name_of(mapping(body, "forward_from_chat"))
    return _origin(mapping(body, "forward_origin")) or old or string(body, "forward_sender_name")


def _origin(origin: Json) -> str:
    for name in ("sender_user", "sender_chat", "chat"):
        if words := name_of(mapping(origin, name)):
            return words
    return string(origin, "sender_user_name") or string(origin, "type")


def _public_address(origin: Json) -> str:
    """Where everybody can read a post of a public channel."""
    username, post = string(mapping(origin, "chat"), "username"), number(origin, "message_id")
    return f"https://t.me/{username}/{post}" if post is not None and _DEEP_LINK.fullmatch(username) else ""


def _sender(body: Json, chat: Json) -> Sender:
    for name in ("from", "user", "sender_chat", "actor_chat", "voter_chat"):
        person = mapping(body, name)
        if _id(person):
            return Sender(
                _id(person),
                name=name_of(person),
                language=string(person, "language_code") or None,
                username=string(person, "username") or None,
                verified=name in ("from", "user"),  # Telegram itself vouches for who a user is
            )
    return Sender(_id(chat), name=name_of(chat)) if _id(chat) else Sender(_NOBODY, name="Telegram")


def _id(body: Json) -> str:
    value = number(body, "id")
    return "" if value is None else str(value)


def _foreign_chat(chat: Json) -> str:
    """The type of a chat that is not private; empty for a private one."""
    chat_type = string(chat, "type")
    return "" if chat_type == "private" else chat_type


def _thread(message: Json) -> str:
    # Replies in a plain supergroup carry a message_thread_id too; only a topic is a thread of its own.
    thread = number(message, "message_thread_id")
    return f":{thread}" if thread is not None and message.get("is_topic_message") is True else ""


def _shown_id(message: Json) -> str | None:
    chat_id, message_id = _id(mapping(message, "chat")), number(message, "message_id")
    return f"{chat_id}:{message_id}" if chat_id and message_id is not None else None


def _answered(body: Json) -> str | None:
    """The message this one replies to; the service message that begins a topic is no such thing."""
    answered = mapping(body, "reply_to_message")
    return None if "forum_topic_created" in answered else _shown_id(answered)


def _deep_link(command: re.Match[str] | None) -> tuple[str, ...]:
    if command is None or command[1].lower() != "start":
        return ()
    payload = (command[3] or "").strip()
    return (payload,) if _DEEP_LINK.fullmatch(payload) else ()


def _is_automatic(body: Json) -> bool:
    # Bots answering bots would never end.
    return mapping(body, "from").get("is_bot") is True or body.get("is_automatic_forward") is True


def _time(body: Json, *, now: datetime) -> datetime:
    for seconds in (number(body, "edit_date"), number(body, "date"), number(mapping(body, "message"), "date")):
        # A deleted message has date 0; a press carries its message's time, which is not when it was pressed.
        if seconds and seconds > 0 and (now == _EPOCH or "chat_instance" not in body):
            try:
                return datetime.fromtimestamp(seconds, UTC)
            except (ValueError, OverflowError, OSError):
                return now
    return now
