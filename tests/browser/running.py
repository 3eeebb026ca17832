"""A whole desk as people start it: `priyom run` as a process of its own, sandboxes on, some people and stories in it."""

import asyncio
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any, Self

import httpx2

from channels.email.sandbox.correspondent import Correspondent
from channels.email.sandbox.mailbox import MailSandbox
from channels.telegram.sandbox.person import Person, buttons
from desk_core.kit.clock import SystemClock
from desk_core.kit.ids import new_id
from desk_core.lanes.entities import DeadItem
from desk_core.people import service as people
from desk_core.people.permissions import Role
from gateway.auth.passwords import hash_password
from gateway.bootstrap import Desk
from gateway.sandboxes import MAIL_ADDRESS
from gateway.serving import RUNNING
from gateway.settings import Settings
from gateway.setup import make_desk
from nlu import labels
from tests.acceptance.trained import KEY, PRESET
from tests.services.process import Watched, free_port

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "correct-horse-battery"
OPERATORS = {"olga@desk.test": ("Ольга Смирнова", "ru"), "kate@desk.test": ("Kate Miller", "en")}
"""One operator for each language; both belong to every team."""

PRINTER = ("Здравствуйте! Не печатает принтер в бухгалтерии, кабинет 305, горит красная лампочка", "HP LaserJet 1020")
VPN = ("Hello, I cannot connect to the VPN from home, it says error 809", "Windows 11 laptop")
ACCOUNTING = (
    "Не открывается 1С",
    "Добрый день!\n\nС утра не запускается 1С:Бухгалтерия, пишет «Не найдена лицензия».\nПодскажите, пожалуйста, что делать?",
)
LAPTOP = (
    "New laptop for a colleague",
    "Hello,\n\na new colleague joins us on Monday. Could she get a laptop and a headset, please?\n\nThank you",
)


class RunningDesk:
    """`start` makes the desk and its process; `fill` lets a few people write through the sandboxes."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port, self.smtp_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: Watched | None = None

    async def start(self, *, models: Path) -> Self:
        """Make the desk in its home, start the process, wait until it listens and its bot is known."""
        shutil.copytree(models, self.home / "models")
        await asyncio.to_thread(lambda: asyncio.run(self._furnish()))
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PRIYOM_")} | {
            "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")])),
            "PRIYOM_HOME": str(self.home),
            "PRIYOM_SECRET_KEY": KEY,
            "PRIYOM_SANDBOX": "1",
            "PRIYOM_HTTP__PORT": str(self.port),
            "PRIYOM_SMTP__PORT": str(self.smtp_port),
            "PRIYOM_WORK__BURST_SECONDS": "0.2",
            # The pace of groups would make whoever works in one wait for the minute of the cards before.
            "PRIYOM_LIMITS__TELEGRAM_OUT_PER_SECOND": "0",
            "PRIYOM_LIMITS__WEBFORM_PER_HOUR": "0",
            "PRIYOM_LIMITS__WEBFORM_PER_DAY": "0",
        }
        command = (sys.executable, "-c", "from gateway.cli import main; main()", "run")
        process = self._process = Watched(command, log=self.home / "desk.log", env=environment)
        await asyncio.to_thread(process.wait_until, (self.home / RUNNING).exists, seconds=90)
        return self

    def stop(self) -> None:
        if self._process is not None:
            self._process.stop()

    def log(self) -> str:
        return (self.home / "desk.log").read_text(errors="replace")[-4000:]

    async def _furnish(self) -> None:
        """The desk itself, an operator for each language, and one dead item to look at."""
        desk = Desk(Settings(home=self.home, secret_key=KEY))
        try:
            await make_desk(desk, preset=PRESET, language="ru", admin_email="admin@desk.test", admin_password=PASSWORD, train=False)
            config = await desk.config()
            now = SystemClock().now()
            async with desk.database.unit() as uow:
                for email, (name, language) in OPERATORS.items():
                    await people.add_agent(
                        uow, email=email, name=name, password_hash=hash_password(PASSWORD), role=Role.ADMINISTRATOR, language=language,
                        time_zone=config.time_zone, team_keys=list(config.teams), now=now,
                    )  # fmt: skip
                uow.add(
                    DeadItem(
                        id=new_id(), lane="in:telegram:1000001", kind="inbound", payload={}, attempts=8, at=now,
                        reason="the message could not be read: unknown kind of update",
                    )
                )  # fmt: skip
        finally:
            await desk.close()

    # The people who write

    def person(self, key: str, *, language: str, first_name: str, client: httpx2.AsyncClient | None = None) -> Person:
        return Person(f"{self.url}/sandbox/telegram", key, language=language, first_name=first_name, client=client)

    def correspondent(self, address: str, name: str) -> Correspondent:
        sandbox = MailSandbox(self.home / "mail-sandbox")
        return Correspondent(address, sandbox=sandbox, smtp=("127.0.0.1", self.smtp_port), desk=MAIL_ADDRESS, name=name)

    async def fill(self) -> dict[str, int]:
        """Stories in both languages and on three channels; the numbers of their requests by who wrote them."""
        async with httpx2.AsyncClient(trust_env=False, timeout=40) as client:
            await self._bot_is_there(client)
            told = await asyncio.gather(
                self._chat(client, "anna", "ru", "Анна", *PRINTER),
                self._chat(client, "charlie", "en", "Charlie", *VPN),
                self._letter("irina@customer.example", "Ирина Волкова", *ACCOUNTING),
                self._letter("mark@customer.example", "Mark Evans", *LAPTOP),
            )
            await self._talks(client, "boris", "Борис", "не работает wi-fi в переговорной на третьем этаже")
        return dict(zip(("anna", "charlie", "irina", "mark"), told, strict=True))

    async def _bot_is_there(self, client: httpx2.AsyncClient) -> None:
        for _ in range(600):
            world = (await client.get(f"{self.url}/sandbox/telegram/api/world")).json()
            if world["bots"]:
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"the sandbox has no bot\n{self.log()}")

    async def _chat(self, client: httpx2.AsyncClient, key: str, language: str, name: str, problem: str, answer: str) -> int:
        """Tell a problem, leave the articles, answer or skip the questions, send the card."""
        send, not_it, skip = (labels.label(language, word) for word in ("send", "not_it", "skip"))
        async with self.person(key, language=language, first_name=name, client=client) as person:
            await person.says(problem)
            answered = False
            for _turn in range(8):
                said = await person.hears(
                    timeout=60, edited=True, matching=lambda heard: bool({send, not_it, skip} & {*buttons(heard)}) or _number(heard) > 0
                )
                shown = {*buttons(said)}
                if send in shown:
                    await person.presses(send, message_id=said["message_id"])
                elif number := _number(said):
                    return number
                elif not_it in shown:
                    await person.presses(not_it, message_id=said["message_id"])
                elif not answered:
                    answered = True
                    await person.says(answer)
                else:
                    await person.presses(skip, message_id=said["message_id"])
        raise AssertionError(f"{key} got no number\n{self.log()}")

    async def _letter(self, address: str, name: str, subject: str, text: str) -> int:
        person = self.correspondent(address, name)
        await person.writes(subject, text)
        letter = await person.hears(timeout=60, matching="#")
        found = re.search(r"#(\d{4,})", f"{letter.letter.subject} {letter.text}")
        assert found is not None, letter.text
        return int(found[1])

    async def _talks(self, client: httpx2.AsyncClient, key: str, name: str, text: str) -> None:
        """Somebody who is still in the middle of it."""
        async with self.person(key, language="ru", first_name=name, client=client) as person:
            await person.says(text)
            await person.hears(timeout=60, matching=lambda heard: bool(buttons(heard)))


def _number(said: dict[str, Any]) -> int:
    found = re.search(r"#(\d{4,})", str(said.get("text", "")))
    return int(found[1]) if found else 0
