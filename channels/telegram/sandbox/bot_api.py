"""The Bot API over HTTP: `/bot<token>/<method>` and `/file/bot<token>/<path>`, faults included."""

import asyncio
import logging
import re
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from channels.telegram.sandbox.accounts import AccountMethods
from channels.telegram.sandbox.bodies import read_parameters
from channels.telegram.sandbox.changing import ChangeMethods
from channels.telegram.sandbox.chats import Json
from channels.telegram.sandbox.faults import Fault, FaultKind, Faults
from channels.telegram.sandbox.groups import GroupMethods
from channels.telegram.sandbox.parameters import Parameters
from channels.telegram.sandbox.refusals import (
    Refusal,
    bad_request,
    not_found,
    server_error,
    too_many_requests,
    unauthorized,
)
from channels.telegram.sandbox.schema import schema
from channels.telegram.sandbox.sending import SendMethods
from channels.telegram.sandbox.state import Bot, World
from channels.telegram.sandbox.topics import TopicMethods
from channels.telegram.sandbox.webhooks import Webhooks

off_schema: Final = logging.getLogger(f"{__name__}.off_schema")
"""Told of every request that the schema of the Bot API does not have, in whatever sandbox of this process: names and rules, no values."""

CALLS_KEPT: Final = 2_000
_TOKEN: Final = re.compile(r"[1-9]\d{0,14}:[A-Za-z0-9_-]{35}")


@dataclass(frozen=True, slots=True)
class Call:
    """One call a bot made, kept for tests: what was asked and how it was answered."""

    bot: int
    method: str
    values: dict[str, Any]
    code: int
    description: str | None = None


class CutConnection(Response):
    """Promises more bytes than it sends, so that the server closes the connection in the middle of the answer."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"application/json"), (b"content-length", b"4096")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b'{"ok":', "more_body": True})


class BotApi:
    """Answers bots as Telegram would; every call that was understood is remembered in `calls`."""

    def __init__(self, world: World, faults: Faults, webhooks: Webhooks) -> None:
        self._world = world
        self._faults = faults
        self._accounts = AccountMethods(world, webhooks)
        self._methods = self._accounts.table.copy()
        for methods in (SendMethods(world), ChangeMethods(world), TopicMethods(world), GroupMethods(world)):
            self._methods |= methods.table
        self.calls: deque[Call] = deque(maxlen=CALLS_KEPT)
        self.violations: deque[str] = deque(maxlen=CALLS_KEPT)

    # Calls

    async def call(self, request: Request) -> Response:
        """One API call, from the path to the answer."""
        method = str(request.path_params["method"])
        fault: Fault | None = None
        try:
            bot = self._bot(str(request.path_params["token"]))
            params = await read_parameters(request)
            self._hold_beside_schema(method, params)
            if fault := self._faults.take(method):
                await self._before(fault)
                if fault.kind is FaultKind.CUT_BEFORE:
                    return CutConnection()
            result = await self._result(bot, method, params, request)
        except Refusal as refusal:
            return self._refused(request, method, refusal)
        except HTTPException:
            return self._refused(request, method, bad_request("can't parse the request body"))
        if method.lower() != "getupdates":
            self.calls.append(Call(bot.id, method, dict(params.values), 200))
        if fault is not None and fault.kind is FaultKind.CUT_AFTER:
            return CutConnection()
        body: Json = {"ok": True, "result": result}
        if isinstance(result, tuple):
            body = {"ok": True, "result": result[0], "description": result[1]}
        return JSONResponse(body)

    def _hold_beside_schema(self, method: str, params: Parameters) -> None:
        for problem in schema().problems(method, params.values, frozenset(params.uploads)):
            self.violations.append(f"{method}: {problem}")
            off_schema.warning("%s: %s", method, problem)

    def _refused(self, request: Request, method: str, refusal: Refusal) -> Response:
        bot = self._world.bots.get(str(request.path_params["token"]))
        if bot is not None and method.lower() != "getupdates":
            self.calls.append(Call(bot.id, method, {}, refusal.code, refusal.description))
        return JSONResponse(refusal.answer(), status_code=refusal.code)

    def _bot(self, token: str) -> Bot:
        bot = self._world.bots.get(token)
        if bot is None and self._world.open_to_all and _TOKEN.fullmatch(token):
            bot_id = token.split(":", 1)[0]
            if self._world.find_bot(bot_id) is None:
                bot = self._world.add_bot(token, username=f"desk_{bot_id}_bot", name=f"Desk {bot_id}")
        if bot is None:
            raise unauthorized()
        return bot

    async def _before(self, fault: Fault) -> None:
        match fault.kind:
            case FaultKind.TOO_MANY:
                raise too_many_requests(fault.retry_after)
            case FaultKind.ERROR:
                raise server_error(fault.description, code=fault.code)
            case FaultKind.SLOW:
                await asyncio.sleep(fault.seconds)
            case FaultKind.CUT_BEFORE | FaultKind.CUT_AFTER:
                return

    async def _result(self, bot: Bot, method: str, params: Parameters, request: Request) -> Any:
        if method.lower() == "getupdates":
            clock = asyncio.get_running_loop().time
            return await self._accounts.get_updates(bot, params, clock=clock, wait=while_connected(request, bot.wake.wait))
        act = self._methods.get(method.lower())
        if act is None:
            raise not_found()
        return act(bot, params)

    # Files

    async def file(self, request: Request) -> Response:
        """The bytes behind a file_path that getFile gave."""
        bot = self._world.bots.get(str(request.path_params["token"]))
        if bot is None:
            return JSONResponse(unauthorized().answer(), status_code=401)
        if fault := self._faults.take("file"):
            try:
                await self._before(fault)
            except Refusal as refusal:
                return JSONResponse(refusal.answer(), status_code=refusal.code)
            if fault.kind in (FaultKind.CUT_BEFORE, FaultKind.CUT_AFTER):
                return CutConnection()
        stored = self._world.files.at(str(request.path_params["path"]))
        if stored is None:
            return JSONResponse(not_found().answer(), status_code=404)
        return Response(stored.data, media_type="application/octet-stream")


def while_connected(request: Request, wait: Callable[[float], Awaitable[bool]]) -> Callable[[float], Awaitable[bool]]:
    """`wait`, cut short with False when the caller hangs up."""

    async def watched(timeout: float) -> bool:
        if timeout <= 0:
            return False
        waiting = asyncio.ensure_future(wait(timeout))
        gone = asyncio.ensure_future(_hung_up(request))
        done, pending = await asyncio.wait({waiting, gone}, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        return waiting in done and waiting.result()

    return watched


async def _hung_up(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        continue
