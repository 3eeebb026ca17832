"""Following: whatever happens to a request is queued, in the same commit, to be shown in the operators' group."""

from collections.abc import Mapping
from typing import Any

from desk_core.context import Context
from desk_core.kit.db import UnitOfWork
from desk_core.lanes import queue

MIRROR = "mirror"
"""Kind of the work item that brings the topic of a request in step with the request."""
GROUP_SAY = "group_say"
"""Kind of the work item that says something in a group beside that."""
BACKLOG = "group_backlog"
"""Kind of the work item by which a request that was there before the group gets its topic, when its turn comes."""
ALERTS = frozenset({"opened", "sla_at_risk", "sla_breached"})
"""What a team may want to be called for."""


def lane_of(ident: str) -> str:
    """Lanes of their own: a group that cannot be reached never holds up an answer to a requester."""
    return f"group:{ident}"


def follow(uow: UnitOfWork, ctx: Context, ticket_id: str | None) -> None:
    """Have the topic of this request catch up after this commit; nothing where the desk has no operators' group."""
    if ticket_id is None or not ctx.config.groups:
        return

    async def queue_it() -> None:
        payload = {"ticket_id": ticket_id, "request_id": ctx.request_id}
        await queue.put(uow, lane=lane_of(ticket_id), kind=MIRROR, payload=payload, run_at=ctx.now)
        ctx.wake(uow)

    uow.before_commit(f"{MIRROR}:{ticket_id}", queue_it)


def alert(uow: UnitOfWork, ctx: Context, ticket_id: str, event: str, data: Mapping[str, Any]) -> None:
    """Call the team in its alerts' topic, once a thing, where a group wants to be called for that."""
    for group in ctx.config.groups:
        if event in ALERTS and event in group.alerts.get("kinds", ()):
            _call(uow, ctx, group.id, ticket_id, event, data)


def _call(uow: UnitOfWork, ctx: Context, group_id: str, ticket_id: str, event: str, data: Mapping[str, Any]) -> None:
    async def queue_it() -> None:
        payload = {"group_id": group_id, "alert": event, "ticket_id": ticket_id, "data": dict(data), "request_id": ctx.request_id}
        await queue.put(uow, lane=lane_of(f"alerts:{group_id}"), kind=GROUP_SAY, payload=payload, run_at=ctx.now)
        ctx.wake(uow)

    uow.before_commit(f"alert:{group_id}:{ticket_id}:{event}", queue_it)
