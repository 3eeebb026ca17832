"""Rules of a mail inbox: what the desk says of mail by its sender, a domain or words of its subject, and what a rule would have met."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from channels.email.rules import Rules
from desk_core.conversations import holding
from desk_core.conversations.entities import Inbox
from desk_core.conversations.ports import ChannelKind, TakeAs
from desk_core.kit.errors import Invalid
from desk_core.kit.i18n import gettext_noop as _
from gateway.console.frame import Frame
from gateway.console.inbox_pages import Administrator, inbox_of, note_change
from gateway.mail_rules import Met, met_by
from gateway.web.paths import Ident

router = APIRouter(prefix="/console/settings/mail/{inbox_id}/rules", include_in_schema=False)

WHAT = {
    TakeAs.ROBOT.value: _("is held, and nobody is answered"),
    TakeAs.PERSON.value: _("is a person's, whatever it says of itself"),
    TakeAs.APART.value: _("opens a request each time"),
}
Typed = Annotated[str, Form(max_length=300)]


@router.get("")
async def rules(request: Request, signed: Administrator, inbox_id: Ident, saved: str = "") -> Response:
    frame = await Frame.of(request, signed)
    return _page(frame, await inbox_of(frame, inbox_id, ChannelKind.EMAIL), saved=saved)


@router.post("")
async def add(
    request: Request,
    signed: Administrator,
    inbox_id: Ident,
    about: Typed = "",
    what: Annotated[str, Form(max_length=10)] = TakeAs.ROBOT.value,
    preview: Annotated[str, Form(max_length=5)] = "",
) -> Response:
    """Make a rule, or with `preview` only show which letters it would have met."""
    frame = await Frame.of(request, signed)
    known = await inbox_of(frame, inbox_id, ChannelKind.EMAIL)
    typed = {"about": about, "what": what}
    if what not in WHAT:
        raise Invalid(reason=_("This is none of the choices."))
    try:
        place, key = holding.rule_of(about)
        if preview:
            async with frame.desk.database.read() as session:
                met = await met_by(session, known, Rules.of({place: {key: what}}), now=frame.desk.clock.now())
            return _page(frame, known, typed=typed, met=met)
        async with frame.desk.database.unit() as uow:
            inbox = await uow.session.get_one(Inbox, known.id, with_for_update=True)
            if holding.set_rule(inbox, about, TakeAs(what)):
                note_change(uow, frame, "inbox.rule", inbox.name, {"about": key, "what": what})
    except Invalid as error:
        return _page(frame, known, typed=typed, error=str(error.fields.get("reason", error.text)), status=error.status)
    return RedirectResponse(f"/console/settings/mail/{inbox_id}/rules?saved=1", 303)


@router.post("/remove")
async def remove(request: Request, signed: Administrator, inbox_id: Ident, about: Typed) -> Response:
    """Such mail is judged like any other again."""
    frame = await Frame.of(request, signed)
    known = await inbox_of(frame, inbox_id, ChannelKind.EMAIL)
    async with frame.desk.database.unit() as uow:
        inbox = await uow.session.get_one(Inbox, known.id, with_for_update=True)
        if holding.forget_rule(inbox, about):
            note_change(uow, frame, "inbox.forget_rule", inbox.name, {"about": about})
    return RedirectResponse(f"/console/settings/mail/{inbox_id}/rules?saved=1", 303)


def _page(
    frame: Frame, inbox: Inbox, *, typed: Mapping[str, str] | None = None, met: Met | None = None, error: str = "", saved: str = "",
    status: int = 200,
) -> Response:  # fmt: skip
    context = {
        "inbox": inbox, "rules": Rules.of(inbox.config), "what": WHAT, "typed": typed or {"about": "", "what": TakeAs.ROBOT.value},
        "met": met, "error": error, "saved": saved,
    }  # fmt: skip
    return frame.render("mail_rules.html", context, status=status)
