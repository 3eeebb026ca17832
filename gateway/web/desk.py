"""What web pages ask of the desk; `gateway.bootstrap.Desk` answers it."""

import asyncio
from typing import Protocol, cast

from starlette.requests import HTTPConnection

from channels.email.resolver import Resolver
from desk_core.catalogue.desk import DeskConfig
from desk_core.context import Context
from desk_core.conversations.ports import Channel, Limits
from desk_core.kit.blobs import DirectoryBlobs
from desk_core.kit.clock import Clock
from desk_core.kit.db import Database
from desk_core.lanes.signal import Signal
from gateway.secret_box import SecretBox
from gateway.settings import Settings
from gateway.understanding import Understanding
from models.registry import Registry


class TryLimits(Limits, Protocol):
    """Limits that can also be asked without counting."""

    async def left(self, name: str, key: str, *, limit: int, seconds: int) -> bool: ...


class WebDesk(Protocol):
    """`stopping` is set when the process is asked to end, so that open streams let go."""

    @property
    def database(self) -> Database: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def blobs(self) -> DirectoryBlobs: ...
    @property
    def signal(self) -> Signal: ...
    @property
    def limits(self) -> TryLimits: ...
    @property
    def settings(self) -> Settings: ...
    @property
    def key(self) -> bytes: ...
    @property
    def box(self) -> SecretBox: ...
    @property
    def resolver(self) -> Resolver: ...
    @property
    def registry(self) -> Registry: ...
    @property
    def stopping(self) -> asyncio.Event: ...
    @property
    def understanding(self) -> Understanding: ...

    async def config(self) -> DeskConfig: ...
    async def channel(self, inbox_id: str, *, version: int = 0) -> Channel | None: ...
    async def context(self, request_id: str = "") -> Context: ...


def desk_of(connection: HTTPConnection) -> WebDesk:
    """The desk this request belongs to."""
    return cast("WebDesk", connection.app.state.desk)
