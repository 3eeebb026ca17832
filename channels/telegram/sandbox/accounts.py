"""Bot API methods about the bot itself: its updates, webhook, names, menus, and the files it may fetch."""

import re
from collections.abc import Awaitable, Callable
from typing import Any, Final

from channels.telegram.sandbox.chats import Json
from channels.telegram.sandbox.files import LARGEST_DOWNLOAD
from channels.telegram.sandbox.parameters import Parameters
from channels.telegram.sandbox.refusals import bad_request, conflict, server_error
from channels.telegram.sandbox.state import Bot, Webhook, World
from channels.telegram.sandbox.webhooks import Webhooks, is_loopback

LONGEST_POLL_SECONDS: Final = 50
_COMMAND: Final = re.compile(r"[a-z0-9_]{1,32}")
_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{1,256}")
_TEXT_LIMITS: Final = {"name": 64, "description": 512, "short_description": 120}

# Waits until the bell rings, the seconds are over or the caller is gone; True when it is worth looking again.
Waiter = Callable[[float], Awaitable[bool]]
Monotonic = Callable[[], float]


class AccountMethods:
    """One method of the class for each method of the API; each returns the `result` of the answer."""

    def __init__(self, world: World, webhooks: Webhooks) -> None:
        self._world = world
        self._webhooks = webhooks
        self.table: dict[str, Callable[[Bot, Parameters], Any]] = {
            "getme": lambda bot, _: self.me(bot),
            "setwebhook": self.set_webhook,
            "deletewebhook": self.delete_webhook,
            "getwebhookinfo": lambda bot, _: self.webhook_info(bot),
            "getfile": self.get_file,
            "setmycommands": self.set_commands,
            "getmycommands": self.get_commands,
            "deletemycommands": self.delete_commands,
            "setmyname": lambda bot, params: self.set_text(bot, params, "name"),
            "getmyname": lambda bot, params: self.get_text(bot, params, "name"),
            "setmydescription": lambda bot, params: self.set_text(bot, params, "description"),
            "getmydescription": lambda bot, params: self.get_text(bot, params, "description"),
            "setmyshortdescription": lambda bot, params: self.set_text(bot, params, "short_description"),
            "getmyshortdescription": lambda bot, params: self.get_text(bot, params, "short_description"),
            "getuserprofilephotos": self.photos,
            "logout": lambda _bot, _params: True,
            "close": lambda _bot, _params: True,
        }

    def me(self, bot: Bot) -> Json:
        return {
            **bot.as_json(),
            "can_join_groups": True,
            "can_read_all_group_messages": bot.can_read_all_group_messages,
            "supports_inline_queries": False,
            "can_connect_to_business": False,
            "has_main_web_app": False,
            "has_topics_enabled": bot.has_topics_enabled,
            "allows_users_to_create_topics": bot.allows_users_to_create_topics,
        }

    # Updates

    async def get_updates(self, bot: Bot, params: Parameters, *, clock: Monotonic, wait: Waiter) -> list[Json]:
        """The next unconfirmed updates; a later poll ends an earlier one that still waits."""
        if bot.webhook is not None:
            raise conflict("can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first")
        if bot.wake.closed:
            # The server is stopping: an error makes callers pause, an empty answer would make them spin.
            raise server_error("Bad Gateway", code=502)
        bot.poll_turn += 1
        turn = bot.poll_turn
        bot.wake.ring()
        self._choose_kinds(bot, params)
        bot.updates.confirm(params.integer("offset"))
        limit = params.integer("limit", 100)
        limit = limit if 1 <= limit <= 100 else 100
        until = clock() + min(max(params.integer("timeout"), 0), LONGEST_POLL_SECONDS)
        while not (updates := bot.updates.page(limit)):
            if not await wait(until - clock()) or bot.wake.closed:
                break
            if bot.webhook is not None:
                raise conflict("terminated by setWebhook request")
            if bot.poll_turn != turn:
                raise conflict("terminated by other getUpdates request; make sure that only one bot instance is running")
        return updates

    def _choose_kinds(self, bot: Bot, params: Parameters) -> None:
        kinds = params.items("allowed_updates")
        if kinds is not None:
            bot.updates.allowed = frozenset(str(kind) for kind in kinds)

    # Webhook

    def set_webhook(self, bot: Bot, params: Parameters) -> tuple[bool, str]:
        url = params.text("url")
        if not url:
            return self.delete_webhook(bot, params)
        if not is_loopback(url):
            # The sandbox lives on one machine and must never become a way to reach others.
            raise bad_request("bad webhook: this local server delivers to loopback addresses only")
        secret = params.text("secret_token") or None
        if secret is not None and not _SECRET.fullmatch(secret):
            raise bad_request("secret token contains unallowed characters")
        connections = params.integer("max_connections", 40)
        self._choose_kinds(bot, params)
        if params.flag("drop_pending_updates"):
            bot.updates.clear()
        wanted = Webhook(url=url, secret_token=secret, max_connections=min(max(connections, 1), 100))
        known = bot.webhook
        same = known is not None and (known.url, known.secret_token, known.max_connections) == (
            wanted.url,
            wanted.secret_token,
            wanted.max_connections,
        )
        if not same:
            bot.webhook = wanted
            self._webhooks.start(bot)
        bot.wake.ring()
        return True, "Webhook is already set" if same else "Webhook was set"

    def delete_webhook(self, bot: Bot, params: Parameters) -> tuple[bool, str]:
        if params.flag("drop_pending_updates"):
            bot.updates.clear()
        if bot.webhook is None:
            return True, "Webhook is already deleted"
        bot.webhook = None
        self._webhooks.stop(bot)
        return True, "Webhook was deleted"

    def webhook_info(self, bot: Bot) -> Json:
        hook = bot.webhook
        info: Json = {
            "url": hook.url if hook else "",
            "has_custom_certificate": False,
            "pending_update_count": len(bot.updates),
        }
        if hook is not None:
            info |= {"max_connections": hook.max_connections, "ip_address": "127.0.0.1"}
            if hook.last_error_date is not None:
                info |= {"last_error_date": hook.last_error_date, "last_error_message": hook.last_error_message}
        if bot.updates.allowed:
            info["allowed_updates"] = sorted(bot.updates.allowed)
        return info

    # Files

    def get_file(self, _bot: Bot, params: Parameters) -> Json:
        if not params.has("file_id"):
            raise bad_request("file_id not specified")
        stored = self._world.files.get(params.text("file_id"))
        if stored is None:
            raise bad_request("wrong file_id or the file is temporarily unavailable")
        if stored.size > LARGEST_DOWNLOAD:
            raise bad_request("file is too big")
        return {
            "file_id": stored.file_id,
            "file_unique_id": stored.unique_id,
            "file_size": stored.size,
            "file_path": stored.path,
        }

    def photos(self, bot: Bot, params: Parameters) -> Json:
        """Only bots have pictures here, and of people a bot sees none."""
        found = [bot.picture.as_content()["photo"]] if bot.picture is not None and params.integer("user_id") == bot.id else []
        return {"total_count": len(found), "photos": found[params.integer("offset") :]}

    # Names and menus

    def set_commands(self, bot: Bot, params: Parameters) -> bool:
        commands = params.items("commands") or []
        if len(commands) > 100:
            raise bad_request("too many commands specified")
        for command in commands:
            if not isinstance(command, dict) or not _COMMAND.fullmatch(str(command.get("command", "")).lstrip("/")):
                raise bad_request("BOT_COMMAND_INVALID")
            if not 1 <= len(str(command.get("description", ""))) <= 256:
                raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
        bot.commands[self._place(params)] = commands
        for chat in bot.chats.values():
            self._world.events.add("commands", chat)
        return True

    def get_commands(self, bot: Bot, params: Parameters) -> list[Json]:
        return bot.commands.get(self._place(params), [])

    def delete_commands(self, bot: Bot, params: Parameters) -> bool:
        bot.commands.pop(self._place(params), None)
        return True

    def _place(self, params: Parameters) -> tuple[str, str]:
        scope = params.mapping("scope") or {}
        return str(scope.get("type", "default")), params.text("language_code")

    def set_text(self, bot: Bot, params: Parameters, what: str) -> bool:
        text = params.text(what)
        if len(text) > _TEXT_LIMITS[what]:
            raise bad_request(f"bot {what.replace('_', ' ')} is too long")
        bot.texts[what, params.text("language_code")] = text
        return True

    def get_text(self, bot: Bot, params: Parameters, what: str) -> Json:
        text = bot.texts.get((what, params.text("language_code"))) or bot.texts.get((what, ""))
        return {what: text or (bot.name if what == "name" else "")}
