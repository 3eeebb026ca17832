"""Which language a page speaks: what was asked for, what was chosen before, the operator's setting, the browser's wish."""

from collections.abc import Iterator
from urllib.parse import parse_qsl

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection, cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from desk_core.kit.i18n import LANGUAGES, known_language

COOKIE = "lang"
A_YEAR = 365 * 24 * 3600


def _wishes(header: str) -> Iterator[tuple[float, str]]:
    for part in header.split(","):
        tag, _, parameters = part.strip().partition(";")
        quality = parameters.strip().removeprefix("q=")
        try:
            yield float(quality or "1"), tag.strip()
        except ValueError:
            continue


def accepted(header: str, *, default: str = "en") -> str:
    """The shipped language that an `Accept-Language` header likes best."""
    for quality, tag in sorted(_wishes(header), key=lambda wish: -wish[0]):
        if quality > 0 and tag and tag != "*":
            found = known_language(tag, default="")
            if found:
                return found
    return default


def negotiate(*, asked: str | None, cookie: str | None, setting: str | None, header: str, default: str = "en") -> str:
    """`?lang` first, then the cookie, the operator's own setting, the browser, the default."""
    for choice in (asked, cookie, setting):
        if choice in LANGUAGES:
            return choice
    return accepted(header, default=default)


class LanguageMiddleware:
    """Puts `language` into the request's state; `?lang=ru` is remembered in a cookie."""

    def __init__(self, app: ASGIApp, *, default: str = "en") -> None:
        self.app = app
        self.default = default

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        asked = dict(parse_qsl(scope.get("query_string", b"").decode("latin-1"))).get("lang")
        cookie = cookie_parser(headers.get("cookie", "")).get(COOKIE)
        state = scope.setdefault("state", {})
        state["language_chosen"] = asked in LANGUAGES or cookie in LANGUAGES
        state["language"] = negotiate(
            asked=asked, cookie=cookie, setting=None, header=headers.get("accept-language", ""), default=self.default
        )

        async def remember(message: Message) -> None:
            if message["type"] == "http.response.start" and asked in LANGUAGES and asked != cookie:
                MutableHeaders(scope=message).append("set-cookie", f"{COOKIE}={asked}; Path=/; Max-Age={A_YEAR}; SameSite=Lax")
            await send(message)

        await self.app(scope, receive, remember)


def language_of(connection: HTTPConnection) -> str:
    """The language of this request."""
    language: str = getattr(connection.state, "language", "en")
    return language


def use_setting(connection: HTTPConnection, language: str) -> None:
    """Let the operator's own setting speak where neither address nor cookie has chosen."""
    if not getattr(connection.state, "language_chosen", False) and language in LANGUAGES:
        connection.state.language = language
