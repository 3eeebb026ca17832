"""What a bot shows before anybody has written: its command menu and what it says of itself, per language.

A client asks for its own language first and then for what has none. So everybody reads the language in which they are going to be
greeted, whatever the inbox is set to.
"""

from typing import Final

from aiogram import Bot
from aiogram.types import BotCommand

from channels.telegram.profile import Profile
from desk_core.kit.i18n import gettext_noop as _
from desk_core.kit.i18n import translate

# /start needs no entry: every client offers it by itself.
COMMANDS: Final = (
    ("new", _("Write a new request")),
    ("my", _("My requests")),
    ("me", _("What we know about you")),
    ("email", _("Confirm your e-mail address")),
    ("invite", _("Invite a colleague to a request")),
    ("leave", _("Leave a colleague's request")),
    ("faq", _("Answers to common questions")),
    ("lang", _("Language")),
    ("human", _("Talk to a person")),
    ("cancel", _("Stop what we are filling in")),
    ("help", _("What this bot can do")),
)
SHORT_DESCRIPTION: Final = _("Service desk: ask, report a problem, follow your requests. A person is always one tap away.")
DESCRIPTION: Final = _(
    "Write in your own words what happened, a photo helps. If the answer is known, you get it at once. If not, people take over: "
    "you get a number and the time by which they answer.\n\n"
    "To talk to a person: /human"
)
LONGEST_SHORT: Final = 120
LONGEST: Final = 512


async def set_menu(bot: Bot, profile: Profile) -> None:
    """Set commands and descriptions in every language the desk speaks."""
    for code, language in profile.shown():
        commands = [BotCommand(command=command, description=translate(language, words)) for command, words in COMMANDS]
        await bot.set_my_commands(commands, language_code=code)
        await bot.set_my_short_description(translate(language, SHORT_DESCRIPTION)[:LONGEST_SHORT], language_code=code)
        about = "\n\n".join(part for part in (profile.name(language), translate(language, DESCRIPTION)) if part)
        await bot.set_my_description(about[:LONGEST], language_code=code)
