"""Everything a web app of the desk needs before its routers: templates, static files, headers, language, errors."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from fastapi import FastAPI

from gateway.web import errors
from gateway.web.assets import PREFIX, STATIC_FOLDER, Assets, LastingFiles
from gateway.web.desk import WebDesk
from gateway.web.language import LanguageMiddleware
from gateway.web.security import SecurityMiddleware
from gateway.web.templating import Pages


def install(
    app: FastAPI,
    desk: WebDesk,
    *,
    folders: Mapping[str, Path],
    open_paths: Sequence[str] = ("/api/", "/hooks/"),
    default_language: str = "en",
    time_zone: str = "Europe/Moscow",
    organisation: Mapping[str, str] | None = None,
) -> Pages:
    """Prepare `app`. `folders` maps a template prefix ("console", "webform") to its folder. Afterwards `app.state.pages` renders."""
    assets = Assets(STATIC_FOLDER)
    pages = Pages(clock=desk.clock, folders=folders, assets=assets, time_zone=time_zone)
    app.state.desk = desk
    app.state.pages = pages
    app.state.organisation = dict(organisation or {})
    app.mount(PREFIX, LastingFiles(directory=STATIC_FOLDER), name="static")
    errors.install(app)
    # The last added is the outermost: language is known before anything is refused, headers are on every answer.
    app.add_middleware(errors.UnexpectedErrors)
    app.add_middleware(SecurityMiddleware, refuse=errors.respond, public_url=desk.settings.http.public_url, open_paths=tuple(open_paths))
    app.add_middleware(LanguageMiddleware, default=default_language)
    return pages
