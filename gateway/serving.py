"""Running a desk: which parts live in this process, how they start, and how they end."""

import asyncio
import contextlib
import gc
import signal
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
import uvicorn

from desk_core.kit.errors import DeskError
from desk_core.lanes import queue
from gateway.bootstrap import Desk
from gateway.listening import PortTaken, free_port
from gateway.settings import Settings

log = structlog.get_logger()

GRACE_SECONDS = 6
RUNNING = "running.json"
"""Written into the home by `priyom run`: where it listens, for commands that talk to it."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What this process does."""

    web: bool = False
    work: bool = False
    receive: bool = False


@dataclass(slots=True)
class Listening:
    """Where a running desk can be reached."""

    http: str = ""
    smtp: str = ""
    notes: list[str] = field(default_factory=list)


def settle_ports(settings: Settings, parts: Parts, listening: Listening) -> Settings:
    """The settings with ports that are free; says where a default moved on."""
    http, smtp = settings.http, settings.smtp
    if parts.web:
        port = free_port(http.host, http.port, given="port" in http.model_fields_set)
        if port != http.port:
            listening.notes.append(f"port {http.port} is taken, using {port}")
        http = http.model_copy(update={"port": port, "public_url": http.public_url or f"http://127.0.0.1:{port}"})
        listening.http = http.public_url.rstrip("/")
    if parts.receive:
        port = free_port(smtp.host, smtp.port, given="port" in smtp.model_fields_set)
        if port != smtp.port:
            listening.notes.append(f"port {smtp.port} is taken, using {port}")
        if smtp.lmtp_port:
            free_port(smtp.host, smtp.lmtp_port, given=True)
        smtp = smtp.model_copy(update={"port": port})
        listening.smtp = f"{smtp.host}:{smtp.port}"
    return settings.model_copy(update={"http": http, "smtp": smtp})


class _Server(uvicorn.Server):
    """Uvicorn without its own signal handling: the desk ends as a whole, in order."""

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        yield


async def run(
    desk: Desk, parts: Parts, *, ready: Callable[[], Awaitable[None]] | None = None, listening: Listening, sandbox: bool = False
) -> None:
    """Run the parts until SIGTERM or SIGINT; finishes what is in hand and ends within ten seconds."""
    stop = desk.stopping
    tasks: list[asyncio.Task[Any]] = []
    closers: list[Callable[[], Coroutine[Any, Any, Any]]] = []
    try:
        worker = server = None
        if parts.receive:
            # Before the web: whoever is told by /healthz that the desk is ready may send mail at once.
            from gateway.mail import start_listener

            listener = await start_listener(desk)
            closers.append(listener.stop)
        if parts.web:
            server, sandboxes = await web_server(desk, sandbox=sandbox)
            tasks.append(asyncio.create_task(_serve(server), name="web"))
            if sandboxes is not None:
                closers.append(sandboxes.close)
            await _started(server, tasks[-1])
        if parts.receive:
            from gateway.receiving import Receivers

            tasks.append(asyncio.create_task(Receivers(desk).run(), name="receivers"))
        if parts.work:
            # Until the first models are there the desk answers by words alone; nobody waits for training.
            learning = asyncio.create_task(learn_and_settle(desk.learn), name="learning")
            closers.append(lambda: _cancelled(learning))
            if desk.settings.embedded and parts.receive:
                await _take_back(desk)
            worker = desk.accept.worker = desk.worker()
            tasks.append(asyncio.create_task(worker.run(), name="worker"))
        if ready is not None:
            await ready()
        watch = asyncio.create_task(stop.wait(), name="stop")
        await asyncio.wait([watch, *tasks], return_when=asyncio.FIRST_COMPLETED)
        stop.set()
        watch.cancel()
        log.info("desk.stopping")
        if server is not None:
            server.should_exit = True
        for close in closers:
            await close()
        if worker is not None:
            worker.stop()
        for task in tasks:
            if task.get_name() == "receivers":
                task.cancel()
        _done, late = await asyncio.wait(tasks, timeout=GRACE_SECONDS) if tasks else (set(), set())
        for task in late:
            task.cancel()
        await _raise_first(tasks)
    finally:
        await desk.close()


async def learn_and_settle(learn: Callable[[], Awaitable[None]]) -> None:
    """Learn, then keep what was loaded out of the collector's sight: 200,000 objects that stay, read again at 70 ms a time."""
    await learn()
    gc.collect()
    gc.freeze()


async def _take_back(desk: Desk) -> None:
    """The one process of an embedded desk begins: whoever holds a lane is dead, and nobody has to wait until the lease runs out."""
    async with desk.database.unit() as uow:
        await queue.lapse_all(uow)


async def _serve(server: uvicorn.Server) -> None:
    """Until it is told to end; raises `PortTaken` or `CannotListen` where the port is no longer free."""
    try:
        await server.serve()
    except SystemExit as error:  # uvicorn leaves the whole process where it cannot bind, and has not kept why
        host, port = server.config.host, server.config.port
        free_port(host, port, given=True)
        raise PortTaken(host=host, port=port) from error


async def _started(server: uvicorn.Server, task: "asyncio.Task[Any]") -> None:
    """Wait until the web server listens; raises what kept it from that."""
    while not server.started and not task.done():  # noqa: ASYNC110 - uvicorn tells only by this flag
        await asyncio.sleep(0.02)
    if task.done():
        task.result()


async def _cancelled(task: "asyncio.Task[Any]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _raise_first(tasks: Sequence["asyncio.Task[Any]"]) -> None:
    results = await asyncio.gather(*tasks, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception):
            raise result


def listen_for_the_end(desk: Desk) -> None:
    """From here on SIGTERM and SIGINT ask the desk to end, whatever it is doing."""
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, desk.stopping.set)


async def wait_for_store(desk: Desk) -> bool:
    """A database that is away or still starting is waited for, with backoff; False when the desk was asked to end meanwhile."""
    if desk.settings.embedded:
        return True  # a file does not come later; what is wrong with it is said at once
    pause = 0.5
    while not desk.stopping.is_set():
        try:
            await desk.database.ping()
        except DeskError as error:
            log.warning("desk.store_unavailable", error=str(error), retry_in=pause)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(desk.stopping.wait(), pause)
            pause = min(10.0, pause * 2)
        else:
            return True
    return False


async def web_server(desk: Desk, *, sandbox: bool) -> tuple[uvicorn.Server, Any]:
    from gateway.app import create_app

    sandboxes = None
    if sandbox:
        from gateway.sandboxes import Sandboxes

        sandboxes = Sandboxes(desk)
    app = await create_app(desk, sandboxes=sandboxes)
    config = uvicorn.Config(
        app,
        host=desk.settings.http.host,
        port=desk.settings.http.port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=3,
        proxy_headers=bool(desk.settings.http.trusted_proxies),
        forwarded_allow_ips=desk.settings.http.trusted_proxies or None,
        server_header=False,
    )
    return _Server(config), sandboxes
