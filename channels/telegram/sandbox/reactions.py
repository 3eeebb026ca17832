"""The emoji a bot may react with: Telegram's closed list, which has no check mark."""

from typing import Final

_EMOJI: Final = (
    "❤ 👍 👎 🔥 🥰 👏 😁 🤔 🤯 😱 🤬 😢 🎉 🤩 🤮 💩 🙏 👌 🕊 "
    "🤡 🥱 🥴 😍 🐳 ❤‍🔥 🌚 🌭 💯 🤣 ⚡ 🍌 🏆 💔 🤨 😐 🍓 🍾 💋 "
    "🖕 😈 😴 😭 🤓 👻 👨‍💻 👀 🎃 🙈 😇 😨 🤝 ✍ 🤗 🫡 🎅 🎄 ☃ "
    "💅 🤪 🗿 🆒 💘 🙉 🦄 😘 💊 🙊 😎 👾 🤷‍♂ 🤷 🤷‍♀ 😡"
)
ALLOWED_REACTIONS: Final = frozenset(_EMOJI.split())


def is_allowed(emoji: str) -> bool:
    # Clients write the heart with or without the variation selector; the server takes both.
    return emoji.replace("\ufe0f", "") in ALLOWED_REACTIONS
