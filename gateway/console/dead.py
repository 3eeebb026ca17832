"""Dead items: work that failed for good, with its reason and a button to try again."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from desk_core.lanes import queue
from desk_core.people.permissions import Right
from gateway.auth.dependencies import require
from gateway.auth.sessions import Signed
from gateway.console.frame import Frame
from gateway.web.desk import desk_of
from gateway.web.paths import Ident

router = APIRouter(prefix="/console/dead", include_in_schema=False)

Supervisor = Annotated[Signed, Depends(require(Right.REPLAY_DEAD))]
PAGE = 50


@router.get("")
async def dead_items(request: Request, signed: Supervisor, page: int = 1) -> Response:
    frame = await Frame.of(request, signed)
    number = max(1, min(page, 1000))
    async with frame.desk.database.read() as session:
        items = await queue.list_dead(session, limit=PAGE + 1, offset=(number - 1) * PAGE)
        depth = await queue.depth(session, now=frame.desk.clock.now())
    return frame.render("dead.html", {"items": items[:PAGE], "depth": depth, "number": number, "more": len(items) > PAGE})


@router.post("/{dead_id}/replay")
async def replay(request: Request, signed: Supervisor, dead_id: Ident) -> Response:
    """Put it back into its lane; a worker takes it up at once."""
    desk = desk_of(request)
    ctx = await desk.context(getattr(request.state, "request_id", ""))
    async with desk.database.unit() as uow:
        await queue.replay(uow, dead_id, now=ctx.now)
        ctx.wake(uow)
    return RedirectResponse("/console/dead", 303)
