"""One event stream a tab. It carries ids only; the page fetches what it shows, with its own rights."""

import asyncio
from collections.abc import AsyncIterator

from fastapi import APIRouter, Request
from fastapi.sse import format_sse_event
from starlette.responses import StreamingResponse

from gateway.auth import sessions
from gateway.auth.dependencies import CurrentAgent
from gateway.auth.sessions import Signed
from gateway.web.desk import WebDesk, desk_of

router = APIRouter(include_in_schema=False)

TOPICS = ("tickets", "conversations")
HEARTBEAT = 15.0
LIFE = 30 * 60.0
"""A stream ends by itself now and then, so that a log-in that was revoked meanwhile does not listen for ever."""


@router.get("/console/live")
async def live(request: Request, signed: CurrentAgent) -> StreamingResponse:
    return StreamingResponse(
        events(desk_of(request), signed),
        media_type="text/event-stream",
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )


async def events(desk: WebDesk, signed: Signed, *, heartbeat: float = HEARTBEAT, life: float = LIFE) -> AsyncIterator[bytes]:
    """Hints as they come, a comment when nothing comes; ends when the process is asked to stop."""
    loop = asyncio.get_running_loop()
    ends, noted = loop.time() + life, loop.time()
    stopping = asyncio.create_task(desk.stopping.wait())
    waiting: asyncio.Task[tuple[str, str]] | None = None
    try:
        async with desk.signal.listen(*TOPICS) as hints:
            # Whoever is greeted misses nothing from here on.
            yield format_sse_event(event="hello", data_str="", retry=2000)
            while not desk.stopping.is_set() and loop.time() < ends:
                if loop.time() - noted > sessions.SEEN_EVERY.total_seconds():
                    # An open page is presence: assignment asks who was seen in the last two minutes.
                    noted = loop.time()
                    async with desk.database.unit() as uow:
                        await sessions.note_seen(uow, signed, now=desk.clock.now())
                waiting = waiting or asyncio.create_task(hints.get())
                await asyncio.wait({waiting, stopping}, timeout=heartbeat, return_when=asyncio.FIRST_COMPLETED)
                if waiting.done():
                    topic, ident = waiting.result()
                    waiting = None
                    yield format_sse_event(event=topic, data_str=ident)
                else:
                    yield format_sse_event(comment="still here")
    finally:
        # A tab that is closed ends us at any of these lines; nothing may go on waiting for it.
        for task in (waiting, stopping):
            if task is not None:
                task.cancel()
