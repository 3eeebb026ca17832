"""The people's side over HTTP: what the chat page, tests and the demo use to act as pretend users."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import fields
from typing import Any, Final

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from channels.telegram.sandbox.acts import Acts, Place
from channels.telegram.sandbox.bodies import LARGEST_BODY, limited, read_json, read_upload
from channels.telegram.sandbox.bot_api import while_connected
from channels.telegram.sandbox.chats import Chat, Json, Seat, Standing, User
from channels.telegram.sandbox.content import FILE_KINDS
from channels.telegram.sandbox.faults import Fault, FaultKind, Faults
from channels.telegram.sandbox.files import LARGEST_PHOTO, StoredFile, picture_size
from channels.telegram.sandbox.groups import Gathering
from channels.telegram.sandbox.refusals import Refusal, bad_request, forbidden, not_found
from channels.telegram.sandbox.state import Bot, World

LONGEST_WAIT_SECONDS: Final = 25.0
_SAFE_IMAGES: Final = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif", b"RIFF": "image/webp"}
_KEY: Final = re.compile(r"[a-z0-9_-]{1,40}")

Handler = Callable[[Request], Awaitable[Response]]


class PeopleApi:
    """JSON endpoints under one prefix; refusals have the shape of the Bot API's."""

    def __init__(self, world: World, faults: Faults, violations: Sequence[str]) -> None:
        self._world = world
        self._faults = faults
        self._violations = violations
        self._acts = Acts(world)
        self._gathering = Gathering(world)

    def routes(self, prefix: str) -> list[Route]:
        table: list[tuple[str, str, Handler]] = [
            ("GET", "/world", self.world),
            ("POST", "/users", self.add_user),
            ("PUT", "/users/{user}", self.change_user),
            ("PUT", "/bots/{bot}", self.change_bot),
            ("POST", "/groups/{bot}", self.add_group),
            ("PUT", "/groups/{bot}/{group:int}", self.change_group),
            ("PUT", "/groups/{bot}/{group:int}/members/{member}", self.change_member),
            ("GET", "/events", self.events),
            ("POST", "/faults", self.plan_fault),
            ("DELETE", "/faults", self.clear_faults),
            ("GET", "/violations", self.violations),
            ("GET", "/files/{file_id}", self.file),
        ]
        in_chat: list[tuple[str, str, Handler]] = [
            ("GET", "", self.chat),
            ("DELETE", "", self.clear),
            ("POST", "/messages", self.write),
            ("POST", "/files", self.send_files),
            ("PUT", "/messages/{message_id:int}", self.edit),
            ("DELETE", "/messages/{message_id:int}", self.delete),
            ("POST", "/messages/{message_id:int}/press", self.press),
            ("POST", "/messages/{message_id:int}/reaction", self.react),
            ("POST", "/messages/{message_id:int}/vote", self.vote),
            ("POST", "/topics", self.begin_topic),
            ("PUT", "/topics/{topic_id:int}", self.change_topic),
            ("DELETE", "/topics/{topic_id:int}", self.delete_topic),
            ("POST", "/block", self.block),
            ("POST", "/updates", self.send_raw),
        ]
        for seat in ("/chats/{bot}/{user}", "/groups/{bot}/{group:int}/{user}"):
            table += [(verb, seat + path, handler) for verb, path, handler in in_chat]
        return [Route(prefix + path, _answering(handler), methods=[verb]) for verb, path, handler in table]

    # The world

    async def world(self, _request: Request) -> Response:
        return JSONResponse(
            {
                "bots": [_bot(bot) for bot in self._world.bots.values()],
                "users": [_user(user) for user in self._world.users.values()],
                "chats": [
                    {"bot": bot.id, "user": chat.user.id, "last": next(reversed(chat.messages.values())).as_seen()}
                    for bot in self._world.bots.values()
                    for chat in bot.chats.values()
                    if chat.messages and chat.user
                ],
                "groups": [_group(chat) for bot in self._world.bots.values() for chat in bot.chats.values() if not chat.is_private],
                "seq": self._world.events.last,
            }
        )

    async def add_user(self, request: Request) -> Response:
        """A pretend user by key; one that exists is returned as it is."""
        wanted = await read_json(request)
        key = str(wanted.get("key") or "").lower() or f"user{self._world.seconds()}-{self._world.serial()}"
        if not _KEY.fullmatch(key):
            raise bad_request("a key is 1-40 lower case letters, digits, dashes")
        known = self._world.find_user(key)
        if known is not None:
            return JSONResponse(_user(known))
        first_name = str(wanted.get("first_name") or key.title()).strip()[:64]
        given: Json = {
            field.name: str(wanted[field.name])[:64]
            for field in fields(User)
            if field.name in ("last_name", "username", "language_code", "phone_number") and wanted.get(field.name)
        }
        user = self._world.add_user(User(id=self._world.new_user_id(key), key=key, first_name=first_name, **given))
        return JSONResponse(_user(user), status_code=201)

    async def change_user(self, request: Request) -> Response:
        """Switch what a person's application or account can: `topics`, `deactivated`, `language_code`."""
        user = self._user(str(request.path_params["user"]))
        wanted = await read_json(request)
        for name in ("topics", "deactivated"):
            if name in wanted:
                setattr(user, name, bool(wanted[name]))
        if "language_code" in wanted:
            user.language_code = str(wanted["language_code"])[:16] or None
        return JSONResponse(_user(user))

    async def change_bot(self, request: Request) -> Response:
        """Switch what BotFather switches: `has_topics_enabled`, `allows_users_to_create_topics`, `can_read_all_group_messages`."""
        bot = self._bot(request)
        for name, value in (await read_json(request)).items():
            if name not in BOT_SWITCHES:
                raise bad_request(f"there is no switch {name}")
            setattr(bot, name, bool(value))
        return JSONResponse(_bot(bot))

    # Groups

    async def add_group(self, request: Request) -> Response:
        """A supergroup with the bot in it: `owner`, `title`, `is_forum`, `members`, and `administrator` for the bot's standing."""
        bot = self._bot(request)
        wanted = await read_json(request)
        owner = self._user(str(wanted["owner"]))
        members = [self._user(str(name)) for name in wanted.get("members", [])]
        title = str(wanted.get("title") or "Group")[:128]
        chat = self._gathering.found(bot, owner, title=title, is_forum=bool(wanted.get("is_forum")), members=members)
        if wanted.get("administrator"):
            self._gathering.set_standing(chat, bot.as_json(), Standing.ADMINISTRATOR, rights=wanted.get("rights"), by=owner)
        return JSONResponse(_group(chat), status_code=201)

    async def change_group(self, request: Request) -> Response:
        chat = self._group(request)
        self._gathering.set_forum(chat, is_forum=bool((await read_json(request)).get("is_forum")))
        return JSONResponse(_group(chat))

    async def change_member(self, request: Request) -> Response:
        """Take in, put out, promote or demote: `status` by Telegram's names, `rights` of an administrator, `by` whom."""
        chat = self._group(request)
        wanted = await read_json(request)
        name = str(request.path_params["member"])
        who = chat.bot.as_json() if name in ("bot", str(chat.bot.id)) else self._user(name).as_json()
        owner = next(member.user["id"] for member in chat.members.values() if member.standing is Standing.OWNER)
        by = self._user(str(wanted.get("by") or owner))
        member = self._gathering.set_standing(chat, who, Standing(str(wanted["status"])), rights=wanted.get("rights"), by=by)
        return JSONResponse(member.as_json())

    async def events(self, request: Request) -> Response:
        """What happened after `after`; waits up to `wait` seconds for something to happen."""
        query = request.query_params
        after = int(query.get("after", "0"))
        bot = self._world.find_bot(query.get("bot")) if query.get("bot") else None
        user = self._world.find_user(query["user"]) if query.get("user") else None
        chat = int(query["chat"]) if query.get("chat") else user.id if user else None
        left = min(float(query.get("wait", "0")), LONGEST_WAIT_SECONDS)
        until = asyncio.get_running_loop().time() + left
        wait = while_connected(request, self._world.events.wake.wait)
        while True:
            last = self._world.events.last
            found = self._world.events.after(after, bot=bot.id if bot else None, chat=chat)
            left = until - asyncio.get_running_loop().time()
            # A caller that is ahead of us remembers a sandbox of before a restart: tell it at once.
            if found or after > last or not await wait(left) or self._world.events.wake.closed:
                return JSONResponse({"events": found, "seq": last})

    # One chat

    async def chat(self, request: Request) -> Response:
        seat = self._seat(request)
        chat = seat.chat
        commands = chat.bot.commands
        language = seat.user.language_code or ""
        scope = "all_private_chats" if chat.is_private else "all_group_chats"
        places = ((scope, language), (scope, ""), ("default", language), ("default", ""))
        menu = next((commands[place] for place in places if place in commands), [])
        texts = chat.bot.texts
        return JSONResponse(
            {
                "bot": _bot(chat.bot),
                "user": _user(seat.user),
                "group": None if chat.is_private else _group(chat),
                "has_topics": chat.has_topics,
                "topics": [topic.as_seen() for topic in chat.topics.values()] if chat.has_topics else [],
                "pinned": chat.pinned,
                "messages": [message.as_seen() for message in chat.messages.values()],
                "blocked": chat.blocked,
                "keyboard": chat.keyboard,
                "commands": menu,
                "description": texts.get(("description", language)) or texts.get(("description", "")) or "",
                "seq": self._world.events.last,
            }
        )

    async def clear(self, request: Request) -> Response:
        self._acts.clears(self._seat(request))
        return JSONResponse({"ok": True})

    async def write(self, request: Request) -> Response:
        """A text, a contact, a location, or any other content of a message; `reply_to`, `quote`, `topic` and, for whatever other
        fields of a Message it should carry, `also`."""
        seat = self._seat(request)
        said = await read_json(request)
        place = _place(said)
        if "text" in said:
            message = self._acts.writes(seat, str(said["text"]), place)
        elif "contact" in said:
            phone = (said["contact"] or {}).get("phone_number")
            message = self._acts.sends_contact(seat, place, phone_number=phone)
        elif "location" in said:
            where = said["location"]
            message = self._acts.sends_location(seat, place, latitude=float(where["latitude"]), longitude=float(where["longitude"]))
        elif isinstance(said.get("content"), dict):
            message = self._acts.sends(seat, said["content"], place)
        else:
            raise bad_request("message text is empty")
        return JSONResponse(message.as_seen(), status_code=201)

    async def send_files(self, request: Request) -> Response:
        """One file or an album: form fields `file`, `kind` (one for each or one for all), `caption`, `reply_to`, `topic`."""
        seat = self._seat(request)
        stored: list[StoredFile] = []
        async with limited(request, LARGEST_BODY).form(max_files=10) as form:
            kinds = [str(kind) for kind in form.getlist("kind")] or ["document"]
            files = [item for item in form.getlist("file") if isinstance(item, UploadFile)]
            for number, item in enumerate(files):
                upload = await read_upload(item)
                kind = kinds[min(number, len(kinds) - 1)]
                if kind not in FILE_KINDS:
                    raise bad_request(f"a file cannot be sent as {kind}")
                if not upload.data:
                    raise bad_request("file must be non-empty")
                if kind == "photo" and (len(upload.data) > LARGEST_PHOTO):
                    raise bad_request("file is too big")
                stored.append(self._world.files.put(upload.data, kind=kind, name=upload.name, mime_type=upload.mime_type, duration=3))
            caption = str(form.get("caption") or "").strip()
            place = _place({name: int(str(form[name])) for name in ("reply_to", "topic") if form.get(name)})
        if not stored:
            raise bad_request("there is no file in the request")
        messages = self._acts.sends_files(seat, stored, place, caption=caption)
        return JSONResponse([message.as_seen() for message in messages], status_code=201)

    async def edit(self, request: Request) -> Response:
        """A new text, or with `content` any other parts of the message."""
        wanted = await read_json(request)
        seat, message_id = self._seat(request), int(request.path_params["message_id"])
        if isinstance(wanted.get("content"), dict):
            return JSONResponse(self._acts.changes(seat, message_id, wanted["content"]).as_seen())
        return JSONResponse(self._acts.edits(seat, message_id, str(wanted.get("text", ""))).as_seen())

    async def delete(self, request: Request) -> Response:
        self._acts.deletes(self._seat(request), int(request.path_params["message_id"]))
        return JSONResponse({"ok": True})

    async def press(self, request: Request) -> Response:
        wanted = await read_json(request)
        act = self._acts.presses_stale if wanted.get("stale") else self._acts.presses
        query_id = act(self._seat(request), int(request.path_params["message_id"]), str(wanted.get("data", "")))
        return JSONResponse({"query_id": query_id}, status_code=201)

    async def react(self, request: Request) -> Response:
        emoji = (await read_json(request)).get("emoji") or None
        message = self._acts.reacts(self._seat(request), int(request.path_params["message_id"]), emoji)
        return JSONResponse(message.as_seen())

    async def vote(self, request: Request) -> Response:
        options = [int(option) for option in (await read_json(request))["options"]]
        return JSONResponse(self._acts.votes(self._seat(request), int(request.path_params["message_id"]), options).as_seen())

    async def begin_topic(self, request: Request) -> Response:
        topic = self._acts.begins_topic(self._seat(request), str((await read_json(request)).get("name", "")))
        return JSONResponse(topic.as_seen(), status_code=201)

    async def change_topic(self, request: Request) -> Response:
        """A new `name`, or `closed`."""
        wanted = await read_json(request)
        seat, topic_id = self._seat(request), int(request.path_params["topic_id"])
        if "closed" in wanted:
            return JSONResponse(self._acts.closes_topic(seat, topic_id, closed=bool(wanted["closed"])).as_seen())
        return JSONResponse(self._acts.renames_topic(seat, topic_id, str(wanted.get("name", ""))).as_seen())

    async def delete_topic(self, request: Request) -> Response:
        self._acts.deletes_topic(self._seat(request), int(request.path_params["topic_id"]))
        return JSONResponse({"ok": True})

    async def block(self, request: Request) -> Response:
        blocked = bool((await read_json(request)).get("blocked", True))
        self._acts.blocks(self._seat(request), blocked=blocked)
        return JSONResponse({"blocked": blocked})

    async def send_raw(self, request: Request) -> Response:
        return JSONResponse(self._acts.sends_raw(self._seat(request), await read_json(request)), status_code=201)

    async def file(self, request: Request) -> Response:
        """A file of a chat; only plain pictures are shown, everything else is saved."""
        stored = self._world.files.get(str(request.path_params["file_id"]))
        if stored is None:
            raise not_found()
        headers = {"X-Content-Type-Options": "nosniff", "Content-Disposition": "attachment"}
        media_type = "application/octet-stream"
        if picture_size(stored.data) is not None:
            media_type = next(kind for start, kind in _SAFE_IMAGES.items() if stored.data.startswith(start))
            headers["Content-Disposition"] = "inline"
        elif stored.kind == "voice":
            media_type = "audio/ogg"
        return Response(stored.data, media_type=media_type, headers=headers)

    # Faults, for tests that run the sandbox in another process

    async def plan_fault(self, request: Request) -> Response:
        wanted = await read_json(request)
        try:
            fault = Fault(
                FaultKind(str(wanted.get("kind"))),
                retry_after=int(wanted.get("retry_after", 1)),
                code=int(wanted.get("code", 500)),
                description=str(wanted.get("description", "Internal Server Error")),
                seconds=float(wanted.get("seconds", 0)),
            )
        except ValueError:
            raise bad_request("unknown kind of fault") from None
        self._faults.plan(str(wanted.get("method", "*")), fault, times=min(int(wanted.get("times", 1)), 10_000))
        return JSONResponse({"pending": self._faults.pending()}, status_code=201)

    async def violations(self, _request: Request) -> Response:
        """What bots asked that the schema of the Bot API does not have, oldest first."""
        return JSONResponse({"violations": list(self._violations)})

    async def clear_faults(self, _request: Request) -> Response:
        self._faults.clear()
        return JSONResponse({"pending": 0})

    def _bot(self, request: Request) -> Bot:
        bot = self._world.find_bot(str(request.path_params["bot"]))
        if bot is None:
            raise not_found()
        return bot

    def _user(self, name: str) -> User:
        user = self._world.find_user(name)
        if user is None:
            raise not_found()
        return user

    def _group(self, request: Request) -> Chat:
        chat = self._bot(request).chats.get(-int(request.path_params["group"]))
        if chat is None or chat.is_private:
            raise not_found()
        return chat

    def _seat(self, request: Request) -> Seat:
        user = self._user(str(request.path_params["user"]))
        if "group" in request.path_params:
            return Seat(self._group(request), user)
        return Seat(self._world.chat(self._bot(request), user), user)


BOT_SWITCHES: Final = ("has_topics_enabled", "allows_users_to_create_topics", "can_read_all_group_messages")


def _place(said: Json) -> Place:
    also = said.get("also") or {}
    return Place(reply_to=said.get("reply_to"), quote=said.get("quote"), topic=said.get("topic"), also=also)


def _user(user: User) -> Json:
    card: Json = {field.name: getattr(user, field.name) for field in fields(User)}
    return card


def _bot(bot: Bot) -> Json:
    return {"id": bot.id, "username": bot.username, "name": bot.name} | {name: getattr(bot, name) for name in BOT_SWITCHES}


def _group(chat: Chat) -> Json:
    """A group as the people's side shows it; in paths it goes by its id without the minus."""
    members = [{"id": member.user["id"], "status": member.standing.value} for member in chat.members.values()]
    return {"bot": chat.bot.id, "id": chat.id, "title": chat.title, "is_forum": chat.is_forum, "members": members}


def _answering(handler: Handler) -> Handler:
    """The handler, with refusals and nonsense turned into answers, closed to pages of other sites."""

    async def answer(request: Request) -> Response:
        # Acting needs no password here, so a page elsewhere in the same browser must not be able to act.
        if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            return _refused(forbidden("the sandbox is used from its own page"))
        try:
            return await handler(request)
        except Refusal as refusal:
            return _refused(refusal)
        except (ValueError, TypeError, KeyError, AttributeError):
            return _refused(bad_request("a field has the wrong type"))

    return answer


def _refused(refusal: Refusal) -> Response:
    body: dict[str, Any] = refusal.answer()
    return JSONResponse(body, status_code=refusal.code)
