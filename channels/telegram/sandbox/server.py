"""The sandbox as a whole: one object that tests and the gateway create, mount and close."""

from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Route

from channels.telegram.sandbox.bot_api import BotApi, Call
from channels.telegram.sandbox.chats import User
from channels.telegram.sandbox.faults import Faults
from channels.telegram.sandbox.files import MEGABYTE
from channels.telegram.sandbox.pages import Pages
from channels.telegram.sandbox.people_api import PeopleApi
from channels.telegram.sandbox.state import FIRST_USER_ID, Bot, World
from channels.telegram.sandbox.webhooks import Webhooks
from desk_core.kit.clock import Clock, SystemClock
from desk_core.kit.i18n import translation

PAGE_PATH: Final = "/sandbox/telegram"


def pretend_users() -> list[User]:
    """The people every new sandbox knows: three who speak Russian, two who speak English, not all with usernames."""
    people = [
        ("anna", "Анна", "Петрова", "anna_petrova", "ru"),
        ("boris", "Борис", "Ким", "boris_kim", "ru"),
        ("charlie", "Charlie", "Brown", "charlie_b", "en"),
        ("dasha", "Даша", None, None, "ru"),
        ("emma", "Emma", "Stone", None, "en"),
    ]
    return [
        User(
            id=FIRST_USER_ID + number,
            key=key,
            first_name=first,
            last_name=last,
            username=username,
            language_code=language,
            phone_number=f"+7900123450{number}",
        )
        for number, (key, first, last, username, language) in enumerate(people, start=1)
    ]


class Sandbox:
    """A Telegram of its own: `app()` alone or `routes()` inside another application; `close()` when done."""

    def __init__(
        self,
        *,
        open_to_all: bool = False,
        clock: Clock | None = None,
        users: Sequence[User] | None = None,
        first_id: int | None = None,
        file_bytes: int = 128 * MEGABYTE,
        webhook_first_pause: float = 1.0,
        translate: Callable[[str, str], str] | None = None,
    ) -> None:
        """`open_to_all` takes any well-formed token as a new bot; `translate(language, text)` serves the chat page."""
        self.world = World(clock=clock or SystemClock(), open_to_all=open_to_all, first_id=first_id, file_bytes=file_bytes)
        for user in pretend_users() if users is None else users:
            self.world.add_user(user)
        self.faults = Faults()
        self._webhooks = Webhooks(seconds=self.world.seconds, first_pause=webhook_first_pause)
        self._bot_api = BotApi(self.world, self.faults, self._webhooks)
        self._people_api = PeopleApi(self.world, self.faults, self._bot_api.violations)
        self._pages = Pages(translate or _from_catalogue)

    @property
    def calls(self) -> deque[Call]:
        """The latest Bot API calls, oldest first, getUpdates left out."""
        return self._bot_api.calls

    @property
    def violations(self) -> deque[str]:
        """What the latest calls had that the schema of the Bot API has not, in words."""
        return self._bot_api.violations

    def add_bot(self, token: str, username: str = "priyom_bot", name: str = "Priyom") -> Bot:
        """Register a bot under its token (`<digits>:<secret>`)."""
        return self.world.add_bot(token, username=username, name=name)

    def routes(self, *, bot_api: str = "", page: str = PAGE_PATH) -> list[BaseRoute]:
        """Routes for another application: the Bot API below `bot_api`, page and people's side below `page`."""
        return [
            Route(f"{bot_api}/bot{{token}}/{{method}}", self._bot_api.call, methods=["GET", "POST"]),
            Route(f"{bot_api}/file/bot{{token}}/{{path:path}}", self._bot_api.file, methods=["GET"]),
            *self._people_api.routes(f"{page}/api"),
            *self._pages.routes(page),
        ]

    def app(self, *, bot_api: str = "", page: str = PAGE_PATH) -> Starlette:
        """An application of its own, closing the sandbox when it stops."""

        @asynccontextmanager
        async def lifespan(_app: Starlette) -> AsyncIterator[None]:
            yield
            await self.close()

        return Starlette(routes=self.routes(bot_api=bot_api, page=page), lifespan=lifespan)

    def hang_up(self) -> None:
        """Answer every long poll now and from now on, so that the web server around can stop."""
        for bell in self.world.bells():
            bell.close()

    async def close(self) -> None:
        """End all waiting and all webhook deliveries."""
        self.hang_up()
        await self._webhooks.close()


def _from_catalogue(language: str, text: str) -> str:
    return translation(language).gettext(text)
