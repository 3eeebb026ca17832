"""How the letters of a mail inbox go out: by whose servers, where reports about them come back to, and by which key they are signed."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi import Form as Typed
from starlette.responses import RedirectResponse, Response

from channels.email.checkup import Checkup
from channels.email.relay_address import Relay
from channels.email.signing import Algorithm, make_key
from channels.email.smtp_out import SandboxSender, Sender, SmtpSender
from channels.email.trust import domain_of
from desk_core.conversations.checkups import State
from desk_core.conversations.entities import Inbox
from desk_core.conversations.ports import ChannelKind
from desk_core.kit.errors import Invalid, StaleWrite
from desk_core.kit.i18n import gettext_noop as _
from gateway import mail_inboxes, mail_signing
from gateway.checkups import told
from gateway.console.frame import Frame
from gateway.console.inbox_pages import Administrator, inbox_of, note_change
from gateway.console.relay_form import DESK, OWN, PROTECTION, Form
from gateway.mail import sandbox_of
from gateway.mail_inboxes import MailOptions
from gateway.mail_signing import SigningKey
from gateway.secret_box import SecretLost
from gateway.web.paths import Ident
from gateway.web.templating import wants_part

router = APIRouter(prefix="/console/settings/mail/{inbox_id}/out", include_in_schema=False)

TRY_SECONDS = 8.0
ALGORITHMS = {
    Algorithm.RSA.value: _("RSA, which every receiver can check"),
    Algorithm.ED25519.value: _("Ed25519, shorter, not known everywhere"),
}
RECORDS = {
    "published": _("The record is there."),
    "different": _("There is a record of this name, and it holds another key. Put the value below in its place."),
    "missing": _("No record was found. Names take up to a day to be seen everywhere."),
}


@router.get("")
async def outgoing(request: Request, signed: Administrator, inbox_id: Ident, saved: str = "") -> Response:
    frame = await Frame.of(request, signed)
    return await _page(frame, await inbox_of(frame, inbox_id, ChannelKind.EMAIL), saved=saved)


@router.post("")
async def save(request: Request, signed: Administrator, inbox_id: Ident) -> Response:
    """Keep by whose servers the letters go out; a running desk goes over to them within seconds."""
    frame = await Frame.of(request, signed)
    known = await inbox_of(frame, inbox_id, ChannelKind.EMAIL)
    form = await request.form()
    read = Form.read(form, mail_inboxes.own_relays(frame.desk.box.open(known.secrets)), frame.desk.box)
    version = str(form.get("version", ""))
    if read.errors:
        return await _page(frame, known, form=read, version=version, status=422)
    async with frame.desk.database.unit() as uow:
        inbox = await uow.session.get_one(Inbox, known.id, with_for_update=True)
        if version not in ("", str(inbox.version)):
            raise StaleWrite
        changed = await mail_inboxes.set_mail(uow, inbox, MailOptions(smtp_url=read.urls), box=frame.desk.box)
        if changed:
            note_change(uow, frame, "inbox.set", inbox.name, {"changed": changed, "relays": [str(relay) for relay in read.relays]})
    return RedirectResponse(f"{_base(known)}?saved=change", 303)


@router.post("/check")
async def check(request: Request, signed: Administrator, inbox_id: Ident) -> Response:
    """Every server that was typed is connected to and logged in at; nothing is sent, nothing is stored."""
    frame = await Frame.of(request, signed)
    inbox = await inbox_of(frame, inbox_id, ChannelKind.EMAIL)
    form = await request.form()
    read = Form.read(form, mail_inboxes.own_relays(frame.desk.box.open(inbox.secrets)), frame.desk.box)
    steps: list[dict[str, Any]] = []
    urls = read.urls or frame.desk.settings.smtp_out.url.get_secret_value()
    if not read.errors:
        steps = await _tried(frame, inbox, Relay.several(urls))
    status = 422 if read.errors else 200
    if wants_part(request):
        return frame.render("parts/checkup.html", {**_steps(steps), "errors": read.errors}, status=status)
    return await _page(frame, inbox, form=read, steps=steps, version=str(form.get("version", "")), status=status)


@router.post("/key")
async def make(
    request: Request, signed: Administrator, inbox_id: Ident, algorithm: Annotated[str, Typed(max_length=20)] = "rsa"
) -> Response:
    """One more key for the domain; it signs once its record is found, the first one at once."""
    frame = await Frame.of(request, signed)
    inbox = await inbox_of(frame, inbox_id, ChannelKind.EMAIL)
    if algorithm not in ALGORITHMS:
        raise Invalid(reason=_("This is none of the choices."))
    domain = mail_signing.mail_domain(domain_of(inbox.address))
    pair = await asyncio.to_thread(make_key, Algorithm(algorithm))
    async with frame.desk.database.unit() as uow:
        key = await mail_signing.add_key(uow, domain, pair, selector="", box=frame.desk.box, now=frame.desk.clock.now())
        note_change(uow, frame, "dkim.add", domain, {"selector": key.selector})
    return RedirectResponse(f"{_base(inbox)}?saved=key#signature", 303)


@router.post("/key/check")
async def look(request: Request, signed: Administrator, inbox_id: Ident) -> Response:
    """Ask the name servers for the records. The newest key whose record is there signs from then on."""
    frame = await Frame.of(request, signed)
    inbox = await inbox_of(frame, inbox_id, ChannelKind.EMAIL)
    domain = mail_signing.mail_domain(domain_of(inbox.address))
    async with frame.desk.database.read() as session:
        keys = await mail_signing.keys_of(session, domain)
    try:
        states = await asyncio.to_thread(mail_signing.look_up, keys, domain, frame.desk.resolver)
    except mail_signing.NamesSilent as error:
        return await _page(frame, inbox, names_error=error.text, status=error.status)
    async with frame.desk.database.unit() as uow:
        found = {selector: state == "published" for selector, state in states.items()}
        await mail_signing.note_published(uow, domain, found, now=frame.desk.clock.now())
    return await _page(frame, await inbox_of(frame, inbox_id, ChannelKind.EMAIL), records=states)


@router.post("/key/remove")
async def remove(request: Request, signed: Administrator, inbox_id: Ident, selector: Annotated[str, Typed(max_length=200)]) -> Response:
    frame = await Frame.of(request, signed)
    inbox = await inbox_of(frame, inbox_id, ChannelKind.EMAIL)
    domain = mail_signing.mail_domain(domain_of(inbox.address))
    async with frame.desk.database.unit() as uow:
        await mail_signing.remove_key(uow, domain, selector, now=frame.desk.clock.now())
        note_change(uow, frame, "dkim.remove", domain, {"selector": selector})
    return RedirectResponse(f"{_base(inbox)}?saved=removed#signature", 303)


@router.post("/sign")
async def sign(request: Request, signed: Administrator, inbox_id: Ident, dkim: Annotated[str, Typed(max_length=10)] = "") -> Response:
    """Whether the letters of this inbox are signed at all."""
    frame = await Frame.of(request, signed)
    known = await inbox_of(frame, inbox_id, ChannelKind.EMAIL)
    async with frame.desk.database.unit() as uow:
        inbox = await uow.session.get_one(Inbox, known.id, with_for_update=True)
        if mail_inboxes.set_habits(inbox, dkim=bool(dkim)):
            note_change(uow, frame, "inbox.habits", inbox.name, dict(mail_inboxes.habits(inbox.config)))
    return RedirectResponse(f"{_base(known)}?saved=change#signature", 303)


def _base(inbox: Inbox) -> str:
    return f"/console/settings/mail/{inbox.id}/out"


async def _tried(frame: Frame, inbox: Inbox, relays: Sequence[Relay]) -> list[dict[str, Any]]:
    """Each server has a step of its own, with its own words."""
    ways: list[Sender] = [SmtpSender(relay.url, timeout=TRY_SECONDS * 0.8) for relay in relays] or [_sandbox(frame)]
    found = await asyncio.gather(*(Checkup(inbox.address, sender=way, seconds=TRY_SECONDS).run() for way in ways))
    steps = [told(step, frame.language) for one in found for step in one]
    return [{**step, "step": str(relay)} for relay, step in zip(relays, steps, strict=True)] if relays else steps


def _sandbox(frame: Frame) -> SandboxSender:
    return SandboxSender(sandbox_of(frame.desk.settings, frame.desk.clock))


def _steps(steps: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "steps": steps, "failed": sum(step["state"] == State.FAIL for step in steps),
        "warned": sum(step["state"] == State.WARN for step in steps), "tried_itself": True,
    }  # fmt: skip


async def _page(
    frame: Frame, inbox: Inbox, *, form: Form | None = None, version: str = "", steps: list[dict[str, Any]] | None = None,
    records: Mapping[str, str] | None = None, names_error: str = "", saved: str = "", status: int = 200,
) -> Response:  # fmt: skip
    lost = ""
    if form is None:
        try:
            form = Form.of(mail_inboxes.own_relays(frame.desk.box.open(inbox.secrets)), inbox.address)
        except SecretLost as error:
            form, lost = Form.of((), inbox.address), error.text
    domain = domain_of(inbox.address)
    keys: tuple[SigningKey, ...] = ()
    try:
        domain = mail_signing.mail_domain(domain)
        async with frame.desk.database.read() as session:
            keys = await mail_signing.keys_of(session, domain)
    except Invalid:
        domain = ""  # a name inside one's own network: nobody outside could look its key up
    habits = mail_inboxes.habits(inbox.config)
    context = {
        "inbox": inbox, "base": _base(inbox), "version": version or inbox.version, "form": form, "errors": form.errors, "lost": lost,
        "ways": (DESK, OWN), "protection": PROTECTION, "usual": _usual(frame), "saved": saved, "domain": domain,
        "keys": [_shown(key, keys, domain, records or {}) for key in reversed(keys)], "habits": habits, "algorithms": ALGORITHMS,
        "names_error": names_error,
        "bounces": inbox.address.replace("@", "+…@") if habits["plus"] else inbox.address, **_steps(steps or []),
    }  # fmt: skip
    return frame.render("outgoing.html", context, status=status)


def _usual(frame: Frame) -> list[str]:
    """The relays of the desk, without their secrets."""
    return [str(relay) for relay in Relay.several(frame.desk.settings.smtp_out.url.get_secret_value())]


def _shown(key: SigningKey, keys: tuple[SigningKey, ...], domain: str, records: Mapping[str, str]) -> dict[str, Any]:
    state = records.get(key.selector, "published" if key.published else "")
    return {**key.shown(domain), "signs": key == mail_signing.in_use(keys), "state": state, "record": RECORDS.get(state, "")}
