"""The people's side over HTTP: what the chat page, tests and the demo use to act as pretend users."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import fields
from typing import Any, Final

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from channels.telegram.sandbox.acts import Acts
from channels.telegram.sandbox.bodies import LARGEST_BODY, limited, read_json, read_upload
from channels.telegram.sandbox.bot_api import while_connected
from channels.telegram.sandbox.faults import Fault, FaultKind, Faults
from channels.telegram.sandbox.files import LARGEST_PHOTO, StoredFile, picture_size
from channels.telegram.sandbox.refusals import Refusal, bad_request, forbidden, not_found
from channels.telegram.sandbox.state import Chat, Json, User, World

LONGEST_WAIT_SECONDS: Final = 25.0
_SAFE_IMAGES: Final = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif", b"RIFF": "image/webp"}
_KEY: Final = re.compile(r"[a-z0-9_-]{1,40}")

Handler = Callable[[Request], Awaitable[Response]]


class PeopleApi:
    """JSON endpoints under one prefix; refusals have the shape of the Bot API's."""

    def __init__(self, world: World, faults: Faults) -> None:
        self._world = world
        self._faults = faults
        self._acts = Acts(world)

    def routes(self, prefix: str) -> list[Route]:
        chat = f"{prefix}/chats/{{bot}}/{{user}}"
        table: list[tuple[str, str, Handler]] = [
            ("GET", f"{prefix}/world", self.world),
            ("POST", f"{prefix}/users", self.add_user),
            ("GET", f"{prefix}/events", self.events),
            ("POST", f"{prefix}/faults", self.plan_fault),
            ("DELETE", f"{prefix}/faults", self.clear_faults),
            ("GET", chat, self.chat),
            ("DELETE", chat, self.clear),
            ("POST", f"{chat}/messages", self.write),
            ("POST", f"{chat}/files", self.send_files),
            ("PUT", f"{chat}/messages/{{message_id:int}}", self.edit),
            ("POST", f"{chat}/messages/{{message_id:int}}/press", self.press),
            ("POST", f"{chat}/messages/{{message_id:int}}/reaction", self.react),
            ("POST", f"{chat}/block", self.block),
            ("POST", f"{chat}/updates", self.send_raw),
            ("GET", f"{prefix}/files/{{file_id}}", self.file),
        ]
        return [Route(path, _answering(handler), methods=[verb]) for verb, path, handler in table]

    # The world

    async def world(self, _request: Request) -> Response:
        return JSONResponse(
            {
                "bots": [{"id": bot.id, "username": bot.username, "name": bot.name} for bot in self._world.bots.values()],
                "users": [_user(user) for user in self._world.users.values()],
                "chats": [
                    {"bot": bot.id, "user": chat.user.id, "last": next(reversed(chat.messages.values())).as_seen()}
                    for bot in self._world.bots.values()
                    for chat in bot.chats.values()
                    if chat.messages
                ],
                "seq": self._world.events.last,
            }
        )

    async def add_user(self, request: Request) -> Response:
        """A pretend user by key; one that exists is returned as it is."""
        wanted = await read_json(request)
        key = str(wanted.get("key") or "").lower() or f"user{self._world.next_user_id()}"
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
        user = self._world.add_user(User(id=self._world.next_user_id(), key=key, first_name=first_name, **given))
        return JSONResponse(_user(user), status_code=201)

    async def events(self, request: Request) -> Response:
        """What happened after `after`; waits up to `wait` seconds for something to happen."""
        query = request.query_params
        after = int(query.get("after", "0"))
        bot = self._world.find_bot(query.get("bot")) if query.get("bot") else None
        user = self._world.find_user(query["user"]) if query.get("user") else None
        left = min(float(query.get("wait", "0")), LONGEST_WAIT_SECONDS)
        until = asyncio.get_running_loop().time() + left
        wait = while_connected(request, self._world.events.wake.wait)
        while True:
            last = self._world.events.last
            found = self._world.events.after(after, bot=bot.id if bot else None, user=user.id if user else None)
            left = until - asyncio.get_running_loop().time()
            # A caller that is ahead of us remembers a sandbox of before a restart: tell it at once.
            if found or after > last or not await wait(left) or self._world.events.wake.closed:
                return JSONResponse({"events": found, "seq": last})

    # One chat

    async def chat(self, request: Request) -> Response:
        chat = self._chat(request)
        commands = chat.bot.commands
        language = chat.user.language_code or ""
        menu = next(
            (
                commands[place]
                for place in (
                    ("all_private_chats", language),
                    ("all_private_chats", ""),
                    ("default", language),
                    ("default", ""),
                )
                if place in commands
            ),
            [],
        )
        texts = chat.bot.texts
        return JSONResponse(
            {
                "bot": {"id": chat.bot.id, "username": chat.bot.username, "name": chat.bot.name},
                "user": _user(chat.user),
                "messages": [message.as_seen() for message in chat.messages.values()],
                "blocked": chat.blocked,
                "keyboard": chat.keyboard,
                "commands": menu,
                "description": texts.get(("description", language)) or texts.get(("description", "")) or "",
                "seq": self._world.events.last,
            }
        )

    async def clear(self, request: Request) -> Response:
        self._acts.clears(self._chat(request))
        return JSONResponse({"ok": True})

    async def write(self, request: Request) -> Response:
        """A text, a contact, a location, or any other content of a message."""
        chat = self._chat(request)
        said = await read_json(request)
        reply_to = said.get("reply_to")
        if "text" in said:
            message = self._acts.writes(chat, str(said["text"]), reply_to=reply_to)
        elif "contact" in said:
            phone = (said["contact"] or {}).get("phone_number")
            message = self._acts.sends_contact(chat, phone_number=phone, reply_to=reply_to)
        elif "location" in said:
            place = said["location"]
            message = self._acts.sends_location(
                chat, latitude=float(place["latitude"]), longitude=float(place["longitude"]), reply_to=reply_to
            )
        elif isinstance(said.get("content"), dict):
            message = self._acts.sends_content(chat, said["content"])
        else:
            raise bad_request("message text is empty")
        return JSONResponse(message.as_seen(), status_code=201)

    async def send_files(self, request: Request) -> Response:
        """One file or an album: form fields `file`, `kind` (one for each or one for all), `caption`, `reply_to`."""
        chat = self._chat(request)
        stored: list[StoredFile] = []
        async with limited(request, LARGEST_BODY).form(max_files=10) as form:
            kinds = [str(kind) for kind in form.getlist("kind")] or ["document"]
            files = [item for item in form.getlist("file") if isinstance(item, UploadFile)]
            for number, item in enumerate(files):
                upload = await read_upload(item)
                kind = kinds[min(number, len(kinds) - 1)]
                if kind not in ("photo", "document", "voice", "audio", "video"):
                    raise bad_request(f"a file cannot be sent as {kind}")
                if not upload.data:
                    raise bad_request("file must be non-empty")
                if kind == "photo" and (len(upload.data) > LARGEST_PHOTO):
                    raise bad_request("file is too big")
                stored.append(self._world.files.put(upload.data, kind=kind, name=upload.name, mime_type=upload.mime_type, duration=3))
            caption = str(form.get("caption") or "").strip()
            reply_to = int(str(form["reply_to"])) if form.get("reply_to") else None
        if not stored:
            raise bad_request("there is no file in the request")
        messages = self._acts.sends_files(chat, stored, caption=caption, reply_to=reply_to)
        return JSONResponse([message.as_seen() for message in messages], status_code=201)

    async def edit(self, request: Request) -> Response:
        text = str((await read_json(request)).get("text", ""))
        message = self._acts.edits(self._chat(request), int(request.path_params["message_id"]), text)
        return JSONResponse(message.as_seen())

    async def press(self, request: Request) -> Response:
        wanted = await read_json(request)
        act = self._acts.presses_stale if wanted.get("stale") else self._acts.presses
        query_id = act(self._chat(request), int(request.path_params["message_id"]), str(wanted.get("data", "")))
        return JSONResponse({"query_id": query_id}, status_code=201)

    async def react(self, request: Request) -> Response:
        emoji = (await read_json(request)).get("emoji") or None
        message = self._acts.reacts(self._chat(request), int(request.path_params["message_id"]), emoji)
        return JSONResponse(message.as_seen())

    async def block(self, request: Request) -> Response:
        blocked = bool((await read_json(request)).get("blocked", True))
        self._acts.blocks(self._chat(request), blocked=blocked)
        return JSONResponse({"blocked": blocked})

    async def send_raw(self, request: Request) -> Response:
        return JSONResponse(self._acts.sends_raw(self._chat(request), await read_json(request)), status_code=201)

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

    async def clear_faults(self, _request: Request) -> Response:
        self._faults.clear()
        return JSONResponse({"pending": 0})

    def _chat(self, request: Request) -> Chat:
        bot = self._world.find_bot(str(request.path_params["bot"]))
        user = self._world.find_user(str(request.path_params["user"]))
        if bot is None or user is None:
            raise not_found()
        return self._world.chat(bot, user)


def _user(user: User) -> Json:
    card: Json = {field.name: getattr(user, field.name) for field in fields(User)}
    return card


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
