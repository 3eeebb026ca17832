"""The sandboxes inside a demo desk: a Telegram and a mailbox of its own, so that everything can be tried with no account anywhere."""

from typing import TYPE_CHECKING

from sqlalchemy import select
from starlette.routing import BaseRoute

from channels.telegram.sandbox import Sandbox
from desk_core.conversations.entities import Inbox
from desk_core.conversations.ports import ChannelKind
from gateway import inboxes

if TYPE_CHECKING:
    from gateway.bootstrap import Desk

BOT_API = "/sandbox/bot-api"
BOT_TOKEN = "100200300:sandbox-sandbox-sandbox-sandbox-00"  # noqa: S105 - opens nothing but the sandbox of this very process
BOT_NAME = "priyom_bot"
MAIL_ADDRESS = "support@priyom.example"


class Sandboxes:
    """Telegram (`/sandbox/telegram`) and mail (`/sandbox/mail`) of this process."""

    def __init__(self, desk: "Desk") -> None:
        from gateway.mail import sandbox_pages

        self.telegram = Sandbox()
        self.telegram.add_bot(BOT_TOKEN, BOT_NAME, "Priyom")
        self.mail = sandbox_pages(desk)

    def routes(self) -> list[BaseRoute]:
        """Routes of the Telegram sandbox; the mail sandbox is a router of its own (`mail`)."""
        return self.telegram.routes(bot_api=BOT_API)

    async def close(self) -> None:
        await self.telegram.close()


async def connect(desk: "Desk") -> None:
    """Give the demo desk its sandbox bot and its mail address, once."""
    language = (await desk.config()).language
    async with desk.database.unit() as uow:
        known = set(await uow.scalars(select(Inbox.name)))
        if "sandbox-bot" not in known:
            config, sealed = inboxes.new_bot(desk.box, inboxes.BotOptions(token=BOT_TOKEN))
            await inboxes.add(
                uow, name="sandbox-bot", channel=ChannelKind.TELEGRAM, address=f"@{BOT_NAME}", language=language,
                config={**config, "sandbox": True}, sealed=sealed, clock=desk.clock,
            )  # fmt: skip
        if "sandbox-mail" not in known:
            await inboxes.add(
                uow, name="sandbox-mail", channel=ChannelKind.EMAIL, address=MAIL_ADDRESS, language=language, config={"sandbox": True},
                sealed=None, clock=desk.clock,
            )  # fmt: skip
