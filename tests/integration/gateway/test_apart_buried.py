"""A letter that was set apart and whose processing fails for good is a request of its own all the same."""

from sqlalchemy import select

from desk_core.conversations.entities import Message, RawInbound
from desk_core.lanes.entities import WorkItem
from desk_core.lanes.queue import Work
from desk_core.tickets import moving
from desk_core.tickets.entities import Ticket, TicketEvent, TicketLink
from gateway.flows.intake import INBOUND
from tests.integration.gateway.conftest import Post


async def test_the_request_that_it_left_is_told(post: Post) -> None:
    await post.vera_writes()
    await post.vera_writes("И сканер не работает с утра.", headers="\nIn-Reply-To: <v1@example.com>")
    old = await post.ticket()
    ctx = await post.desk.context()
    async with post.desk.database.read() as session:
        letter = (await session.scalars(select(Message).where(Message.external_id == "v2@example.com"))).one()
    async with post.desk.database.unit() as uow:
        await moving.make_apart(uow, ctx, letter.id, by=post.agent)
    async with post.desk.database.unit() as uow:
        raw = await uow.scalar(select(RawInbound).where(RawInbound.external_id == "v2@example.com"))
        item = await uow.scalar(select(WorkItem).where(WorkItem.lane == raw.lane))
        work = Work(id=item.id, lane=item.lane, kind=item.kind, payload=item.payload, attempts=6, run_at=item.run_at)
        await post.desk.handlers()[INBOUND].buried(uow, work, "dead", "it broke")
    async with post.desk.database.read() as session:
        new = (await session.scalars(select(Ticket).where(Ticket.id != old.id))).one()
        told = (await session.scalars(select(TicketEvent).where(TicketEvent.ticket_id == old.id, TicketEvent.kind == "letter_apart"))).one()
        link = (await session.scalars(select(TicketLink))).one()
    assert (told.data, link.from_id, link.to_id) == ({"to": new.number}, new.id, old.id)
    assert "moving" not in (await post.message(letter.id)).meta
