"""Links that open the chat with a Telegram bot and send it a payload, as its documentation of deep links has them."""

import re

_LINK = re.compile(r"(?:https?://)?t(?:elegram)?\.me/\w+\?start=([\w-]{1,64})")
_PAYLOAD = re.compile(r"[?&]start=([\w-]{1,64})")


def deep_link(bot: str, payload: str) -> str:
    """The address for a bot's user name; whoever opens it sends `/start` with the payload."""
    return f"https://t.me/{bot}?start={payload}"


def payloads(text: str) -> list[str]:
    """The payloads of all links in a text, in their order; of whatever kind a link is, and where only its end was copied."""
    return _PAYLOAD.findall(text)


def is_link(text: str) -> bool:
    """Whether a text is such a link and nothing else."""
    return _LINK.fullmatch(text.strip()) is not None
