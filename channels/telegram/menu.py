"""What a bot shows before anybody has written: its command menu and its short description, per language."""

from typing import Final

from aiogram import Bot
from aiogram.types import BotCommand

from desk_core.kit.i18n import gettext_noop as _
from desk_core.kit.i18n import translate

# /start needs no entry: every client offers it by itself.
COMMANDS: Final = (
    ("new", _("Write a new request")),
    ("my", _("My requests")),
    ("faq", _("Answers to common questions")),
    ("lang", _("Language")),
    ("human", _("Talk to a person")),
    ("cancel", _("Stop what we are filling in")),
    ("help", _("What this bot can do")),
)
SHORT_DESCRIPTION: Final = _("Service desk: ask, report a problem, follow your requests. A person is always one tap away.")

# The first one has no language: people with any other language get it.
_LANGUAGES: Final = ((None, "en"), ("en", "en"), ("ru", "ru"))


async def set_menu(bot: Bot) -> None:
    """Set commands and short description in every language the desk speaks."""
    for code, language in _LANGUAGES:
        commands = [BotCommand(command=command, description=translate(language, words)) for command, words in COMMANDS]
        await bot.set_my_commands(commands, language_code=code)
        await bot.set_my_short_description(translate(language, SHORT_DESCRIPTION)[:120], language_code=code)
