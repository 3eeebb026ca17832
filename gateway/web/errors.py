"""Errors in words: a page for people, JSON for programs, a short message for htmx; always with a code for support."""

from collections.abc import Mapping
from typing import Any

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from desk_core.kit.db import is_store_failure
from desk_core.kit.errors import DeskError, Invalid, NotFound, StoreUnavailable
from desk_core.kit.i18n import gettext_noop as _
from desk_core.kit.i18n import translate
from gateway.web.language import language_of
from gateway.web.templating import pages_of

log = structlog.get_logger()

HEADINGS = {
    401: _("Please log in"),
    403: _("This is not allowed"),
    404: _("Nothing here"),
    405: _("This is not allowed"),
    409: _("Someone was faster"),
    410: _("No longer here"),
    413: _("Too large"),
    422: _("Something does not fit"),
    429: _("A little slower, please"),
    503: _("Please try again in a minute"),
}
HEADING = _("This did not work")
API = "/api/"


class LogInNeeded(DeskError):
    code, status, text = "log_in_needed", 401, _("Please log in to go on.")


class MethodNotAllowed(DeskError):
    code, status, text = "method_not_allowed", 405, _("This cannot be done here.")


class Unexpected(DeskError):
    """Our own mistake; the request id finds it in the log."""

    code = "unexpected"


def wants_json(request: Request) -> bool:
    """Programs: the REST interface, hooks, or whoever prefers JSON to a page."""
    accept = request.headers.get("accept", "")
    return request.url.path.startswith(("/api/", "/hooks/")) or ("application/json" in accept and "text/html" not in accept)


def problem(code: str, message: str, fields: Mapping[str, object], *, request_id: str, status: int) -> Response:
    """A refusal as the REST interface tells it: a stable code, a sentence, and what it is about."""
    about = {name: str(value) for name, value in fields.items() if value is not None}
    body = {"code": code, "message": message, "fields": about, "request_id": request_id}
    return JSONResponse(body, status, media_type="application/problem+json")


def respond(request: Request, error: DeskError) -> Response:
    """The answer to a request that failed with `error`."""
    language = language_of(request)
    request_id = getattr(request.state, "request_id", "")
    sentence = error.said(language)
    if request.url.path.startswith(API):
        return problem(error.code, sentence, error.fields, request_id=request_id, status=error.status)
    if wants_json(request):
        return JSONResponse({"error": {"code": error.code, "text": sentence, "request_id": request_id}}, error.status)
    partial = request.headers.get("hx-request") == "true"
    if isinstance(error, LogInNeeded):
        target = "/login" + (f"?next={request.url.path}" if request.method == "GET" and request.url.path.startswith("/console") else "")
        return Response(status_code=401, headers={"hx-redirect": target}) if partial else RedirectResponse(target, 303)
    context: dict[str, Any] = {
        "heading": translate(language, HEADINGS.get(error.status, HEADING)),
        "sentence": sentence,
        "code": error.code,
        "status": error.status,
        "request_id": request_id,
    }
    if partial:
        # Nothing on the page is replaced, so nothing typed is lost: the words appear above it.
        headers = {"hx-retarget": "#toasts", "hx-reswap": "beforeend"}
        return pages_of(request).render(request, "error.html", context, status=error.status, block="toast", headers=headers)
    return pages_of(request).render(request, "error.html", context, status=error.status)


async def _desk_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, DeskError):
        raise error
    return respond(request, error)


async def _http_exception(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    known = {404: NotFound, 405: MethodNotAllowed}.get(error.status_code)
    if known is None and error.status_code < 400:
        return Response(status_code=error.status_code, headers=error.headers)
    found = known() if known else DeskError()
    if known is None:
        found.status = error.status_code
    return respond(request, found)


async def _invalid(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    if request.url.path.startswith(API):
        about = {".".join(str(part) for part in item["loc"][1:]) or "body": str(item["msg"]) for item in error.errors()}
        found = Invalid(reason=", ".join(sorted(about)))
        return problem(found.code, found.said(language_of(request)), about, request_id=getattr(request.state, "request_id", ""), status=422)
    if any(item["loc"][0] == "path" for item in error.errors()) and not wants_json(request):
        return respond(request, NotFound())
    fields = ", ".join(sorted({".".join(str(part) for part in item["loc"][1:]) for item in error.errors()}))
    if wants_json(request):
        details = [{"field": ".".join(str(part) for part in item["loc"]), "reason": item["msg"]} for item in error.errors()]
        return JSONResponse({"error": {"code": "invalid", "text": fields, "details": details}}, 422)
    return respond(request, Invalid(reason=fields))


class UnexpectedErrors:
    """The last net: an unforeseen exception is logged with its request id and answered in words."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watch)
        except Exception as error:
            # The border of the process: whatever it was, a person gets an answer.
            if started:
                raise
            known = StoreUnavailable(reason=type(error).__name__) if is_store_failure(error) else Unexpected()
            if isinstance(known, Unexpected):
                log.exception("web.unexpected", path=scope["path"], method=scope["method"])
            await respond(Request(scope, receive), known)(scope, receive, send)


def install(app: FastAPI) -> None:
    """Teach an app to answer errors in words."""
    app.add_exception_handler(DeskError, _desk_error)
    app.add_exception_handler(HTTPException, _http_exception)
    app.add_exception_handler(RequestValidationError, _invalid)
