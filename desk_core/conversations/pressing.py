"""Buttons of messages: what they stand for, and which can still be pressed."""

from datetime import datetime
from functools import cache
from typing import cast

from sqlalchemy import Table, bindparam, select, update

from desk_core.conversations.entities import ButtonToken
from desk_core.kit.db import ReadSession, UnitOfWork
from desk_core.kit.prepared import Prepared

_BUTTONS = cast("Table", ButtonToken.__table__)

_CLOSE_CARD = Prepared(
    update(_BUTTONS).where(_BUTTONS.c.message_id == bindparam("card"), _BUTTONS.c.used_at.is_(None)).values(used_at=bindparam("now"))
)


@cache
def _open_cards(actions: frozenset[str]) -> Prepared:
    query = select(_BUTTONS.c.message_id).where(
        _BUTTONS.c.conversation_id == bindparam("conversation"), _BUTTONS.c.used_at.is_(None), _BUTTONS.c.action.in_(sorted(actions))
    )
    return Prepared(query.distinct().order_by(_BUTTONS.c.message_id).limit(50))


async def open_cards(uow: UnitOfWork, conversation_id: str, *, actions: frozenset[str]) -> list[str]:
    """The messages of a conversation whose buttons of these kinds can still be pressed."""
    return [str(card) for (card,) in await _open_cards(actions).rows(uow.session, {"conversation": conversation_id})]


async def close_card(uow: UnitOfWork, message_id: str, *, now: datetime) -> None:
    """The buttons of a message count no more."""
    await _CLOSE_CARD.run(uow.session, {"card": message_id, "now": now})


async def button(session: ReadSession, token: str) -> ButtonToken | None:
    found: ButtonToken | None = await session.get(ButtonToken, token)
    return found


async def buttons_of(session: ReadSession, message_id: str) -> list[ButtonToken]:
    return list((await session.scalars(select(ButtonToken).where(ButtonToken.message_id == message_id))).all())


async def article_of(uow: UnitOfWork, message_id: str) -> str | None:
    """The article that a message of the bot showed, by its button "Helped"."""
    query = select(ButtonToken.value).where(ButtonToken.message_id == message_id, ButtonToken.action == "helped").limit(1)
    value = await uow.scalar(query)
    return str(value["article"]) if value and value.get("article") else None
