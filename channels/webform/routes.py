"""The pages of the web form: topic, fields, suggestions, sending, success. The status page is `status_page`."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

import structlog
from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from channels.webform import lookup, status_page, submission, upload_page
from channels.webform.desk import Article, FormDesk, FormTools, desk_of, language_of, pages_of
from channels.webform.forms import Filled, Problem, check_slots, fields, known_topic, problems, topics
from channels.webform.protection import STATUS, Refusal, Signer, refused, thread_of, within_limits
from channels.webform.submission import Posted
from desk_core.conversations.entities import Inbox
from desk_core.conversations.ports import InboundKind, InboundMessage, Sender
from desk_core.kit.errors import DeskError, NotFound, StoreUnavailable
from desk_core.kit.i18n import gettext_noop as _
from desk_core.kit.i18n import translate
from desk_core.kit.ids import new_id
from desk_core.knowledge.entities import Article as ArticleRow
from desk_core.knowledge.entities import ArticleFeedback
from desk_core.people.entities import Contact

log = structlog.get_logger()
router = APIRouter(include_in_schema=False)
router.include_router(status_page.router)
router.include_router(upload_page.router)

PATIENCE = 5.0
"""Seconds that a person waits for their number before the page says that it comes later."""

SUGGESTIONS = 3
ENOUGH_LETTERS = 8
LIKELY = 0.35
QUERY = 400

SAID = {
    Refusal.NO_TOKEN: _("This form did not come from our page, so it was not sent. Your text is here; press Send once more."),
    Refusal.FOREIGN_TOKEN: _("This form did not come from our page, so it was not sent. Your text is here; press Send once more."),
    Refusal.TOO_OLD: _("This page was open for more than a day, so it was not sent yet. Your text is here; press Send once more."),
    Refusal.TOO_FAST: _("That was faster than people type, so it was not sent yet. Your text is here; press Send once more."),
    Refusal.TRAPPED: _("A field that must stay empty was filled in, perhaps by your browser. It is empty again; press Send once more."),
    Refusal.WORTHLESS_WORK: _("A check in your browser went wrong, so it was not sent yet. Your text is here; press Send once more."),
    Refusal.TOO_MANY: _("Many requests came from your address lately, so this one was not sent. Your text is here; try again later."),
}
PAUSED = _("This form is closed for the moment. Your text is kept in this browser; please try again later.")
LOST_WAY = _("This did not go through. Your text is safe; please try again.")


class FormPaused(DeskError):
    code, status, text = "form_paused", 503, _("This form is closed for the moment. Please try again later.")


async def _inbox(desk: FormDesk, name: str) -> Inbox:
    async with desk.database.read() as session:
        found = await lookup.form_inbox(session, name)
    if found is None:
        raise NotFound(form=name)
    return found


@router.get("/f/{name}")
async def form_page(request: Request, name: str, topic: str = "") -> Response:
    """The form; htmx asks for the fields of a topic alone."""
    desk = desk_of(request)
    inbox = await _inbox(desk, name)
    if inbox.state != "active":
        raise FormPaused
    part = request.headers.get("hx-request") == "true"
    return await _form(request, desk, inbox, Posted(Filled(topic=topic)), block="fields" if part else None)


@router.get("/f/{name}/suggest")
async def suggest(request: Request, name: str, q: str = "", text: str = "", topic: str = "") -> Response:
    """Articles that may answer what is being typed: a part of the page, empty when nothing fits."""
    desk = desk_of(request)
    inbox = await _inbox(desk, name)
    found = await _articles(desk, (q or text)[:QUERY], topic, language_of(request))
    return pages_of(request).render(request, "webform/form.html", {"inbox": inbox, "articles": found}, block="suggestions")


@router.post("/f/{name}/helped")
async def helped(request: Request, name: str) -> Response:
    """An article answered it: that is noted, and no request is opened."""
    desk, language = desk_of(request), language_of(request)
    signer = Signer(desk.key)
    inbox = await _inbox(desk, name)
    posted = await submission.read(request, desk, signer=signer, language=language)
    token = signer.read_token(posted.token)
    found = (await desk.tools()).article(posted.article, language=language) if posted.article else None
    if token is None or token.inbox != name or found is None:
        return await _form(request, desk, inbox, posted, banner=SAID[Refusal.FOREIGN_TOKEN], status=403)
    # Nobody is known here; the page itself stands for the person, so that pressing twice is one opinion.
    nobody = str(uuid5(NAMESPACE_URL, f"priyom:form:{token.nonce}"))
    opinion = str(uuid5(NAMESPACE_URL, f"priyom:form:{token.nonce}:{found.article_id}"))
    async with desk.database.unit() as uow:
        known = await uow.session.get(ArticleRow, found.article_id) is not None
        if known and await uow.session.get(ArticleFeedback, opinion) is None:
            uow.add(
                ArticleFeedback(
                    id=opinion, article_id=found.article_id, conversation_id=nobody, contact_id=nobody, verdict="helped",
                    at=desk.clock.now(),
                )
            )  # fmt: skip
    return RedirectResponse(f"/f/{quote(name)}/helped", 303)


@router.get("/f/{name}/helped")
async def helped_page(request: Request, name: str) -> Response:
    inbox = await _inbox(desk_of(request), name)
    return pages_of(request).render(request, "webform/helped.html", {"inbox": inbox})


@router.post("/f/{name}")
async def send(request: Request, name: str) -> Response:
    """Take the form: stored before it is acknowledged, and whatever is refused comes back with every word of it."""
    desk, language = desk_of(request), language_of(request)
    signer = Signer(desk.key)
    posted = await submission.read(request, desk, signer=signer, language=language)
    try:
        return await _take(request, desk, name, posted, signer)
    except StoreUnavailable as error:
        log.warning("webform.not_stored", form=name, error=str(error))
        return pages_of(request).render(
            request, "webform/kept.html",
            {"target": f"/f/{quote(name)}", "posted": posted, "banner": translate(language, LOST_WAY)}, status=503,
        )  # fmt: skip


async def _take(request: Request, desk: FormDesk, name: str, posted: Posted, signer: Signer) -> Response:
    inbox, language, now = await _inbox(desk, name), language_of(request), desk.clock.now()
    if inbox.state != "active":
        return await _form(request, desk, inbox, posted, banner=PAUSED, status=503)
    if posted.step == "topic":
        return await _form(request, desk, inbox, posted)
    refusal = refused(posted.token, signer=signer, inbox=name, trap=posted.trap, work=posted.work, now=now)
    if refusal is not None:
        log.info("webform.refused", form=name, reason=refusal)
        return await _form(request, desk, inbox, posted, banner=SAID[refusal], status=STATUS[refusal])
    if posted.unstored:
        raise StoreUnavailable(reason=posted.unstored)
    config, tools = await desk.config(), await desk.tools()
    topic = known_topic(config.categories, posted.filled.topic)
    slots, wrong = _check(tools, posted, topic, inbox, language)
    if wrong:
        return await _form(request, desk, inbox, posted, wrong=wrong, status=422)
    if not await within_limits(request, desk):
        return await _form(request, desk, inbox, posted, banner=SAID[Refusal.TOO_MANY], status=STATUS[Refusal.TOO_MANY])
    token = _token(signer, posted)
    await desk.accept(inbox.id, _message(inbox, posted, topic=topic or None, slots=slots, token=token, language=language, at=now))
    await lookup.processed_ticket(desk.database, token, seconds=PATIENCE)
    return RedirectResponse(f"/f/{quote(name)}/done/{token}", 303)


def _check(tools: FormTools, posted: Posted, topic: str, inbox: Inbox, language: str) -> tuple[dict[str, str], list[Problem]]:
    needs_email = bool(inbox.config.get("email_required"))
    wrong = [*problems(posted.filled, files=len(posted.files), needs_email=needs_email, language=language), *posted.problems]
    form = tools.form(topic or None)
    if form is None:
        return {}, wrong

    def validate(slot: Any, answer: str, known: Any) -> Any:
        return tools.validate(slot, answer, language=language, slots=known)

    slots, unfit = check_slots(form.slots, posted.filled, language, validate=validate)
    return slots, [*unfit, *wrong]


def _token(signer: Signer, posted: Posted) -> str:
    """The secret of the request to come. The same page sent twice with the same words is the same request; other words are another."""
    filled, page = posted.filled, signer.read_token(posted.token)
    answers = [f"{name}={value}" for name, value in sorted(filled.slots.items())]
    files = [kept.file.sha256 for kept in posted.files]
    return signer.secret(page.nonce if page else "", filled.topic, filled.name, filled.email, filled.text, *answers, *files)


def _message(
    inbox: Inbox, posted: Posted, *, topic: str | None, slots: dict[str, str], token: str, language: str, at: Any
) -> InboundMessage:
    filled, thread = posted.filled, thread_of(token)
    return InboundMessage(
        kind=InboundKind.MESSAGE,
        external_id=lookup.form_id(token),
        shown_id=new_id(),
        lane=f"in:{inbox.id}:{thread}",
        thread_key=thread,
        sender=Sender(address=filled.email.lower() or f"web:{thread}", name=filled.name, language=language),
        at=at,
        text=filled.text,
        files=posted.inbound_files(),
        category=topic,
        slots=slots,
        card={"token": token, **({"time_zone": filled.zone} if filled.zone else {})},
    )


@router.get("/f/{name}/done/{token}")
async def done(request: Request, name: str, token: str) -> Response:
    """Number, what happens next, until when, how to add something; or that it is registered and the number follows."""
    desk = desk_of(request)
    inbox = await _inbox(desk, name)
    async with desk.database.read() as session:
        ticket = await lookup.ticket_by_token(session, token)
        if ticket is None and await lookup.raw_by_external_id(session, lookup.form_id(token), inbox_id=inbox.id) is None:
            raise NotFound(request=name)
        contact = await session.get(Contact, ticket.contact_id) if ticket else None
    config = await desk.config()
    zone = (contact.time_zone if contact else None) or config.time_zone
    context = {
        "inbox": inbox,
        "ticket": ticket,
        "link": f"{desk.public_url}/s/{token}",
        "team": config.team_title(ticket.team_id, language_of(request)) if ticket and ticket.team_id else "",
        "state": status_page.state_of(ticket, config, now=desk.clock.now(), zone=zone, language=language_of(request)) if ticket else None,
    }
    return pages_of(request).render(request, "webform/done.html", context)


async def _form(
    request: Request,
    desk: FormDesk,
    inbox: Inbox,
    posted: Posted,
    *,
    wrong: Sequence[Problem] = (),
    banner: str = "",
    status: int = 200,
    block: str | None = None,
) -> Response:
    """The page with everything typed so far. A form that was refused for its token gets a fresh one."""
    language, now = language_of(request), desk.clock.now()
    config, tools = await desk.config(), await desk.tools()
    signer = Signer(desk.key)
    token = posted.token
    if refused(token, signer=signer, inbox=inbox.name, trap="", work="", now=now) not in (None, Refusal.TOO_FAST):
        token = signer.token(inbox.name, now)
    topic = known_topic(config.categories, posted.filled.topic)
    form = tools.form(topic or None)
    limit = desk.settings.limits.attachment_mb * submission.MEGABYTE
    context = {
        "inbox": inbox,
        "groups": topics(config.categories, language),
        "topic": topic,
        "fields_of": fields(form.slots, posted.filled, language) if form else (),
        "filled": posted.filled,
        "files_kept": posted.files,
        "token": token,
        "errors": [(one.field, one.sentence) for one in wrong],
        "wrong": {one.field: one.sentence for one in reversed(wrong)},
        "banner": translate(language, banner) if banner else "",
        "needs_email": bool(inbox.config.get("email_required")),
        "policy_url": _web_address(inbox.config.get("policy_url")),
        "limit": limit,
        "articles": await _articles(desk, posted.filled.text[:QUERY], topic, language) if posted.step == "topic" else (),
    }
    return pages_of(request).render(request, "webform/form.html", context, status=status, block=block)


def _web_address(found: object) -> str:
    """An address that may stand in a link, whatever was configured."""
    text = str(found or "")
    return text if text.startswith(("https://", "http://", "/")) else ""


async def _articles(desk: FormDesk, text: str, topic: str, language: str) -> list[Article]:
    if len(text.strip()) < ENOUGH_LETTERS:
        return []
    tools = await desk.tools()
    found = tools.search(text.strip(), language=language, category=topic or None, limit=SUGGESTIONS)
    return [article for article in found if article.score >= LIKELY]
