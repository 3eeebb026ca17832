"""Memory of the embedded desk, a real process, after a thousand messages: with Telegram and encoder, and with mail alone and none."""

import asyncio

import aiohttp

from benchmarks import running
from benchmarks.mail.letters import mails
from benchmarks.mail.watch import add_inbox, until_answered
from benchmarks.mail.wire import send
from benchmarks.report import Row
from benchmarks.running import Phone, RunningDesk, folder
from benchmarks.turn import ANSWERS, PROBLEMS

TOKEN = "7000000044:AAE" + "d" * 32
PEOPLE = 10


def measure(*, quick: bool) -> list[Row]:
    count = 100 if quick else 1000
    return [_with_telegram(count), _with_mail(count)]


def _with_telegram(count: int) -> Row:
    with folder("memory") as place, running.sandbox(place) as api_url:
        desk = RunningDesk(place, env={"PRIYOM_WORK__BURST_SECONDS": "0"}).make()
        desk.priyom("inbox", "add", "telegram", "--name", "bench", "--token", TOKEN, "--api-url", api_url)
        desk.start()
        try:
            asyncio.run(_chat(api_url, count))
            held = desk.running.resident_mb()
        finally:
            desk.stop()
    return Row.of(f"memory after {count} Telegram messages, with encoder", held, "MB", at_most=420)


async def _chat(api_url: str, count: int) -> None:
    async with aiohttp.ClientSession() as session:
        for place in range(PEOPLE):
            phone = Phone(session, api_url, bot=TOKEN.partition(":")[0], user=f"memory{place}")
            await phone.join()
            for number in range(count // PEOPLE):
                if number % 7 == 6:
                    await phone.says("/cancel")
                    await phone.settle(0.1)
                words = PROBLEMS if number % 2 == 0 else ANSWERS
                await phone.says(words[(place + number // 2) % len(words)])
                await phone.settle(0.1)


def _with_mail(count: int) -> Row:
    with folder("memory") as place:
        desk = RunningDesk(place, encoder=False).make()
        add_inbox(desk)
        desk.start()
        try:
            send(desk.smtp, mails(count, seed=3))
            until_answered(desk, count)
            held = desk.running.resident_mb()
        finally:
            desk.stop()
    return Row.of(f"memory after {count} mails, mail and form only, without encoder", held, "MB", at_most=230)
