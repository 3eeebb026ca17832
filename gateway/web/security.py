"""Headers that keep a page to itself, a request id, and the refusal of requests that another site made for the person.

Pure ASGI, so that streams stay streams.
"""

import secrets
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from desk_core.kit.errors import DeskError
from desk_core.kit.i18n import gettext_noop as _

log = structlog.get_logger()

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class ForeignRequest(DeskError):
    """A page of another site tried to act in the person's name."""

    code, status, text = "foreign_request", 403, _("This came from another site and was not carried out. Open the page here and try again.")


def content_policy(nonce: str, *, frame_ancestors: str = "'none'", form_action: str = "'self'") -> str:
    """Only our own files and scripts that carry the nonce; nothing inline, nothing from elsewhere."""
    return (
        f"default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data: blob:; "
        "font-src 'self'; media-src 'self'; connect-src 'self'; manifest-src 'self'; frame-src 'self'; base-uri 'none'; "
        f"form-action {form_action}; frame-ancestors {frame_ancestors}"
    )


def foreign(headers: Headers, *, own_origins: Sequence[str]) -> bool:
    """Whether a browser says that another site made this request.

    Every browser sends `Sec-Fetch-Site` or at least `Origin` with an unsafe request; programs that send neither hold no ambient cookies.
    """
    site = headers.get("sec-fetch-site", "")
    if site in {"same-origin", "none"}:
        return False
    origin = headers.get("origin", "")
    if site and origin not in own_origins:
        return True
    if not origin:
        return False
    return origin not in own_origins and urlsplit(origin).netloc != headers.get("host", "")


class SecurityMiddleware:
    """Adds the headers, a nonce (`request.state.nonce`) and a request id, and refuses foreign unsafe requests.

    `open_paths` are prefixes that programs call with their own proof (a token, a secret header) and no cookie. A route may set
    `request.state.frame_ancestors` before it answers, to be embedded elsewhere.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        refuse: Callable[[Request, DeskError], Response],
        public_url: str = "",
        open_paths: Sequence[str] = ("/api/", "/hooks/"),
    ) -> None:
        self.app = app
        self.refuse = refuse
        parts = urlsplit(public_url)
        self.secure = parts.scheme == "https"
        self.own_origins = (f"{parts.scheme}://{parts.netloc}",) if parts.netloc else ()
        self.open_paths = tuple(open_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        state["nonce"] = nonce = secrets.token_urlsafe(16)
        state["request_id"] = request_id = secrets.token_hex(8)

        async def protect(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                ancestors = state.get("frame_ancestors", "'none'")
                headers.setdefault("content-security-policy", content_policy(nonce, frame_ancestors=ancestors))
                headers.setdefault("x-content-type-options", "nosniff")
                # Not `no-referrer`: browsers would then send `Origin: null` with our own forms.
                headers.setdefault("referrer-policy", "same-origin")
                headers.setdefault("cross-origin-opener-policy", "same-origin")
                headers.setdefault("permissions-policy", "camera=(), microphone=(), geolocation=(), payment=()")
                headers["x-request-id"] = request_id
                if ancestors == "'none'":
                    headers.setdefault("x-frame-options", "DENY")
                if self.secure:
                    headers.setdefault("strict-transport-security", "max-age=31536000")
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            if self._refused(scope):
                log.info("web.foreign_request", path=scope["path"], method=scope["method"])
                await self.refuse(Request(scope, receive), ForeignRequest())(scope, receive, protect)
                return
            await self.app(scope, receive, protect)

    def _refused(self, scope: Scope) -> bool:
        if scope["method"] in SAFE_METHODS or scope["path"].startswith(self.open_paths):
            return False
        return foreign(Headers(scope=scope), own_origins=self.own_origins)
