"""Whether a bot works: token, way of receiving, what Telegram says of the webhook, last news, and how much may be sent. Steps as data."""

import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from channels.telegram.connection import CallFailed, Connection, bare
from desk_core.conversations.checkups import State, Step
from desk_core.kit.i18n import Phrase
from desk_core.kit.i18n import gettext_noop as _

STEPS: Final = {
    "bot": _("Telegram knows the bot"),
    "mode": _("How messages are received"),
    "webhook": _("Nothing is in the way of receiving"),
    "receiving": _("The desk receives"),
    "pace": _("Sending"),
    "to_me": _("A test message to you"),
}

ADVICE: Final = {
    "token": _("Telegram does not know this token. Copy it from @BotFather again: priyom inbox set-telegram NAME --token."),
    "unreachable": _("Telegram cannot be reached. Check the network of this machine, the proxy and the address of the Bot API server."),
    "not_set": _("The webhook is not set at Telegram. The desk sets it by itself while it receives: start it, or resume the inbox."),
    "foreign": _("A webhook at %(host)s takes the messages of this bot. The desk takes it off by itself while it receives."),
    "no_https": _("Telegram calls only addresses that begin with https://. Give the public address of the desk."),
    "hook_certificate": _("Telegram does not trust the certificate of %(host)s. Let the server send the whole chain of a known authority."),
    "hook_name": _("Telegram finds no machine named %(host)s. Check the address and its DNS record."),
    "hook_unreachable": _("Telegram gets no connection to %(host)s. Open port 443, 80, 88 or 8443 to 149.154.160.0/20 and 91.108.4.0/22."),
    "hook_refused": _("Something before the desk refuses the call. Let it pass POST /hooks/telegram/ with all its headers."),
    "hook_lost": _("The proxy does not know the desk's path. Let it pass /hooks/telegram/ on, and check the webhook's address."),
    "hook_failing": _(
        "What answers at %(host)s has failed: the desk cannot store, or a proxy does not reach it. Look at priyom doctor and at the "
        "proxy's log. Telegram tries again by itself."
    ),
    "hook_other": _("Telegram cannot hand messages over. Its words say why; it tries again by itself."),
    "waiting": _("Messages wait at Telegram. If it stays so, see that the desk runs."),
    "conflict": _("Another program receives with this token. Stop it, or make a new token with /revoke at @BotFather and store it here."),
    "trouble": _("The desk reported this when it received last."),
    "nothing_yet": _("Nothing has come yet. Write to the bot to see it arrive."),
    "silent": _("Telegram has asked for silence; sending goes on by itself."),
    "not_opened": _("Nobody has opened the link in time, or the desk does not run. Start it, and ask for another link."),
    "not_answered": _("The link was opened, but the answer could not be sent yet. See whether the desk runs: priyom doctor."),
    "needs_earlier": _("Tried once the step before works."),
}  # fmt: skip

FRESH: Final = timedelta(minutes=10)
# In the order in which they are looked for, since some words stand in several sentences of Telegram.
_CURES: Final = (
    ("hook_certificate", re.compile(r"ssl|certificate", re.IGNORECASE)),
    ("hook_name", re.compile(r"resolve|no address|host not found", re.IGNORECASE)),
    ("hook_unreachable", re.compile(r"refused|timed? ?out|timeout|unreachable|reset|connection closed", re.IGNORECASE)),
    ("hook_refused", re.compile(r"\b40[13]\b")),
    ("hook_lost", re.compile(r"\b404\b|\b405\b|\b30\d\b")),
    ("hook_failing", re.compile(r"\b5\d\d\b")),
)


@dataclass(frozen=True, slots=True)
class News:
    """What the desk itself knows of the inbox."""

    last_received_at: datetime | None = None
    last_error: str | None = None


@dataclass(frozen=True, slots=True)
class Checkup:
    """What is examined. `webhook_url` is the whole address, path included; it is never told."""

    connection: Connection
    now: datetime
    webhook_url: str | None = None
    news: News | None = None

    async def run(self) -> list[Step]:
        """Every step in its order; one that fails stops only those that cannot be tried without it."""
        bot = await _timed(self._bot)
        steps = [bot, self._mode()]
        if bot.state is State.FAIL:
            steps.append(Step("webhook", State.SKIPPED, "", "needs_earlier"))
        else:
            steps.append(await _timed(self._webhook))
        if self.news is not None:
            steps.append(self._receiving(self.news))
        left = await self.connection.pace.left()
        could = Phrase(_("Messages that could go at once: %(count)s"), count=left)
        steps.append(Step("pace", State.OK, could) if left else Step("pace", State.WARN, could, "silent"))
        # A phrase was put together from words without secrets, and waits for the reader's language.
        return [step if isinstance(step.words, Phrase) else replace(step, words=self.connection.scrub(step.words)) for step in steps]

    async def _bot(self) -> Step:
        try:
            me = await self.connection.call("getMe", seconds=10)
        except CallFailed as failure:
            advice = "token" if failure.code in (401, 404) else "unreachable" if failure.code is None else None
            return Step("bot", State.FAIL, failure.words, advice)
        return Step("bot", State.OK, f"{me.get('first_name', '')} (@{me.get('username', '')})")

    def _mode(self) -> Step:
        if self.webhook_url is None:
            return Step("mode", State.OK, "polling")
        parts = urlsplit(self.webhook_url)
        # A Bot API server of one's own calls plain addresses too.
        plain = parts.scheme != "https" and self.connection.is_official
        return Step(
            "mode",
            State.WARN if plain else State.OK,
            Phrase(_("webhook at %(host)s"), host=bare(self.webhook_url)),
            "no_https" if plain else None,
        )

    async def _webhook(self) -> Step:
        try:
            info = await self.connection.call("getWebhookInfo", seconds=10)
        except CallFailed as failure:
            return Step("webhook", State.FAIL, failure.words)
        if words := info.get("last_error_message"):
            info = {**info, "last_error_message": self.connection.scrub(words)}
        return webhook_step(info, wanted=self.webhook_url, now=self.now)

    def _receiving(self, news: News) -> Step:
        if news.last_error:
            conflict = "another program" in news.last_error.lower() or "terminated by other" in news.last_error.lower()
            return Step("receiving", State.FAIL, news.last_error, "conflict" if conflict else "trouble")
        if news.last_received_at is None:
            return Step("receiving", State.OK, "", "nothing_yet")
        return Step("receiving", State.OK, news.last_received_at.strftime("%Y-%m-%d %H:%M UTC"))


def webhook_step(info: Mapping[str, Any], *, wanted: str | None, now: datetime) -> Step:
    """What Telegram says of the webhook, with the cure where something is in the way."""
    url, waiting = str(info.get("url") or ""), int(info.get("pending_update_count") or 0)
    host = urlsplit(wanted or url).hostname or ""
    if url != (wanted or ""):
        return Step("webhook", State.FAIL, bare(url), "not_set" if wanted else "foreign", {"host": host})
    told = Phrase(_("Waiting at Telegram: %(number)s"), number=waiting)
    at, words = info.get("last_error_date"), str(info.get("last_error_message") or "")
    if words and isinstance(at, int) and now - datetime.fromtimestamp(at, UTC) <= FRESH:
        cure = next((name for name, pattern in _CURES if pattern.search(words)), "hook_other")
        # An error after which everything was handed over is an old story.
        both = Phrase(_("Waiting at Telegram: %(number)s. Its last error: %(words)s"), number=waiting, words=words)
        return Step("webhook", State.FAIL if waiting else State.WARN, both, cure, {"host": host})
    return Step("webhook", State.WARN, told, "waiting") if waiting > 100 else Step("webhook", State.OK, told)


async def _timed(do: Callable[[], Awaitable[Step]]) -> Step:
    began = time.perf_counter()
    step = await do()
    return replace(step, ms=round((time.perf_counter() - began) * 1000))
