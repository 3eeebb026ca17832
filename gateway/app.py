"""The web application of a desk: console, public pages, REST, hooks, health; sandboxes only where asked for."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import FastAPI

import channels.webform
from channels.webform import routes as webform
from gateway import courtesies, health, hooks, start_page
from gateway.api import v1
from gateway.auth import pages as log_in
from gateway.bootstrap import Desk
from gateway.console import TEMPLATES as CONSOLE_TEMPLATES
from gateway.console import routers as console_routers
from gateway.web.setup import install

if TYPE_CHECKING:
    from gateway.sandboxes import Sandboxes

WEBFORM_TEMPLATES = Path(channels.webform.__file__).parent / "templates"
BOT_API = "/sandbox/bot-api"


async def create_app(desk: Desk, *, sandboxes: "Sandboxes | None" = None) -> FastAPI:
    """The application over a desk that is set up."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        desk.stopping.set()
        await asyncio.sleep(0)

    config = await desk.config()
    app = FastAPI(title="Priyom", version="1", docs_url=None, redoc_url=None, openapi_url="/api/v1/openapi.json", lifespan=lifespan)
    install(
        app,
        desk,
        folders={"console": CONSOLE_TEMPLATES, "webform": WEBFORM_TEMPLATES, "start": Path(__file__).parent / "templates"},
        open_paths=("/api/", "/hooks/", BOT_API),
        default_language=config.language,
        time_zone=config.time_zone,
        organisation=config.organisation,
    )
    for router in (
        health.router,
        hooks.router,
        log_in.router,
        webform.router,
        v1.router,
        start_page.router,
        courtesies.router,
        *console_routers,
    ):
        app.include_router(router)
    if sandboxes is not None:
        app.router.routes.extend(sandboxes.routes())
        app.include_router(sandboxes.mail)
    app.state.sandboxes = sandboxes
    return app
