"""What the form's pages ask of the desk; `gateway.bootstrap.Desk` answers it. A channel never imports the gateway."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, cast

from starlette.requests import Request
from starlette.responses import HTMLResponse

from channels.webform.forms import Answer, SlotForm
from desk_core.catalogue.desk import DeskConfig
from desk_core.context import Context
from desk_core.conversations.ports import Accept, Blobs, Limits
from desk_core.kit.clock import Clock
from desk_core.kit.db import Database


class Article(Protocol):
    """An article found."""

    @property
    def article_id(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def passage(self) -> str: ...
    @property
    def score(self) -> float: ...


class FormTools(Protocol):
    """The part of the dialogue's tools that a page uses."""

    def form(self, category: str | None) -> SlotForm | None: ...

    def search(self, text: str, *, language: str, category: str | None, limit: int = 3) -> Sequence[Article]: ...

    def article(self, article_id: str, *, language: str) -> Article | None: ...

    def validate(self, slot: Any, answer: str, *, language: str, slots: Mapping[str, str]) -> Answer: ...


class FormLimits(Protocol):
    @property
    def webform_per_hour(self) -> int: ...
    @property
    def webform_per_day(self) -> int: ...
    @property
    def attachment_mb(self) -> int: ...
    @property
    def upload_mb(self) -> int: ...
    @property
    def telegram_mb_per_day(self) -> int: ...


class FormHttp(Protocol):
    @property
    def trusted_proxies(self) -> str: ...


class FormSettings(Protocol):
    @property
    def limits(self) -> FormLimits: ...
    @property
    def http(self) -> FormHttp: ...


class FormDesk(Protocol):
    @property
    def database(self) -> Database: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def blobs(self) -> Blobs: ...
    @property
    def limits(self) -> Limits: ...
    @property
    def settings(self) -> FormSettings: ...
    @property
    def key(self) -> bytes: ...
    @property
    def public_url(self) -> str: ...
    @property
    def accept(self) -> Accept: ...

    async def config(self) -> DeskConfig: ...
    async def context(self, request_id: str = "") -> Context: ...
    async def tools(self) -> FormTools: ...


class FormPages(Protocol):
    """Renders a template of this folder under its prefix "webform/"."""

    def render(
        self,
        request: Request,
        name: str,
        context: Mapping[str, Any] | None = None,
        *,
        status: int = 200,
        block: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> HTMLResponse: ...


def desk_of(request: Request) -> FormDesk:
    """The desk this request belongs to."""
    return cast("FormDesk", request.app.state.desk)


def pages_of(request: Request) -> FormPages:
    return cast("FormPages", request.app.state.pages)


def language_of(request: Request) -> str:
    """The language of the page."""
    return str(getattr(request.state, "language", "en"))
