"""A bot's turn, from the person's update to the reply on the wire, beside a bare aiogram echo bot on the same sandbox.

Sandbox, desk and echo bot are processes of their own. The person waits for each answer before writing on; desk and echo bot take turns
on the same pretend person, so that whatever else runs on the machine slows both.
"""

import asyncio
import statistics
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import aiohttp

from benchmarks import running
from benchmarks.report import Row
from benchmarks.running import Phone, RunningDesk

ECHO_TOKEN = "7000000043:AAE" + "c" * 32
PROBLEMS = (
    "Не подключается VPN из дома, пишет ошибку 809",
    "принтер на третьем этаже не печатает",
    "Outlook does not receive mail since this morning",
    "Забыл пароль от компьютера, учётка заблокирована",
    "1С вылетает при проведении документа",
    "I need access to the sales folder",
    "Wi-Fi в переговорке отваливается каждые пять минут",
    "Как настроить автоответ в почте?",
    "монитор моргает и гаснет",
    "Please install Figma on my laptop",
)
ANSWERS = ("да, второй день", "только у меня", "no, it worked yesterday", "кабинет 305", "привет", "спасибо", "статус моей заявки")


def measure(*, quick: bool) -> list[Row]:
    with running.folder("turn") as folder, running.sandbox(folder) as api_url, running.echo_bot(folder, api_url, ECHO_TOKEN):
        at_once = _with_desk(folder / "at-once", api_url, burst="0", turns=60 if quick else 300, measured=texts)
        usual = _with_desk(folder / "usual", api_url, burst="", turns=30 if quick else 120, measured=_presses)
    return [
        *rows("bot turn, a text to its reply on the wire (burst_seconds=0)", *at_once),
        *rows("bot turn, a button press at default settings", *usual),
    ]


Measured = Callable[[Phone, Phone, int], Awaitable[tuple[list[float], list[float]]]]


def _with_desk(folder: Path, api_url: str, *, burst: str, turns: int, measured: Measured) -> tuple[list[float], list[float]]:
    folder.mkdir()
    desk = RunningDesk(folder, env={"PRIYOM_WORK__BURST_SECONDS": burst} if burst else None).make()
    number = len(api_url) + hash(folder.name) % 1000
    token = f"70000{number:05d}:AAE" + "b" * 32
    desk.priyom("inbox", "add", "telegram", "--name", "bench", "--token", token, "--api-url", api_url)
    desk.start()
    try:
        return asyncio.run(talk(api_url, token, turns=turns, measured=measured))
    finally:
        desk.stop()


async def talk(api_url: str, token: str, *, turns: int, measured: Measured) -> tuple[list[float], list[float]]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as session:
        desk = Phone(session, api_url, bot=token.partition(":")[0], user="anna")
        echo = Phone(session, api_url, bot=ECHO_TOKEN.partition(":")[0], user="anna")
        for phone in (desk, echo):
            await phone.join()
            for text in ("привет", *PROBLEMS[:3]):  # the bot is found, imports and models are loaded
                await phone.says(text)
                await phone.settle()
        return await measured(desk, echo, turns)


async def texts(desk: Phone, echo: Phone, turns: int) -> tuple[list[float], list[float]]:
    """Problems, answers and small words in turns, as a chat has them."""
    ours, theirs = [], []
    for turn in range(turns):
        if turn % 7 == 6:
            await desk.says("/cancel")
            await desk.settle()
        text = PROBLEMS[turn // 2 % len(PROBLEMS)] if turn % 2 == 0 else ANSWERS[turn // 2 % len(ANSWERS)]
        ours.append(await desk.says(text))
        await desk.settle(0.15)
        theirs.append(await echo.says(text))
        await echo.settle(0.05)
    return ours, theirs


async def _presses(desk: Phone, echo: Phone, turns: int) -> tuple[list[float], list[float]]:
    """A list of requests and help, pressed again and again: what a person does with the buttons of the menu."""
    ours, theirs = [], []
    for turn in range(turns):
        button = _button(desk)
        if button is None:
            await desk.says(("/cancel", "/help", PROBLEMS[turn % len(PROBLEMS)])[turn % 3])
            await desk.settle()
            button = _button(desk)
        if button is not None:
            ours.append(await desk.presses(*button))
            await desk.settle(0.15)
        pressed = _button(echo)
        assert pressed is not None
        theirs.append(await echo.presses(*pressed))
        await echo.settle(0.05)
    return ours, theirs


def _button(phone: Phone) -> tuple[dict[str, object], str] | None:
    """The last button of the newest message that has any."""
    for message in reversed(phone.shown):
        for row in reversed(message.get("reply_markup", {}).get("inline_keyboard", [])):
            for button in row:
                if "callback_data" in button:
                    return message, button["callback_data"]
    return None


def rows(name: str, ours: Sequence[float], theirs: Sequence[float], *, ratio_at_most: float = 3) -> list[Row]:
    """Median and tail of our turns beside those of the echo bot."""

    def late(times: Sequence[float]) -> float:
        return sorted(times)[int(len(times) * 0.95)] * 1000

    return [
        Row.of(
            f"{name}, p50; baseline: aiogram echo bot", statistics.median(ours) * 1000, "ms",
            baseline=statistics.median(theirs) * 1000, ratio_at_most=ratio_at_most,
        ),
        Row.of(f"{name}, p95", late(ours), "ms", baseline=late(theirs), ratio_at_most=ratio_at_most),
    ]  # fmt: skip
