"""What every console page has around it: views with counters, the list, and who is looking."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from starlette.responses import Response

from desk_core.catalogue.desk import DeskConfig
from desk_core.kit.db import ReadSession
from desk_core.kit.i18n import gettext_noop as _
from desk_core.kit.i18n import translate
from desk_core.people import repository as people
from desk_core.tickets import repository as tickets
from desk_core.tickets.repository import Counters, Page, TicketFilters, View
from gateway.auth.sessions import Signed
from gateway.console.own_word import row_says_solved
from gateway.console.reaching import gist
from gateway.web.desk import WebDesk, desk_of
from gateway.web.language import language_of
from gateway.web.templating import pages_of

PAGE = 50
VIEW_COOKIE = "view"

VIEWS = {
    View.MINE: _("Mine"),
    View.UNASSIGNED: _("Unassigned"),
    View.MY_LINE: _("My line"),
    View.OVERDUE: _("Overdue"),
    View.WAITING: _("Waiting"),
    View.BOT: _("Bot talks"),
    View.FAILED: _("Undelivered"),
    View.HELD: _("Held"),
    View.ALL: _("All"),
    View.CLOSED: _("Solved"),
}
EMPTY = {
    View.MINE: (_("Nothing is waiting for you"), _("Take something from Unassigned, or enjoy the silence.")),
    View.UNASSIGNED: (_("Everything is taken"), _("New requests that nobody has taken appear here.")),
    View.MY_LINE: (_("Your line is free"), _("Requests of the line your team works on appear here.")),
    View.OVERDUE: (_("Nothing is overdue"), _("Requests whose answer or solution is late appear here.")),
    View.WAITING: (_("Nobody is being waited for"), _("Requests that wait for the person's answer appear here.")),
    View.BOT: (_("The bot talks to nobody"), _("Conversations that the bot held in the last 24 hours appear here.")),
    View.FAILED: (_("Every message was delivered"), _("Messages that did not reach their person appear here, to be sent again.")),
    View.HELD: (
        _("Nothing is held"),
        _("What opened no request and was not answered waits here: automatic replies, reports, lists, senders that are not proven."),
    ),
    View.ALL: (_("No requests yet"), _("Write one in the sandbox, by mail or on the form, and it appears here.")),
    View.CLOSED: (_("Nothing is solved yet"), _("Solved, closed and cancelled requests appear here.")),
}
NOT_FOUND = (_("Nothing found"), _("Try a number, a name, or fewer words. The search looks through the newest requests."))

SCRIPT_WORDS = {
    "new_one": _("1 new"),
    "new_many": _("%(n)s new"),
    "draft": _("Draft kept"),
    "wrote": _("The person wrote while you were typing. Read it before you send."),
    "offline": _("No connection. The page goes on by itself when it is back."),
    "failed": _("This did not go through. Your text is safe; please try again."),
    "nothing": _("Nothing found"),
    "picked": _("Selected: %(n)s"),
    "take_up": _("Take up: %(n)s"),
    "open_number": _("Open #%(n)s"),
    "search_for": _("Search for “%(q)s”"),
    "copied": _("Copied"),
    "selected": _("Selected. Copy it with Ctrl+C."),
}
"""What the script says; it fills the placeholders itself."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which list is on the left: view, words looked for, and where the page begins."""

    view: View
    search: str = ""
    after: str | None = None

    @property
    def query(self) -> str:
        """The part of an address that keeps this list."""
        parts = {"view": self.view.value, **({"q": self.search} if self.search else {})}
        return urlencode(parts)


def chosen(request: Request, *, q: str = "", after: str | None = None) -> Chosen:
    """The list of this page: asked for, or the one looked at last."""
    asked = request.query_params.get("view") or request.cookies.get(VIEW_COOKIE) or View.MINE.value
    view = View(asked) if asked in {view.value for view in View} else View.MINE
    return Chosen(view, (q or request.query_params.get("q", "")).strip()[:100], after)


def remember(response: Response, list_: Chosen) -> Response:
    response.set_cookie(VIEW_COOKIE, list_.view.value, max_age=90 * 24 * 3600, path="/console", httponly=True, samesite="lax")
    return response


@dataclass(frozen=True, slots=True)
class Frame:
    """One request to the console: the desk, its configuration, who looks, and their lines."""

    request: Request
    desk: WebDesk
    config: DeskConfig
    signed: Signed
    language: str

    @classmethod
    async def of(cls, request: Request, signed: Signed) -> "Frame":
        desk = desk_of(request)
        return cls(request, desk, await desk.config(), signed, language_of(request))

    async def around(self, session: ReadSession, list_: Chosen) -> dict[str, Any]:
        """Counters and the first page of the list: three statements."""
        now = self.desk.clock.now()
        team_ids = await people.team_ids_of(session, self.signed.agent.id)
        lines = sorted({team.line for team in self.config.teams.values() if team.id in team_ids}) or [1]
        counters = await tickets.counters(session, agent_id=self.signed.agent.id, lines=lines, now=now)
        page = await self.page(session, list_, lines=tuple(lines))
        return {
            "chosen": list_,
            "views": [(view, title, self._count(counters, view)) for view, title in VIEWS.items()],
            "counters": counters,
            "cap": tickets.COUNT_CAP,
            "page": page,
            "empty": NOT_FOUND if list_.search else EMPTY[list_.view],
            "ticket": None,
            "held_notice": None,
        }

    async def page(self, session: ReadSession, list_: Chosen, *, lines: tuple[int, ...]) -> Page[Any]:
        now = self.desk.clock.now()
        if list_.view is View.BOT and not list_.search:
            return await tickets.talking(session, now=now, limit=PAGE, after=list_.after)
        if list_.view is View.FAILED and not list_.search:
            return await tickets.failed(session, limit=PAGE, after=list_.after)
        if list_.view is View.HELD and not list_.search:
            return await tickets.held(session, limit=PAGE, after=list_.after)
        view = View.ALL if list_.search else list_.view
        filters = TicketFilters(view=view, now=now, agent_id=self.signed.agent.id, lines=lines, search=list_.search)
        return await tickets.page(session, filters, limit=PAGE, after=list_.after)

    @staticmethod
    def _count(counters: Counters, view: View) -> int | None:
        return getattr(counters, view.value, None)

    def render(self, name: str, context: dict[str, Any], *, status: int = 200, block: str | None = None) -> Response:
        """A page or a part of it; `context` goes before what every page knows."""
        values = {
            "me": self.signed.agent, "signed": self.signed, "chosen": chosen(self.request), "config": self.config, "counters": None,
            "here": self.request.url.path, "says_solved": row_says_solved, "gist": gist, **context,
            "script_words": {key: translate(self.language, text) for key, text in SCRIPT_WORDS.items()},
        }  # fmt: skip
        return pages_of(self.request).render(self.request, f"console/{name}", values, status=status, block=block)
