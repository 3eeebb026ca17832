"""Jinja2 for every page: one environment a language, filters that know the viewer, blocks that render alone for htmx."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PrefixLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from desk_core.conversations.files import PLAYED_TYPES
from desk_core.kit.blobs import human_size
from desk_core.kit.clock import Clock
from desk_core.kit.i18n import LANGUAGES, known_language, translate, translation
from desk_core.tickets.verdicts import tell_verdict
from gateway.web import moments
from gateway.web.assets import Assets
from gateway.web.language import language_of
from gateway.web.markdown import markdown, plain

TEMPLATES = Path(__file__).resolve().parent / "templates"
THEMES = ("auto", "light", "dark")


def _viewer(context: Context) -> moments.Viewer:
    return cast("moments.Viewer", context["viewer"])


@pass_context
def _moment(context: Context, at: datetime) -> str:
    return moments.moment(at, _viewer(context))


@pass_context
def _exact(context: Context, at: datetime) -> str:
    return moments.exact(at, _viewer(context))


@pass_context
def _clock(context: Context, at: datetime) -> str:
    return moments.clock(at, _viewer(context))


@pass_context
def _day(context: Context, at: datetime) -> str:
    return moments.day(at, _viewer(context))


@pass_context
def _ago(context: Context, at: datetime) -> str:
    return moments.ago(at, _viewer(context))


@pass_context
def _size(context: Context, size: int) -> str:
    language = _viewer(context).language
    text = translate(language, human_size(size))
    return text.replace(".", ",") if language == "ru" else text


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


@pass_context
def _timer(context: Context, metric: str | None, due_at: datetime | None, *, short: bool = False) -> moments.Timer | None:
    return moments.timer(metric, due_at, _viewer(context), short=short)


@pass_context
def _span(context: Context, length: Any) -> str:
    return moments.span(length, _viewer(context).language)


def _translated(text: str, language: str) -> str:
    """A msgid that came from Python, in the page's language."""
    return translate(language, text) if text else ""


def _pairs(items: Iterable[tuple[str, str]], language: str) -> list[tuple[str, str]]:
    return [(value, _translated(title, language)) for value, title in items]


def _same(values: Iterable[str]) -> list[tuple[str, str]]:
    """Options whose title is their value."""
    return [(value, value) for value in values]


def _with_query(path: str, **params: Any) -> str:
    kept = {name: value for name, value in params.items() if value not in (None, "")}
    return f"{path}?{urlencode(kept)}" if kept else path


class Pages:
    """Renders templates of every room: `pages.render(request, "webform/form.html", {...}, status=422)`.

    `folders` maps a prefix to a folder of templates. Every template knows `language`, `viewer`, `theme`, `nonce`, `request`, `asset`.
    """

    def __init__(
        self, *, clock: Clock, folders: Mapping[str, Path] | None = None, assets: Assets | None = None, time_zone: str = "Europe/Moscow"
    ) -> None:
        self.clock = clock
        self.assets = assets or Assets()
        self.time_zone = time_zone
        self._folders = dict(folders or {})
        self._environments = {language: self._environment(language) for language in LANGUAGES}

    def _environment(self, language: str) -> Environment:
        rooms = {prefix: FileSystemLoader(folder) for prefix, folder in self._folders.items()}
        environment = Environment(
            loader=ChoiceLoader([FileSystemLoader(TEMPLATES), PrefixLoader(rooms)]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
        )
        catalogue = translation(language)
        i18n: Any = environment
        i18n.install_gettext_callables(catalogue.gettext, catalogue.ngettext, newstyle=True)
        environment.filters.update(
            moment=_moment, exact=_exact, clock=_clock, day=_day, ago=_ago, iso=_iso, human_size=_size, markdown=markdown, plain=plain,
            span=_span, translated=_translated, translated_pairs=_pairs,
        )  # fmt: skip
        environment.globals.update(
            timer_of=_timer,
            tell_verdict=tell_verdict,
            asset=self.assets.url,
            with_query=_with_query,
            zip_same=_same,
            languages=LANGUAGES,
            played_types=PLAYED_TYPES,
        )
        return environment

    def context(self, request: Request) -> dict[str, Any]:
        """What every template knows."""
        language = known_language(language_of(request))
        zone = getattr(request.state, "time_zone", None) or self.time_zone
        theme = request.cookies.get("theme", "auto")
        return {
            "request": request,
            "language": language,
            "viewer": moments.Viewer(language, ZoneInfo(zone), self.clock.now()),
            "theme": theme if theme in THEMES else "auto",
            "nonce": getattr(request.state, "nonce", ""),
            "desk_name": desk_name(request, language),
        }

    def text(self, request: Request, name: str, context: Mapping[str, Any] | None = None, *, block: str | None = None) -> Markup:
        """The rendered template, or one of its blocks alone."""
        values = {**self.context(request), **(context or {})}
        template = self._environments[values["language"]].get_template(name)
        if block is None:
            return Markup(template.render(values))  # noqa: S704 - rendered with autoescape
        part = template.blocks[block]
        return Markup("".join(part(template.new_context(values))))  # noqa: S704 - rendered with autoescape

    def render(
        self,
        request: Request,
        name: str,
        context: Mapping[str, Any] | None = None,
        *,
        status: int = 200,
        block: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> HTMLResponse:
        """A page, or the block of it that htmx asked for. Pages of people are never cached by anybody between."""
        text = self.text(request, name, context, block=block)
        return HTMLResponse(text, status, {"cache-control": "no-store", "vary": "HX-Request, Cookie, Accept-Language", **(headers or {})})

    def for_language(self, language: str) -> Environment:
        """The environment of a language, for texts outside a request."""
        return self._environments[known_language(language)]


def desk_name(request: Request, language: str) -> str:
    """The organisation's name where the desk is set up, otherwise the product's."""
    names = getattr(request.app.state, "organisation", None) or {}
    return names.get(language) or next(iter(names.values()), "Priyom")


def pages_of(request: Request) -> Pages:
    return cast("Pages", request.app.state.pages)


def wants_part(request: Request) -> bool:
    """Whether htmx asks for a part of a page rather than the browser for the whole."""
    return (
        request.headers.get("hx-request") == "true"
        and request.headers.get("hx-request-type") != "full"
        and "hx-history-restore-request" not in request.headers
    )
