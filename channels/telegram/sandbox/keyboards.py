"""Reply markup as the real server takes it or refuses it."""

from typing import Any, Final
from urllib.parse import urlsplit

from channels.telegram.sandbox.refusals import bad_request

Json = dict[str, Any]

LARGEST_KEYBOARD: Final = 100
_ACTIONS: Final = (
    "url",
    "callback_data",
    "web_app",
    "login_url",
    "switch_inline_query",
    "switch_inline_query_current_chat",
    "switch_inline_query_chosen_chat",
    "copy_text",
    "callback_game",
    "pay",
)


def checked_inline_keyboard(markup: Json | None) -> Json | None:
    """The inline keyboard of a message, or None where there is none (or an empty one, which removes it)."""
    if not markup:
        return None
    rows = markup.get("inline_keyboard")
    if not isinstance(rows, list):
        raise bad_request('can\'t parse inline keyboard: Field "inline_keyboard" must be of type Array')
    kept = []
    for row in rows:
        if not isinstance(row, list):
            raise bad_request("can't parse inline keyboard: Array of Arrays expected")
        if row:
            kept.append([_checked_button(button) for button in row])
    if sum(len(row) for row in kept) > LARGEST_KEYBOARD:
        raise bad_request("reply markup is too long")
    return {"inline_keyboard": kept} if kept else None


def _checked_button(button: Any) -> Json:
    if not isinstance(button, dict):
        raise bad_request("can't parse inline keyboard button: Object expected")
    if not isinstance(button.get("text"), str):
        raise bad_request("can't parse inline keyboard button: Can't find field \"text\"")
    given = {name: value for name, value in button.items() if value is not None}
    if not given["text"].strip():
        raise bad_request("inline keyboard button text must be non-empty")
    if not any(name in given for name in _ACTIONS):
        raise bad_request("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
    if "callback_data" in given and not 1 <= len(str(given["callback_data"]).encode()) <= 64:
        raise bad_request("BUTTON_DATA_INVALID")
    if "url" in given and not _is_link(str(given["url"])):
        raise bad_request(f"inline keyboard button URL '{given['url']}' is invalid: Wrong HTTP URL")
    copied = given.get("copy_text")
    if copied is not None and not (isinstance(copied, dict) and 1 <= len(str(copied.get("text", ""))) <= 256):
        raise bad_request("BUTTON_COPY_TEXT_INVALID")
    return given


def _is_link(url: str) -> bool:
    parts = urlsplit(url if "://" in url else f"http://{url}")
    if parts.scheme in ("tg", "tonsite"):
        return True
    return parts.scheme in ("http", "https") and "." in (parts.hostname or "")


def is_reply_keyboard(markup: Json) -> bool:
    return any(name in markup for name in ("keyboard", "remove_keyboard", "force_reply"))


def checked_reply_keyboard(markup: Json) -> Json | None:
    """The keyboard under the composer after this message: None takes it away."""
    if "keyboard" not in markup:
        return None
    rows = markup["keyboard"]
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise bad_request("can't parse reply keyboard: Array of Arrays expected")
    checked = [[{"text": button} if isinstance(button, str) else button for button in row] for row in rows]
    if not all(isinstance(button, dict) and str(button.get("text", "")).strip() for row in checked for button in row):
        raise bad_request("can't parse keyboard button: Can't find field \"text\"")
    return {**markup, "keyboard": checked}
