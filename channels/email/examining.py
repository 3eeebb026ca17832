"""The trust in a mail's sender: from its headers where a trusted server wrote them, otherwise by own checks in threads."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import structlog

from channels.email.mime import top_headers
from channels.email.resolver import Resolver
from channels.email.trust import Author, Evidence, Finding, Origin, Result, Standing, Trust, Trusted, author_of, told, weigh

log = structlog.get_logger()

CHECK_SECONDS = 4.0
"""No name is asked for later than this after a check began. One more answer may be waited for, then the mail goes on without."""

NAME_SECONDS = 1.5
"""How long one answer of the name servers is waited for."""

_GRACE = 2.0
_THREADS = 64  # more than one peer may have connections: nobody alone can keep the checks of others waiting until they are given up


class Examiner:
    """Own checks, each in a thread and within a bounded time; a silent name server yields no verdict and delays no mail for long."""

    def __init__(self, resolver: Resolver, *, seconds: float = CHECK_SECONDS, grace: float = _GRACE) -> None:
        self._resolver, self._seconds, self._grace = resolver, seconds, grace
        # Threads of their own: with silent name servers all of them wait, and reading mail must not wait behind them.
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="mail-trust")

    async def examine(self, raw: bytes, *, author: Author, envelope_from: str | None, origin: Origin | None, trusted: Trusted) -> Evidence:
        """Takes `seconds` and a little more at most; see `checks.examine`."""
        from channels.email import checks

        work = partial(
            checks.examine, raw, author=author.domain, envelope_from=envelope_from, origin=origin, trusted=trusted,
            resolver=self._resolver, until=time.monotonic() + self._seconds,
        )  # fmt: skip
        try:
            async with asyncio.timeout(self._seconds + self._grace):
                return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        except TimeoutError:
            log.warning("mail.trust_not_checked", seconds=self._seconds)
            return Evidence((Finding("dmarc", Result.TEMPERROR, author.domain),))


async def trust_of(
    raw: bytes,
    *,
    identity: str,
    trusted: Trusted,
    examiner: Examiner | None = None,
    envelope_from: str | None = None,
    origin: Origin | None = None,
) -> Trust | None:
    """The trust in `identity`, the address that the desk takes for the sender; None where nobody was there to tell. Never raises."""
    try:
        return await _trust_of(raw, identity, trusted, examiner, envelope_from, origin)
    except Exception as error:
        # A mail that trips the checks must still arrive, and may not profit from it.
        log.error("mail.trust_failed", error=type(error).__name__, exc_info=error)
        return Trust(Standing.UNKNOWN, acts=False)


async def _trust_of(
    raw: bytes, identity: str, trusted: Trusted, examiner: Examiner | None, envelope_from: str | None, origin: Origin | None
) -> Trust | None:
    headers = top_headers(raw)
    author = author_of(headers)
    evidence = told(headers, trusted) if origin is None or not origin.is_public else None
    if evidence is None and examiner is not None:
        alone = author.domain and not author.several  # otherwise there is nothing to ask for
        evidence = (
            await examiner.examine(raw, author=author, envelope_from=envelope_from, origin=origin, trusted=trusted) if alone else Evidence()
        )
    return weigh(evidence, author=author, identity=identity) if evidence is not None else None
