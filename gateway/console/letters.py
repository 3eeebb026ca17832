"""The letters of a mail inbox: greeting, signature, footer and history by language, with a preview of what goes out."""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from channels.email.compose import html_body, plain_body
from channels.email.html_text import safe_html
from channels.email.letter import Letter, fault, letters_of, worded
from desk_core.catalogue import desk as catalogue
from desk_core.conversations.entities import Inbox
from desk_core.conversations.ports import ChannelKind, OutboundMessage
from desk_core.kit.errors import StaleWrite
from desk_core.kit.i18n import Phrase, translate
from desk_core.kit.i18n import gettext_noop as _
from gateway.console.frame import Frame
from gateway.console.inbox_pages import Administrator, inbox_of, note_change
from gateway.console.settings import SPEECH
from gateway.web.paths import Ident

router = APIRouter(prefix="/console/settings/mail/{inbox_id}/letter", include_in_schema=False)

LONGEST = {"greeting": 300, "signature": 2000}
SAMPLE_NUMBER = 1042
SAMPLE_NAMES = {"ru": "Вера Иванова", "en": "Vera Ivanova"}
SAMPLE_ANSWER = _("The printer works again: the cable was loose.")
SAMPLE_QUESTION = _("The printer at the reception does not print.")


@router.get("")
async def letter(request: Request, signed: Administrator, inbox_id: Ident, saved: str = "") -> Response:
    frame = await Frame.of(request, signed)
    inbox = await inbox_of(frame, inbox_id, ChannelKind.EMAIL)
    return await _page(frame, inbox, letters_of(inbox.config), saved=saved)


@router.post("")
async def save(request: Request, signed: Administrator, inbox_id: Ident) -> Response:
    """Keep what was typed, or with `preview` only show what it makes."""
    frame = await Frame.of(request, signed)
    inbox = await inbox_of(frame, inbox_id, ChannelKind.EMAIL)
    form = await request.form()
    letters = {language: _typed(form, language) for language in frame.config.languages}
    errors = {
        f"{name}_{language}": error
        for language, one in letters.items()
        for name in LONGEST
        if (error := _wrong(name, str(getattr(one, name))))
    }
    if errors or form.get("preview"):
        return await _page(frame, inbox, letters, errors=errors, version=str(form.get("version", "")), status=422 if errors else 200)
    async with frame.desk.database.unit() as uow:
        there = await uow.session.get_one(Inbox, inbox.id, with_for_update=True)
        if str(form.get("version", "")) not in ("", str(there.version)):
            raise StaleWrite
        kept = {**there.config.get("letter", {}), **{language: one.to_json() for language, one in letters.items()}}
        if kept != there.config.get("letter"):
            there.config = {**there.config, "letter": kept}
            there.version += 1
            note_change(uow, frame, "inbox.letter", there.name, {"letter": kept})
    return RedirectResponse(f"/console/settings/mail/{inbox.id}/letter?saved=1", 303)


def _typed(form: FormData, language: str) -> Letter:
    def words(name: str) -> str:
        value = form.get(f"{name}_{language}", "")
        return value.replace("\r\n", "\n").strip() if isinstance(value, str) else ""

    return Letter(
        greeting=words("greeting"), signature=words("signature"), footer=bool(words("footer")), history=bool(words("history"))
    )  # fmt: skip


def _wrong(name: str, text: str) -> str:
    if len(text) > LONGEST[name]:
        return Phrase(_("At most %(n)s characters, please."), n=LONGEST[name])
    found = fault(text)
    if found is None:
        return ""
    return Phrase(_("%(found)s is not known here. Known are %%(name)s, %%(number)s and %%(team)s."), found=found)


async def _page(
    frame: Frame, inbox: Inbox, letters: Mapping[str, Letter], *, errors: Mapping[str, str] | None = None, version: str = "",
    saved: str = "", status: int = 200,
) -> Response:  # fmt: skip
    languages, ctx = frame.config.languages, await frame.desk.context()
    context = {
        "inbox": inbox, "version": version or inbox.version, "letters": {one: letters.get(one, Letter()) for one in languages},
        "speech": SPEECH, "longest": LONGEST, "errors": errors or {}, "saved": saved,
        "samples": {} if errors else {one: _samples(frame, inbox, letters.get(one, Letter()), one, ctx.public_url) for one in languages},
    }  # fmt: skip
    return frame.render("letter.html", context, status=status)


def _samples(frame: Frame, inbox: Inbox, letter: Letter, language: str, public_url: str) -> list[dict[str, Any]]:
    """An acknowledgement and an operator's answer, written out as they would be sent."""
    config, now, organisation = frame.config, frame.desk.clock.now(), catalogue.pick(frame.config.organisation, language)
    team = next((config.team_title(one.id, language) for one in config.teams.values()), "")
    params = {"number": SAMPLE_NUMBER, "team": team, "promise": "14:30"}
    common: dict[str, Any] = {
        "message_id": "", "conversation_id": "", "thread_key": "", "to": "vera@example.com",
        "to_name": SAMPLE_NAMES.get(language, SAMPLE_NAMES["en"]), "language": language, "at": now,
        "ticket_number": SAMPLE_NUMBER, "status_url": f"{public_url}/s/…", "team": team,
        "original": {
            "author": SAMPLE_NAMES.get(language, SAMPLE_NAMES["en"]), "at": now.astimezone(ZoneInfo(config.time_zone)).isoformat(),
            "text": translate(language, SAMPLE_QUESTION),
        },
    }  # fmt: skip
    told = {
        _("Acknowledgement"): OutboundMessage(text=config.reply("created", language, **params), **common),
        _("An operator's answer"): OutboundMessage(
            text=translate(language, SAMPLE_ANSWER), author="agent", author_name=frame.signed.agent.name, automatic=False, **common
        ),
    }
    written = {title: worded(message, letter, organisation=organisation) for title, message in told.items()}
    # A frame within the page inherits what the page may do, which leaves no room for styles of its own.
    return [{"title": title, "html": safe_html(html_body(message)), "plain": plain_body(message)} for title, message in written.items()]
