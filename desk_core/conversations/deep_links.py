"""Links that open the chat with a Telegram bot and send it a payload, as its documentation of deep links has them."""


def deep_link(bot: str, payload: str) -> str:
    """The address for a bot's user name; whoever opens it sends `/start` with the payload."""
    return f"https://t.me/{bot}?start={payload}"
