"""A pretend person who uses the sandbox as its chat page does, over HTTP; for tests, `priyom demo` and play."""

import asyncio
import mimetypes
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeAlias

import httpx2

Json: TypeAlias = dict[str, Any]
Matching: TypeAlias = str | re.Pattern[str] | Callable[[Json], bool] | None


class SandboxRefused(Exception):
    """The sandbox refused what the person tried; `code` and `description` are its answer."""

    def __init__(self, code: int, description: str) -> None:
        self.code = code
        self.description = description
        super().__init__(f"{code} {description}")


class NothingHeard(AssertionError):
    """The bot said nothing that matches within the time; the message shows what the chat held instead."""


@dataclass(frozen=True, slots=True)
class File:
    """A file to send: kind is photo, document, voice, audio or video."""

    name: str
    data: bytes
    kind: str = "document"
    mime_type: str | None = None

    def as_part(self) -> tuple[str, bytes, str]:
        guessed = self.mime_type or mimetypes.guess_type(self.name)[0] or "application/octet-stream"
        return self.name, self.data, guessed


class Person:
    """One pretend user in the chat with one bot; hears what the bot says from the moment of the first act on."""

    def __init__(
        self,
        page_url: str,
        name: str = "anna",
        *,
        bot: str | None = None,
        group: int | None = None,
        language: str | None = None,
        first_name: str | None = None,
        client: httpx2.AsyncClient | None = None,
    ) -> None:
        """`page_url` is where the chat page is, as in http://127.0.0.1:8080/sandbox/telegram; without `bot` the first. With
        `group` (the chat id) they act in that group instead of in their private chat."""
        self._api = page_url.rstrip("/") + "/api"
        self._wanted = {"key": name, "language_code": language, "first_name": first_name}
        self._bot_name = bot
        self._group_id = group
        # Connections are kept for less time than servers keep them, so that no act meets one that is just being closed.
        self._client = client or httpx2.AsyncClient(trust_env=False, timeout=40, limits=httpx2.Limits(keepalive_expiry=2.0))
        self._owns_client = client is None
        self._path = ""
        self._seq = 0
        self._known: list[Json] = []
        self.user: Json = {}
        self.bot: Json = {}

    async def __aenter__(self) -> Self:
        await self.joins()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        if self._owns_client:
            await self._client.aclose()

    async def joins(self) -> Self:
        """Find or make the user and the bot; every other method does this first, once."""
        if not self._path:
            self.user = await self._call("POST", "/users", json=self._wanted)
            world = await self._call("GET", "/world")
            wanted = (self._bot_name or "").removeprefix("@").split(":", 1)[0].lower()
            bots = [bot for bot in world["bots"] if wanted in ("", str(bot["id"]), bot["username"].lower())]
            if not bots:
                raise SandboxRefused(404, f"no bot {self._bot_name or ''} is known to the sandbox yet")
            self.bot = bots[0]
            self._seq = world["seq"]
            place = "/chats" if self._group_id is None else "/groups"
            group = "" if self._group_id is None else f"/{-self._group_id}"
            self._path = f"{place}/{self.bot['id']}{group}/{self.user['id']}"
        return self

    @property
    def id(self) -> int:
        """The Telegram id of the user, which is also that of the private chat."""
        return int(self.user["id"])

    # Acting

    async def opens(self, payload: str = "") -> Json:
        """Press Start (with the payload of a deep link, if any)."""
        return await self.says(f"/start {payload}".strip())

    async def says(
        self, text: str, *, reply_to: int | None = None, quote: str | None = None, topic: int | None = None, also: Json | None = None
    ) -> Json:
        """Write a text: as an answer (to a part of it, the `quote`), in a topic, with whatever `also` adds to the Message."""
        return await self._message({"text": text, "reply_to": reply_to, "quote": quote, "topic": topic, "also": also})

    async def sends_file(
        self,
        name: str,
        data: bytes,
        *,
        kind: str = "document",
        caption: str = "",
        reply_to: int | None = None,
        topic: int | None = None,
    ) -> Json:
        return (await self.sends_album([File(name, data, kind)], caption=caption, reply_to=reply_to, topic=topic))[0]

    async def sends_album(
        self, files: Sequence[File | tuple[str, bytes]], *, caption: str = "", reply_to: int | None = None, topic: int | None = None
    ) -> list[Json]:
        """Send 2-10 files as one album; tuples of name and bytes are photos."""
        parts = [file if isinstance(file, File) else File(file[0], file[1], "photo") for file in files]
        sent: list[Json] = await self._act(
            "POST",
            "/files",
            files=[("file", part.as_part()) for part in parts],
            data={
                "kind": [part.kind for part in parts],
                "caption": caption,
                "reply_to": "" if reply_to is None else str(reply_to),
                "topic": "" if topic is None else str(topic),
            },
        )
        return sent

    async def sends_contact(self, phone_number: str | None = None) -> Json:
        """Share a phone number: their own, unless another is given."""
        return await self._message({"contact": {"phone_number": phone_number}})

    async def sends_location(self, latitude: float = 55.7558, longitude: float = 37.6173) -> Json:
        return await self._message({"location": {"latitude": latitude, "longitude": longitude}})

    async def sends_content(self, content: Json, *, reply_to: int | None = None, topic: int | None = None) -> Json:
        """Send a message of any kind: the part of a Message object that carries the content."""
        return await self._message({"content": content, "reply_to": reply_to, "topic": topic})

    async def changes(self, message_id: int, content: Json) -> Json:
        """Change any part of an own message, as a live location moves; None takes a part away."""
        return await self._object("PUT", f"/messages/{message_id}", json={"content": content})

    async def deletes(self, message_id: int) -> None:
        """Delete a message for everyone; the bot is not told."""
        await self._object("DELETE", f"/messages/{message_id}")

    async def votes(self, message_id: int, *options: int) -> Json:
        return await self._object("POST", f"/messages/{message_id}/vote", json={"options": list(options)})

    # Topics and groups

    async def topics(self) -> list[Json]:
        """The topics of the chat: `{"message_thread_id", "name", "icon_color", "icon_custom_emoji_id", "closed", "hidden"}`."""
        topics: list[Json] = (await self._chat())["topics"]
        return topics

    async def begins_topic(self, name: str) -> Json:
        return await self._object("POST", "/topics", json={"name": name})

    async def renames_topic(self, topic: int, name: str) -> Json:
        return await self._object("PUT", f"/topics/{topic}", json={"name": name})

    async def closes_topic(self, topic: int, *, closed: bool = True) -> Json:
        return await self._object("PUT", f"/topics/{topic}", json={"closed": closed})

    async def deletes_topic(self, topic: int) -> None:
        """Delete a topic with everything in it; the bot is not told."""
        await self._object("DELETE", f"/topics/{topic}")

    async def switches(self, **switches: bool | str) -> Json:
        """Switch what the application or account can: `topics`, `deactivated`, `language_code`."""
        await self.joins()
        self.user = await self._call("PUT", f"/users/{self.id}", json=switches)
        return self.user

    async def switches_bot(self, **switches: bool) -> Json:
        """Switch what BotFather switches: `has_topics_enabled`, `allows_users_to_create_topics`, `can_read_all_group_messages`."""
        await self.joins()
        self.bot = await self._call("PUT", f"/bots/{self.bot['id']}", json=switches)
        return self.bot

    async def founds_group(
        self,
        title: str,
        *,
        members: Sequence[str] = (),
        is_forum: bool = True,
        administrator: bool = True,
        rights: Sequence[str] | None = None,
    ) -> int:
        """Make a group of these people, add the bot (with every right of an administrator unless told otherwise); its chat id."""
        await self.joins()
        wanted: Json = {"owner": str(self.id), "title": title, "members": list(members), "is_forum": is_forum}
        wanted |= {"administrator": administrator} | ({"rights": list(rights)} if rights is not None else {})
        return int((await self._call("POST", f"/groups/{self.bot['id']}", json=wanted))["id"])

    async def sets_standing(self, group: int, who: str, status: str, *, rights: Sequence[str] | None = None) -> Json:
        """Take in, put out, promote or demote a person (or "bot") by Telegram's names of standing."""
        await self.joins()
        wanted: Json = {"status": status, "by": str(self.id)} | ({"rights": list(rights)} if rights is not None else {})
        changed: Json = await self._call("PUT", f"/groups/{self.bot['id']}/{-group}/members/{who}", json=wanted)
        return changed

    async def sends_raw(self, update: Json) -> Json:
        """Put an update of any shape before the bot; the update as queued."""
        return await self._object("POST", "/updates", json=update)

    async def edits(self, message_id: int, text: str) -> Json:
        return await self._object("PUT", f"/messages/{message_id}", json={"text": text})

    async def reacts(self, message_id: int, emoji: str | None) -> Json:
        """Set a reaction, or take it back with None."""
        return await self._object("POST", f"/messages/{message_id}/reaction", json={"emoji": emoji})

    async def presses(self, button: str, *, message_id: int | None = None) -> str | None:
        """Press the newest button with this text or callback data; the query id, or None where a text was sent."""
        seen = await self._chat()
        for message in reversed(seen["messages"]):
            if message_id not in (None, message["message_id"]):
                continue
            for row in message.get("reply_markup", {}).get("inline_keyboard", []):
                for each in row:
                    if button in (each["text"], each.get("callback_data")) and "callback_data" in each:
                        return await self.presses_data(message["message_id"], each["callback_data"])
        for row in (seen["keyboard"] or {}).get("keyboard", []):
            for each in row:
                if each["text"] == button:
                    await (self.sends_contact() if each.get("request_contact") else self.says(button))
                    return None
        raise SandboxRefused(404, f"there is no button {button!r} in the chat")

    async def presses_data(self, message_id: int, data: str, *, stale: bool = False) -> str:
        """Press by message and callback data; `stale` also where the message shows the button no longer."""
        answer = await self._object("POST", f"/messages/{message_id}/press", json={"data": data, "stale": stale})
        return str(answer["query_id"])

    async def blocks_bot(self) -> None:
        await self._object("POST", "/block", json={"blocked": True})

    async def unblocks_bot(self) -> None:
        await self._object("POST", "/block", json={"blocked": False})

    async def clears_history(self) -> None:
        await self._object("DELETE", "")

    # Perceiving

    async def chat(self) -> list[Json]:
        """All messages of the chat as they stand, oldest first."""
        messages: list[Json] = (await self._chat())["messages"]
        return messages

    async def hears(self, *, timeout: float = 10.0, matching: Matching = None, edited: bool = False) -> Json:
        """The next message of the bot not heard before that matches; with `edited` an edit of one counts too.

        `matching` is a part of the text or caption (whatever the case), a pattern, or a function of the message.
        """
        kinds = ("message", "edited") if edited else ("message",)

        def is_it(event: Json) -> bool:
            return event["kind"] in kinds and event["message"]["from"]["is_bot"] and _matches(event["message"], matching)

        message: Json = (await self._event(is_it, timeout=timeout, what=f"a message matching {matching!r}"))["message"]
        return message

    async def sees_edit(self, message_id: int | None = None, *, timeout: float = 10.0) -> Json:
        """The next edit the bot makes (of this message); the message as it now stands."""

        def is_it(event: Json) -> bool:
            return event["kind"] == "edited" and event["message"]["from"]["is_bot"] and message_id in (None, event["message"]["message_id"])

        message: Json = (await self._event(is_it, timeout=timeout, what="an edit"))["message"]
        return message

    async def sees_answer(self, query_id: str | None = None, *, timeout: float = 10.0) -> Json:
        """The bot's answer to a press: `{"query_id", "text", "show_alert", "url"}`."""
        return await self._event(
            lambda event: event["kind"] == "callback_answer" and query_id in (None, event["query_id"]),
            timeout=timeout,
            what="an answer to the press",
        )

    async def sees_reaction(self, message_id: int | None = None, *, timeout: float = 10.0) -> str:
        """The emoji of the bot's next reaction (to this message)."""

        def is_it(event: Json) -> bool:
            message = event.get("message", {})
            return event["kind"] == "reaction" and "bot" in message["reactions"] and message_id in (None, message["message_id"])

        event = await self._event(is_it, timeout=timeout, what="a reaction")
        return str(event["message"]["reactions"]["bot"])

    async def hears_nothing(self, *, within: float = 1.0) -> bool:
        """True when the bot says nothing new for this long."""
        try:
            await self.hears(timeout=within)
        except NothingHeard:
            return True
        return False

    async def downloads(self, message: Json) -> bytes:
        """The bytes of the file that a message carries."""
        await self.joins()
        response = await self._client.get(f"{self._api}/files/{file_id_of(message)}")
        if response.status_code != 200:
            raise SandboxRefused(response.status_code, "there is no such file")
        return response.content

    # Plumbing

    async def _event(self, is_it: Callable[[Json], bool], *, timeout: float, what: str) -> Json:
        await self.joins()
        clock = asyncio.get_running_loop().time
        until = clock() + timeout
        while True:
            # Events are kept until one of their kind is asked for: an answer to a press must not be lost to a
            # person who first listened for a message. What came before the match, of its kind, counts as heard.
            for number, event in enumerate(self._known):
                if is_it(event):
                    kind = event["kind"]
                    self._known = [e for e in self._known[:number] if e["kind"] != kind] + self._known[number + 1 :]
                    return event
            left = until - clock()
            if left <= 0:
                raise NothingHeard(f"{self._wanted['key']} waited {timeout:g} s for {what}; {await self._lately()}")
            query = {
                "after": str(self._seq),
                "wait": f"{min(left, 20):.3f}",
                "bot": str(self.bot["id"]),
                "chat": str(self.id if self._group_id is None else self._group_id),
            }
            page = await self._call("GET", "/events", params=query)
            self._seq = page["seq"]
            self._known = [*self._known, *page["events"]][-2_000:]

    async def _lately(self) -> str:
        latest = [f"{m['from']['first_name']}: {_text(m)[:80]!r}" for m in (await self.chat())[-5:]]
        return "the chat ends with " + ("; ".join(latest) or "nothing")

    async def _chat(self) -> Json:
        return await self._object("GET", "")

    async def _message(self, said: Json) -> Json:
        return await self._object("POST", "/messages", json=said)

    async def _object(self, verb: str, path: str, *, json: Json | None = None) -> Json:
        answer: Json = await self._act(verb, path, json=json)
        return answer

    async def _act(self, verb: str, path: str, **options: Any) -> Any:
        await self.joins()
        return await self._call(verb, self._path + path, **options)

    async def _call(self, verb: str, path: str, **options: Any) -> Any:
        response = await self._client.request(verb, self._api + path, **options)
        try:
            body = response.json()
        except ValueError:
            raise SandboxRefused(response.status_code, response.text[:200]) from None
        if response.is_success:
            return body
        raise SandboxRefused(response.status_code, str(body.get("description", body)))


def buttons(message: Mapping[str, Any]) -> list[str]:
    """The texts of a message's inline buttons, in reading order."""
    return [str(each["text"]) for row in message.get("reply_markup", {}).get("inline_keyboard", []) for each in row]


def file_id_of(message: Mapping[str, Any]) -> str:
    """The file id of the photo (largest), document, voice, audio or video of a message."""
    if photo := message.get("photo"):
        return str(photo[-1]["file_id"])
    for kind in ("document", "voice", "audio", "video", "animation", "video_note", "sticker"):
        if kind in message:
            return str(message[kind]["file_id"])
    raise SandboxRefused(404, "the message carries no file")


def _text(message: Mapping[str, Any]) -> str:
    return str(message.get("text") or message.get("caption") or "")


def _matches(message: Json, matching: Matching) -> bool:
    match matching:
        case None:
            return True
        case str():
            return matching.casefold() in _text(message).casefold()
        case re.Pattern():
            return matching.search(_text(message)) is not None
        case _:
            return matching(message)
