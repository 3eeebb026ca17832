"""Letters that nobody needs to get: reminders and questions for a rating. Whoever wants none for a request says so on a page of ours.

The page is also what mail programs call by one click (RFC 8058). It stops these letters alone, never an answer.
"""

from fastapi import APIRouter, Request
from itsdangerous import BadData, URLSafeSerializer
from starlette.responses import Response

from desk_core.context import Actor
from desk_core.kit.errors import DeskError
from desk_core.kit.i18n import gettext_noop as _
from desk_core.people.entities import Contact
from desk_core.tickets import effects, history
from gateway.web.desk import WebDesk, desk_of
from gateway.web.templating import pages_of

router = APIRouter(include_in_schema=False)

COURTESIES = frozenset({"resolved_reminder", "rate", "rate_reminder"})
"""Keys of the replies that are such letters."""


class CourtesyLinkUnknown(DeskError):
    """Not an address that we gave out."""

    code, status, text = "courtesy_link_unknown", 404, _("This address is not valid. Take it from the letter once more.")


class CourtesyLinks:
    """Makes and reads these addresses; any process with the desk's key can. They give no way to the request itself."""

    def __init__(self, key: bytes, *, public_url: str = "") -> None:
        self._signer, self._public_url = URLSafeSerializer(key, salt="priyom.mail.courtesy"), public_url

    def url(self, ticket_id: str) -> str:
        return f"{self._public_url}/quiet/{self._signer.dumps(ticket_id)}"

    def read(self, token: str) -> str:
        """The request behind an address; raises `CourtesyLinkUnknown`."""
        try:
            return str(self._signer.loads(token))
        except BadData as error:
            raise CourtesyLinkUnknown from error


@router.get("/quiet/{token}")
async def ask(request: Request, token: str) -> Response:
    """Only asks: programs that look at every link of a letter stop nothing."""
    desk = desk_of(request)
    ticket_id = CourtesyLinks(desk.key).read(token)
    async with desk.database.read() as session:
        stopped = await effects.courtesies_stopped(session, ticket_id)
    return pages_of(request).render(request, "start/quiet.html", {"token": token, "stopped": stopped})


@router.post("/quiet/{token}")
async def stop(request: Request, token: str) -> Response:
    """By the button of the page, or by a mail program's one click; once more changes nothing."""
    desk = desk_of(request)
    await _stop(desk, CourtesyLinks(desk.key).read(token))
    return pages_of(request).render(request, "start/quiet.html", {"token": token, "stopped": True})


async def _stop(desk: WebDesk, ticket_id: str) -> None:
    ctx = await desk.context()
    async with desk.database.unit() as uow:
        ticket = await history.get(uow, ticket_id)
        if not await effects.courtesies_stopped(uow.session, ticket.id):
            contact = await uow.session.get_one(Contact, ticket.contact_id)
            history.note_event(uow, ctx, ticket, effects.NO_COURTESIES, actor=Actor.requester(contact))
