"""Who may call: tokens known by their hash, with a scope each; and how a refusal looks."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import select, update

from desk_core.kit.errors import DeskError
from desk_core.kit.i18n import gettext_noop as _
from desk_core.people.entities import ApiToken
from gateway.bootstrap import Desk

READ, WRITE = "read", "write"
SCOPES = (READ, WRITE)
SEEN_EVERY = timedelta(minutes=1)

_bearer = HTTPBearer(auto_error=False, description="A token made with `priyom token add --name N --scope read|write`.")


class TokenNeeded(DeskError):
    code, status, text = "token_needed", 401, _("Send a valid token: Authorization: Bearer <token>.")


class ScopeNeeded(DeskError):
    code, status, text = "scope_needed", 403, _("This token may not do that; it needs the scope “%(scope)s”.")


@dataclass(frozen=True, slots=True)
class Caller:
    """The program behind a request."""

    token_id: str
    name: str
    scopes: tuple[str, ...]

    def may(self, scope: str) -> bool:
        """Whoever may write may read."""
        return scope in self.scopes or (scope == READ and WRITE in self.scopes)


def token_hash(token: str) -> str:
    """What is stored of a token. Tokens are long and random, so a plain hash cannot be searched."""
    return hashlib.sha256(token.encode()).hexdigest()


async def caller(request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]) -> Caller:
    """The caller of this request; raises `TokenNeeded`."""
    desk: Desk = request.app.state.desk
    if given is None:
        raise TokenNeeded
    async with desk.database.read() as session:
        found: ApiToken | None = await session.scalar(select(ApiToken).where(ApiToken.token_hash == token_hash(given.credentials)))
    if found is None or found.revoked_at is not None:
        raise TokenNeeded
    now = desk.clock.now()
    if found.last_used_at is None or now - found.last_used_at > SEEN_EVERY:
        async with desk.database.unit() as uow:
            await uow.execute(update(ApiToken).where(ApiToken.id == found.id).values(last_used_at=now))
    return Caller(found.id, found.name, tuple(found.scopes))


async def reader(calling: Annotated[Caller, Depends(caller)]) -> Caller:
    if not calling.may(READ):
        raise ScopeNeeded(scope=READ)
    return calling


async def writer(calling: Annotated[Caller, Depends(caller)]) -> Caller:
    if not calling.may(WRITE):
        raise ScopeNeeded(scope=WRITE)
    return calling


Reader = Annotated[Caller, Depends(reader)]
Writer = Annotated[Caller, Depends(writer)]


def problem(description: str, code: str, message: str, **fields: str) -> dict[str, Any]:
    example = {"code": code, "message": message, "fields": fields, "request_id": "9f86d081884c7d65"}
    return {"description": description, "content": {"application/problem+json": {"example": example}}}


PROBLEMS: dict[int | str, dict[str, Any]] = {
    401: problem("No valid token", "token_needed", "Send a valid token: Authorization: Bearer <token>."),
    403: problem("The scope is missing", "scope_needed", "This token may not do that; it needs the scope “write”.", scope="write"),
    404: problem("Unknown number", "not_found", "There is nothing here by that name or number.", ticket="#7"),
    422: problem("Something does not fit", "invalid", "This value does not fit: text", text="Field required"),
    503: problem("The store cannot be reached", "store_unavailable", "The desk cannot store anything right now. Please try again."),
}
"""Every refusal has this shape: `code` is stable, `message` is for people, `fields` says what it is about."""
