"""The chat page: one template, its scripts and styles, and a strict policy for what a browser may do with them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from desk_core.kit.i18n import gettext_noop as _
from desk_core.kit.i18n import known_language

_HERE: Final = Path(__file__).resolve().parent
CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self' blob:; "
    "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)

# What the scripts say; the page hands it to them in the right language.
SCRIPT_TEXTS: Final = {
    "start": _("Start"),
    "empty_chat": _("There is nothing here yet. Press Start, as you would in Telegram."),
    "no_bots": _("No bot yet. Add a Telegram inbox to the desk; its bot appears here by itself."),
    "pick": _("Choose who you are."),
    "edited": _("edited"),
    "edit": _("Edit"),
    "reply": _("Reply"),
    "react": _("React"),
    "copy": _("Copy"),
    "cancel": _("Cancel"),
    "editing": _("Editing your message"),
    "replying": _("Replying to"),
    "typing": _("is typing…"),
    "sending_file": _("is sending a file…"),
    "bot": _("bot"),
    "photo": _("Photo"),
    "voice": _("Voice message"),
    "document": _("File"),
    "contact": _("Contact"),
    "location": _("Location"),
    "other": _("A message this page cannot show"),
    "save": _("Save file"),
    "you": _("You"),
    "block": _("Block the bot"),
    "unblock": _("Unblock the bot"),
    "blocked": _("You have blocked this bot. It cannot write to you."),
    "copied": _("Copied"),
    "link_opened": _("Opens in a new tab"),
    "failed": _("This did not go through. Your text is still here; please try again."),
    "offline": _("The sandbox does not answer. Trying again…"),
    "too_big": _("This file is larger than 50 MB."),
    "today": _("Today"),
    "yesterday": _("Yesterday"),
    "new_user": _("What is the new person called?"),
    "message_actions": _("Message actions"),
    "take_back": _("Take the reaction back"),
    "remove_file": _("Remove"),
    "group": _("group"),
    "groups": _("Groups"),
    "group_title": _("Operators %(number)s"),
    "new_group": _("New group with topics, the bot as administrator"),
    "topics_on": _("Topics in private chats: switch on"),
    "topics_off": _("Topics in private chats: switch off"),
    "joined": _("Joined the group"),
    "topic": _("Topic"),
    "no_topic": _("Outside the topics"),
    "empty_topic": _("There is nothing here yet."),
    "closed": _("closed"),
    "forum_topic_closed": _("The topic was closed"),
    "forum_topic_reopened": _("The topic was opened again"),
}


class Pages:
    """The page at the sandbox's address and its static files below."""

    def __init__(self, translate: Callable[[str, str], str]) -> None:
        self._translate = translate
        self._templates = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=select_autoescape(default=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def routes(self, path: str) -> list[BaseRoute]:
        return [
            Mount(f"{path}/static", StaticFiles(directory=_HERE / "static")),
            Route(path, self.page, methods=["GET"]),
            Route(f"{path}/", self.page, methods=["GET"]),
        ]

    async def page(self, request: Request) -> Response:
        language = _language(request)

        def say(text: str) -> str:
            return self._translate(language, text)

        html = self._templates.get_template("chat.html").render(
            _=say,
            language=language,
            base=request.scope.get("root_path", "") + _path_without_root(request).rstrip("/"),
            texts=json.dumps({key: say(text) for key, text in SCRIPT_TEXTS.items()}, ensure_ascii=False),
        )
        headers = {
            "Content-Security-Policy": CONTENT_SECURITY_POLICY,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
            "Vary": "Accept-Language",
        }
        return HTMLResponse(html, headers=headers)


def _path_without_root(request: Request) -> str:
    path: str = request.scope["path"]
    return path.removeprefix(request.scope.get("root_path", ""))


def _language(request: Request) -> str:
    """What `?lang=` says, otherwise the first language of the browser that the product speaks."""
    if asked := request.query_params.get("lang"):
        return known_language(asked)
    return known_language(request.headers.get("accept-language", "").split(",")[0].split(";")[0].strip())
