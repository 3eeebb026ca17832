"""Access tokens for XOAUTH2: got from the authority by a refresh token, kept until shortly before they end."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from channels.email.imap_account import OAuth
from channels.email.imap_mailbox import MailboxFailed

EARLY_SECONDS = 60.0
"""A token is given up this long before its end, so that it does not end between two commands."""
SHORTEST = 300.0
"""Seconds a token is believed to live where the authority does not say (RFC 6749 leaves `expires_in` out at will)."""


class TokenRefused(MailboxFailed):
    """The authority gave no access token; `reason` is in its own words."""

    code = "token_refused"


class AccessTokens:
    """The access token of one mailbox. An authority may replace the refresh token at any exchange; `keep` stores the new one."""

    def __init__(
        self,
        oauth: OAuth,
        *,
        keep: Callable[[str], Awaitable[None]] | None = None,
        timeout: float = 30.0,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._oauth, self._keep, self._timeout, self._ticks = oauth, keep, timeout, ticks
        self._refresh_token = oauth.refresh_token
        self._token = ""
        self._good_until = 0.0
        self._one_at_a_time = asyncio.Lock()

    async def token(self) -> str:
        """A token that is good for a minute at least; raises `TokenRefused`."""
        async with self._one_at_a_time:
            if not self._token or self._ticks() >= self._good_until:
                answer = await self._exchange()
                self._token = str(answer["access_token"])
                self._good_until = self._ticks() + max(_seconds(answer.get("expires_in")) - EARLY_SECONDS, 0.0)
                fresh = answer.get("refresh_token")
                if isinstance(fresh, str) and fresh and fresh != self._refresh_token:
                    self._refresh_token = fresh
                    if self._keep is not None:
                        await self._keep(fresh)
            return self._token

    def forget(self) -> None:
        """The mail server did not take the token: the next one is a new one."""
        self._token = ""

    async def _exchange(self) -> dict[str, Any]:
        import httpx2

        form = {
            "grant_type": "refresh_token", "refresh_token": self._refresh_token, "client_id": self._oauth.client_id,
            "client_secret": self._oauth.client_secret,
        }  # fmt: skip
        try:
            async with httpx2.AsyncClient(timeout=self._timeout) as client:
                answer = await client.post(
                    self._oauth.token_url,
                    data={name: value for name, value in form.items() if value},
                    headers={"accept": "application/json"},
                )
        except httpx2.HTTPError as error:
            raise TokenRefused(reason=f"{type(error).__name__}: {error}"[:300]) from error
        try:
            said = answer.json()
        except ValueError as error:
            raise TokenRefused(reason=f"{answer.status_code} {answer.reason_phrase}") from error
        if not isinstance(said, dict) or not said.get("access_token"):
            # RFC 6749, section 5.2: `error` is a code, `error_description` the sentence for people.
            words = [str(said[name]) for name in ("error", "error_description") if said.get(name)] if isinstance(said, dict) else []
            raise TokenRefused(reason=" ".join(": ".join(words).split())[:300] or f"{answer.status_code} {answer.reason_phrase}")
        return said


def _seconds(given: object) -> float:
    try:
        return float(given)  # type: ignore[arg-type]  # whatever the authority wrote; what is no number is answered below
    except (TypeError, ValueError):
        return SHORTEST
