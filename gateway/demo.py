"""`priyom demo`: one story per channel against the running desk, told with what became of each."""

import asyncio
import contextlib
import json
import re
from collections.abc import Awaitable, Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx2

from channels.email.sandbox.correspondent import Correspondent
from channels.email.sandbox.mailbox import MailSandbox
from channels.telegram.sandbox.person import Person, SandboxRefused, buttons
from desk_core.kit.errors import DeskError
from desk_core.kit.i18n import gettext_noop as _
from desk_core.kit.ids import new_id
from gateway.environment import load_settings
from gateway.serving import RUNNING
from gateway.settings import Settings
from gateway.understanding import MODELS
from models.registry import Registry

TURNS = 8
PATIENCE = 30.0
FORM_PAUSE = 2.5
LEARNING = 120.0  # seconds a desk is given for its first models
LOOK = 0.5


class NotRunning(DeskError):
    """No desk with sandboxes answers there."""

    code, status, text = "not_running", 503, _("No desk with sandboxes answers there. Start one: make run")


Told = dict[str, Any]


async def play(url: str, *, waiting: Callable[[], None]) -> list[Told]:
    """Play every story; one that fails is told as failed and stops no other. Raises `NotRunning`.

    A desk of this home that still learns its topics is given time; `waiting` is called once before that.
    """
    settings = load_settings()
    running = where(settings.home)
    base = (url or running.get("http") or f"http://127.0.0.1:{settings.http.port}").rstrip("/")
    async with httpx2.AsyncClient(trust_env=False, timeout=40, follow_redirects=True) as client:
        try:
            answer = await client.get(f"{base}/sandbox/telegram")
        except httpx2.HTTPError as error:
            raise NotRunning(url=base) from error
        if answer.status_code != 200:
            raise NotRunning(url=base)
        if running.get("http", "").rstrip("/") == base:
            await _learned(settings.home, waiting)
        return [
            await _tell("telegram", lambda: _telegram(base)),
            await _tell("email", lambda: _email(settings, running)),
            await _tell("webform", lambda: _form(client, base)),
        ]


def where(home: Path) -> dict[str, str]:
    """Where the desk of this home listens, as it wrote itself; empty when it never ran."""
    with contextlib.suppress(FileNotFoundError, ValueError):
        found: dict[str, str] = json.loads((home / RUNNING).read_text(encoding="utf-8"))
        return found
    return {}


async def _learned(home: Path, waiting: Callable[[], None]) -> None:
    registry = Registry(home, secret="")  # only looks whether there is a model, and reads none
    for look in range(int(LEARNING / LOOK)):
        if all(registry.current(name) for name in MODELS):
            return
        if not look:
            waiting()
        await asyncio.sleep(LOOK)


async def _tell(channel: str, story: Callable[[], Awaitable[str]]) -> Told:
    try:
        return {"channel": channel, "passed": True, "words": await story()}
    except (AssertionError, SandboxRefused, httpx2.HTTPError, OSError) as error:
        return {"channel": channel, "passed": False, "words": f"{type(error).__name__}: {error}"[:300]}


async def _telegram(base: str) -> str:
    """Somebody in a chat: a problem, "not it" to the article, the questions, and Send."""
    async with Person(f"{base}/sandbox/telegram", f"demo{new_id()[-6:]}", language="en", first_name="Demo") as person:
        await person.says("The printer on the third floor does not print, nobody in accounting can work")
        said: list[str] = []
        for _turn in range(TURNS):
            # A card may be changed in its place: what is shown now counts as said.
            message = await person.hears(
                timeout=PATIENCE, matching=lambda heard: bool(buttons(heard)) or "#" in heard.get("text", ""), edited=True
            )
            said.append(message.get("text", ""))
            number = re.search(r"#(\d+)", said[-1])
            labels = list(buttons(message))
            if number and "Send" not in labels:
                return f"request #{number[1]}: {said[-1].splitlines()[0]}"
            choice = next((one for one in ("Send", "Not it", "Skip") if one in labels), None)
            if choice:
                await person.presses(choice, message_id=message["message_id"])
            else:
                await person.says("HP LaserJet 1020, room 305")
        raise AssertionError(f"no request after {TURNS} turns, the bot last said: {said[-1][:120]}")


async def _email(settings: Settings, running: dict[str, str]) -> str:
    """Somebody who writes a letter and gets the acknowledgement."""
    host, _colon, port = running.get("smtp", f"{settings.smtp.host}:{settings.smtp.port}").rpartition(":")
    sandbox = MailSandbox(settings.home / "mail-sandbox")
    customer = Correspondent(
        f"demo-{new_id()[-6:]}@customer.example", sandbox=sandbox, smtp=(host, int(port)), desk="support@priyom.example", name="Demo"
    )
    await customer.writes("VPN", "Здравствуйте! Не подключается VPN из дома, пишет ошибку 809. Что делать?")
    letter = await customer.hears(timeout=PATIENCE, matching="#")
    return letter.letter.subject


class _Fields(HTMLParser):
    """The fields of the first form of a page, as a browser would send them untouched."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self.options: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "input" and found.get("type") == "hidden" and found.get("name"):
            self.values[str(found["name"])] = found.get("value") or ""
        if tag == "option" and found.get("value"):
            self.options.append(str(found["value"]))


async def _form(client: httpx2.AsyncClient, base: str) -> str:
    """Somebody on the web page, without JavaScript."""
    page = _Fields()
    page.feed((await client.get(f"{base}/f/site", params={"topic": "network.wifi"})).text)
    await asyncio.sleep(FORM_PAUSE)
    filled = {
        **page.values,
        "topic": "network.wifi",
        "name": "Demo",
        "email": "demo@customer.example",
        "text": "Wi-Fi in the meeting room drops every few minutes, the whole team is there",
        "consent": "on",
    }
    answer = await client.post(f"{base}/f/site", data=filled, headers={"origin": base})
    number = re.search(r"#(\d+)", answer.text)
    if number is None:
        raise AssertionError(f"the form answered {answer.status_code} without a number")
    return f"request #{number[1]}"
