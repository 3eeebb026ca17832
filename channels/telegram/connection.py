"""The HTTP connection of one bot: raw calls for receiving, one session that aiogram's `Bot` shares, and no word of the token outside.

aiohttp is imported by whoever calls: a desk without a bot examines and shows inboxes without its 7 MB.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, unquote, urlsplit

import orjson

from channels.telegram.pace import NoPace, Pace
from desk_core.kit.i18n import Phrase
from desk_core.kit.i18n import gettext_noop as _

if TYPE_CHECKING:
    import aiohttp
    from aiogram import Bot

OFFICIAL: Final = "https://api.telegram.org"
CALL_SECONDS: Final = 40.0
LAST_ANSWERS_SECONDS: Final = 5.0
CONNECT_SECONDS: Final = 10.0


class CallFailed(Exception):
    """A call that Telegram refused (`code`) or that did not come through (`code` is None); the words hold no secret.

    `reached` is False where the request cannot have arrived.
    """

    def __init__(self, words: str, *, code: int | None = None, retry_after: int | None = None, reached: bool = True) -> None:
        self.words, self.code, self.retry_after, self.reached = words, code, retry_after, reached
        super().__init__(words)


class ConnectionClosed(CallFailed):
    """The inbox was changed or paused meanwhile: there is another connection by now, and this one is not opened again."""

    def __init__(self) -> None:
        super().__init__(_("The connection of this inbox was closed."), reached=False)


class Connection:
    """Knows the token and the addresses; opens on first use, `close()` at the end."""

    def __init__(
        self, token: str, *, api_url: str | None = None, proxy: str | None = None, secrets: Iterable[str] = (), pace: Pace | None = None
    ) -> None:
        self.pace: Pace = pace or NoPace()
        self._token = token.strip()
        self._base = (api_url or OFFICIAL).rstrip("/")
        self._proxy = proxy
        hidden = [self._token, self._token.partition(":")[2], *_credentials(proxy), *_credentials(api_url), *secrets]
        # Longest first, so that no half of a secret is left behind when one contains another.
        self._secrets = sorted(
            {form for one in hidden if len(one) >= 4 for form in (one, quote(one), quote(one, safe=""))}, key=len, reverse=True
        )
        self._session: aiohttp.ClientSession | None = None
        self._closed = False
        self._bot: Bot | None = None
        self._bot_lock = asyncio.Lock()
        self._asked, self._silent = 0, asyncio.Event()
        self._silent.set()

    def __repr__(self) -> str:
        return f"Connection({self.scrub(self._base)!r})"

    @property
    def token(self) -> str:
        return self._token

    @property
    def base(self) -> str:
        return self._base

    @property
    def is_official(self) -> bool:
        return self._base == OFFICIAL

    def scrub(self, words: object) -> str:
        """`words` without the token and the other secrets, on one line and not too long."""
        text = str(words)
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return " ".join(text.split())[:500]

    def session(self) -> "aiohttp.ClientSession":
        """Raises `ConnectionClosed`: a session opened after the end would never be closed."""
        import aiohttp

        if self._closed:
            raise ConnectionClosed
        if self._session is None or self._session.closed:
            timeout = aiohttp.ClientTimeout(total=CALL_SECONDS, sock_connect=CONNECT_SECONDS)
            if self._proxy and urlsplit(self._proxy).scheme.startswith("socks"):
                self._session = aiohttp.ClientSession(timeout=timeout, connector=_socks_connector(self._proxy))
            else:
                self._session = aiohttp.ClientSession(timeout=timeout, proxy=self._proxy)
        return self._session

    async def bot(self) -> "Bot":
        """aiogram's `Bot` over this connection. The import takes seconds and happens once, in a thread, while the desk goes on."""
        async with self._bot_lock:
            if self._bot is None:
                module = await asyncio.to_thread(import_module, "channels.telegram.bot")
                self._bot = module.build(self)
            return self._bot

    async def call(self, method: str, params: Mapping[str, Any] | None = None, *, seconds: float = CALL_SECONDS) -> Any:
        """The `result` of one Bot API call as plain JSON; raises `CallFailed`."""
        import aiohttp

        url = f"{self._base}/bot{quote(self._token, safe=':')}/{method}"
        try:
            async with self.session().post(url, json=dict(params or {}), timeout=aiohttp.ClientTimeout(total=seconds)) as response:
                status, body = response.status, await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise self.unreachable(error) from None  # the cause may spell the address, and with it the token
        return self._result(status, body)

    async def updates(self, *, offset: int | None, seconds: int, allowed: Iterable[str]) -> list[Any]:
        """One long poll: the updates from `offset` on, as plain JSON."""
        params: dict[str, Any] = {"timeout": seconds, "limit": 100, "allowed_updates": list(allowed)}
        if offset is not None:
            params["offset"] = offset
        result = await self.call("getUpdates", params, seconds=seconds + 15)
        if not isinstance(result, list):
            raise CallFailed(_("Telegram answered getUpdates with something that is no list"))
        return result

    async def download(self, path: str, *, seconds: float = 300) -> AsyncIterator[bytes]:
        """The bytes behind a `file_path`; raises `CallFailed`."""
        import aiohttp

        url = f"{self._base}/file/bot{quote(self._token, safe=':')}/{quote(path)}"
        timeout = aiohttp.ClientTimeout(total=seconds, sock_connect=CONNECT_SECONDS, sock_read=CALL_SECONDS)
        try:
            async with self.session().get(url, timeout=timeout) as response:
                if response.status != 200:
                    self._result(response.status, await response.content.read(65_536))
                async for chunk in response.content.iter_chunked(65_536):
                    yield chunk
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise self.unreachable(error) from None

    def unreachable(self, error: BaseException) -> CallFailed:
        """A failure to get an answer, in words, with whether the request may have arrived all the same."""
        import aiohttp

        if self._closed:
            return ConnectionClosed()
        reached = not isinstance(error, aiohttp.ClientConnectorError | aiohttp.InvalidURL)
        if isinstance(error, TimeoutError):
            return CallFailed(_("Telegram cannot be reached: no answer in time"), reached=reached)
        words = self.scrub(error) or type(error).__name__
        return CallFailed(Phrase(_("Telegram cannot be reached: %(words)s"), words=words), reached=reached)

    def _result(self, status: int, body: bytes) -> Any:
        try:
            answer = read_json(body)
        except ValueError:
            answer = None
        if isinstance(answer, dict) and answer.get("ok") is True and status < 300:
            return answer.get("result")
        if not isinstance(answer, dict):
            words = Phrase(_("Telegram answered %(status)s with something that is no JSON"), status=status)
            raise CallFailed(words, code=status if status >= 400 else None)
        parameters = answer.get("parameters")
        retry_after = parameters.get("retry_after") if isinstance(parameters, dict) else None
        raise CallFailed(
            self.scrub(answer.get("description") or f"error {status}"),
            code=status,
            retry_after=retry_after if isinstance(retry_after, int) else None,
        )

    @contextmanager
    def asked(self) -> Iterator[None]:
        """While a call of the bot waits for its answer: the end of the connection waits for it too."""
        self._asked += 1
        self._silent.clear()
        try:
            yield
        finally:
            self._asked -= 1
            if not self._asked:
                self._silent.set()

    async def close(self) -> None:
        """For good; whoever still calls gets `ConnectionClosed`.

        A message that is under way is waited for, if not for ever: cut off it may have arrived, and would be sent again.
        """
        self._closed = True
        with suppress(TimeoutError):
            await asyncio.wait_for(self._silent.wait(), LAST_ANSWERS_SECONDS)
        if self._session is not None:
            await self._session.close()


def bare(address: str) -> str:
    """Host and port of an address, without a user and a password before them."""
    return urlsplit(address).netloc.rpartition("@")[2]


def _credentials(address: str | None) -> list[str]:
    """What stands before the host of an address, in every form in which an error may quote it."""
    parts = urlsplit(address or "")
    if not parts.username and not parts.password:
        return []
    whole = parts.netloc.rpartition("@")[0]
    secret = parts.password or parts.username or ""
    return [whole, unquote(whole), secret, unquote(secret)]


def read_json(body: bytes) -> Any:
    """JSON of any legal shape; raises ValueError for anything else."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        # The fast reader refuses halves of surrogate pairs and numbers beyond 64 bits; one odd update must not stop the rest.
        try:
            return json.loads(body)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error


def json_bytes(value: Any) -> bytes:
    """`value` as JSON, also where it holds what UTF-8 cannot."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        return json.dumps(value).encode()


def _socks_connector(proxy: str) -> "aiohttp.BaseConnector":
    # Imported where it is needed: few desks have such a proxy.
    import aiohttp
    from aiohttp_socks import ProxyConnectionError, ProxyConnector, ProxyError, ProxyTimeoutError

    class Connector(ProxyConnector):
        """A proxy that refuses or is not there is a failure to connect, like any other; the package's own errors are none of aiohttp's."""

        async def connect(self, req: "aiohttp.ClientRequest", *args: Any, **options: Any) -> Any:
            try:
                return await super().connect(req, *args, **options)
            except (ProxyConnectionError, ProxyError, ProxyTimeoutError) as error:
                raise aiohttp.ClientProxyConnectionError(req.connection_key, OSError(0, str(error))) from None

    # The proxy looks names up, whichever way the address is written: this machine may not be able to.
    return Connector.from_url(proxy.replace("socks5h://", "socks5://", 1), rdns=True)
