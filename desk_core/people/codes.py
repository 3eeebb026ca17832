"""E-mail addresses are proven by a code that goes there by letter and is typed in the chat where it was asked for.

A code is kept nowhere: whoever holds the desk's key computes it from the id of its row, and only while it is needed.
"""

from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from desk_core.context import Context
from desk_core.conversations import repository as conversations
from desk_core.conversations.entities import Conversation, Inbox
from desk_core.conversations.ports import ChannelKind
from desk_core.kit.db import ReadSession, UnitOfWork
from desk_core.kit.errors import DeskError
from desk_core.kit.i18n import gettext_noop as _
from desk_core.kit.ids import new_id
from desk_core.lanes import queue
from desk_core.people.entities import AddressCode, Contact

ADDRESS_CODE = "address_code"
"""Kind of the work behind a code: its letter, and in the end that nothing of it is left."""

LIFE = timedelta(minutes=15)
KEPT = timedelta(hours=1)
"""For as long a code counts for the limits, and one that came too late is told as such; then it is forgotten."""
TRIES = 5
AT_MOST = 3
"""So many codes a person asks for, and an address gets, while earlier ones are kept."""


class Stage(StrEnum):
    SEND = "send"
    FORGET = "forget"


class CodeRefused(DeskError):
    """No code is sent; the text says why to whoever asked."""

    status = 409


class NoMailbox(CodeRefused):
    code, text = "no_mailbox", _("An e-mail address cannot be confirmed here: this desk sends no mail.")


class OurAddress(CodeRefused):
    code, text = "our_address", _("This is an address of ours. Write your own.")


class TooManyCodes(CodeRefused):
    code, status = "too_many_codes", 429
    text = _("You have asked for three codes within an hour. Use the last one, or try again in an hour.")


class TooManyLetters(CodeRefused):
    code, status = "too_many_letters", 429
    text = _("Three codes have gone to this address within an hour. Use the last one, or try again in an hour.")


class Tried(StrEnum):
    """What became of a try."""

    RIGHT = "right"
    WRONG = "wrong"
    VOID = "void"  # it was wrong, and the last one
    LATE = "late"  # the code counts no more


async def mailbox(session: AsyncSession, *, language: str = "") -> Inbox | None:
    """By which inbox a code is sent: one that speaks the person's language rather than another."""
    query = select(Inbox).where(Inbox.channel == ChannelKind.EMAIL.value, Inbox.state == "active").order_by(Inbox.created_at, Inbox.id)
    found = list((await session.scalars(query.limit(50))).all())
    return next((inbox for inbox in found if inbox.language == language), found[0] if found else None)


async def ask(
    uow: UnitOfWork, ctx: Context, *, contact: Contact, conversation: Conversation, address: str, language: str, question: str | None
) -> AddressCode:
    """A code for this address is on its way, and voids earlier ones of this chat; raises `CodeRefused`.

    Nothing depends on whether the desk knows the address. `question` is the form's question that was open then.
    """
    inbox = await mailbox(uow.session, language=language)
    if inbox is None:
        raise NoMailbox
    if await conversations.is_own_address(uow, address):
        raise OurAddress(address=address)
    since = ctx.now - KEPT
    for whose, refusal in ((AddressCode.contact_id == contact.id, TooManyCodes), (AddressCode.address == address, TooManyLetters)):
        if (await uow.scalar(select(func.count()).select_from(AddressCode).where(whose, AddressCode.created_at > since)) or 0) >= AT_MOST:
            raise refusal
    await uow.execute(
        update(AddressCode)
        .where(AddressCode.conversation_id == conversation.id, AddressCode.used_at.is_(None), AddressCode.void_at.is_(None))
        .values(void_at=ctx.now)
        .execution_options(synchronize_session=False)
    )
    code = AddressCode(
        id=new_id(), contact_id=contact.id, conversation_id=conversation.id, inbox_id=inbox.id, address=address, language=language,
        question=question, tries=0, created_at=ctx.now, expires_at=ctx.now + LIFE, used_at=None, void_at=None,
    )  # fmt: skip
    uow.add(code)
    await uow.flush()
    work = {"lane": f"code:{code.id}", "kind": ADDRESS_CODE}
    payload = {"code": code.id, "request_id": ctx.request_id}
    await queue.put_many(
        uow,
        [
            {**work, "payload": {**payload, "stage": Stage.SEND.value}, "run_at": ctx.now},
            {**work, "payload": {**payload, "stage": Stage.FORGET.value}, "run_at": ctx.now + KEPT},
        ],
    )
    ctx.wake(uow)
    return code


async def latest(session: ReadSession, conversation_id: str) -> AddressCode | None:
    """The code that was asked for last in a chat, whatever became of it."""
    query = select(AddressCode).where(AddressCode.conversation_id == conversation_id)
    found: AddressCode | None = await session.scalar(query.order_by(AddressCode.created_at.desc(), AddressCode.id.desc()).limit(1))
    return found


def counts(code: AddressCode, now: datetime) -> bool:
    """Whether the right digits prove something now."""
    return code.used_at is None and code.void_at is None and code.expires_at > now and code.tries < TRIES


async def attempt(uow: UnitOfWork, code_id: str, *, right: bool, now: datetime) -> tuple[Tried, AddressCode | None]:
    """One try, counted in the statement that allows it: of two who try at once, each has used one up."""
    mine = AddressCode.id == code_id
    allowed = (AddressCode.used_at.is_(None), AddressCode.void_at.is_(None), AddressCode.expires_at > now, AddressCode.tries < TRIES)
    tried = await uow.execute(
        update(AddressCode)
        .where(mine, *allowed)
        .values(tries=AddressCode.tries + 1, **({"used_at": now} if right else {}))
        .execution_options(synchronize_session=False)
    )
    code: AddressCode | None = await uow.scalar(select(AddressCode).where(mine).execution_options(populate_existing=True))
    if tried.rowcount != 1 or code is None:
        return Tried.LATE, code
    if right:
        return Tried.RIGHT, code
    if code.tries < TRIES:
        return Tried.WRONG, code
    code.void_at = now
    return Tried.VOID, code
