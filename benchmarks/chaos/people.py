"""Those who write while the desk is being killed: chatters, letter writers and visitors. What is not acknowledged they send again."""

import asyncio
import random
import re
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP

import aiosmtplib
import httpx2

from benchmarks.chaos.desks import SUPPORT, TOKEN, Victim
from channels.telegram.sandbox.person import NothingHeard, Person, SandboxRefused
from desk_core.kit.ids import new_id

STORIES = (
    "Не печатает принтер в кабинете 305, горит красная лампочка",
    "Не подключается VPN из дома, пишет ошибку 809",
    "The wi-fi in the meeting room drops every few minutes",
    "Не открывается 1С, пишет что нет лицензии",
    "Забыл пароль от учётной записи",
    "My laptop is very slow since yesterday",
)
MORE = ("и ещё это случилось вчера", "HP LaserJet 1020", "вся бухгалтерия не может работать", "room 305", "когда почините?")
PERSON = "/human"
FORM_SECONDS = 2.5
_TOKEN_FIELD = re.compile(r'name="token" value="([^"]+)"')


@dataclass(slots=True)
class Sent:
    """What was acknowledged: markers by conversation, in the order they were sent."""

    by_person: dict[str, list[str]] = field(default_factory=dict)
    retries: int = 0
    over: bool = False  # nobody listens any more; who still tries may stop

    @property
    def count(self) -> int:
        return sum(len(markers) for markers in self.by_person.values())

    def note(self, person: str, marker: str) -> None:
        self.by_person.setdefault(person, []).append(marker)


def marked(words: str, marker: str) -> str:
    """Words that can be found again."""
    return f"{words} (метка {marker})"


async def chatter(
    victim: Victim, number: int, messages: int, sent: Sent, rng: random.Random, *, pause: float, client: httpx2.AsyncClient
) -> None:
    """Somebody in Telegram: a story, more words, now and then a button, at last a person. Telegram keeps what the desk has not fetched."""
    name = f"tg{number}"
    person = await joined(victim, name, client)
    await asyncio.sleep(rng.uniform(0, pause))
    for place in range(messages):
        marker = f"{name}x{place}"
        words = rng.choice(STORIES) if place == 0 else PERSON if place == messages - 1 else rng.choice(MORE)
        await person.says(marked(words, marker))
        sent.note(name, marker)
        await listens(person, rng, seconds=rng.uniform(0, 2 * pause))


async def joined(victim: Victim, name: str, client: httpx2.AsyncClient) -> Person:
    """A person in the chat with the bot, once the bot is there."""
    person = Person(f"{victim.telegram_url}/sandbox/telegram", name, bot=TOKEN.partition(":")[0], language="ru", client=client)
    while True:
        try:
            return await person.joins()
        except SandboxRefused:
            await asyncio.sleep(0.5)  # the bot is not known before its first call


async def listens(person: Person, rng: random.Random, *, seconds: float) -> None:
    """Hear what the bot says for a while, and press a button now and then."""
    until = asyncio.get_running_loop().time() + seconds
    while (left := until - asyncio.get_running_loop().time()) > 0.1:
        try:
            heard = await person.hears(timeout=left)
        except NothingHeard:
            return
        buttons = [each for row in heard.get("reply_markup", {}).get("inline_keyboard", []) for each in row]
        if buttons and rng.random() < 0.4:
            try:
                await person.presses_data(heard["message_id"], rng.choice(buttons)["callback_data"])
            except SandboxRefused:
                continue  # the button went away meanwhile


async def writer(victim: Victim, number: int, letters: int, sent: Sent, rng: random.Random, *, pause: float) -> None:
    """Somebody who writes letters in one thread, each again until a 250 was read."""
    name = f"ml{number}"
    address, first = f"{name}@customer.example", f"{new_id()}@customer.example"
    await asyncio.sleep(rng.uniform(0, pause))
    for place in range(letters):
        marker = f"{name}x{place}"
        mail = EmailMessage(policy=SMTP)
        mail["From"], mail["To"] = address, SUPPORT
        mail["Subject"] = "Обращение" if place == 0 else "Re: Обращение"
        mail["Message-ID"] = f"<{first if place == 0 else new_id() + '@customer.example'}>"
        if place:
            mail["In-Reply-To"] = mail["References"] = f"<{first}>"
        mail.set_content(marked(rng.choice(STORIES if place == 0 else MORE), marker))
        raw = mail.as_bytes()
        while not sent.over and not await _handed_over(victim, address, raw):
            sent.retries += 1
            await asyncio.sleep(0.5)
        sent.note(name, marker)
        await asyncio.sleep(rng.uniform(0, 2 * pause))


async def _handed_over(victim: Victim, address: str, raw: bytes) -> bool:
    try:
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=victim.smtp, timeout=20, use_tls=False, start_tls=False) as client:
            await client.sendmail(address, [SUPPORT], raw)
    except (aiosmtplib.SMTPException, OSError):
        return False
    return True


async def visitor(victim: Victim, number: int, sent: Sent, rng: random.Random, *, pause: float, client: httpx2.AsyncClient) -> None:
    """Somebody on the form: presses Send again on the same page until it says thank you."""
    name = f"wf{number}"
    marker = f"{name}x0"
    await asyncio.sleep(rng.uniform(0, pause))
    token = await _page(victim, client)
    while not token and not sent.over:
        await asyncio.sleep(0.5)
        token = await _page(victim, client)
    await asyncio.sleep(FORM_SECONDS)
    filled = {
        "token": token,
        "text": marked(rng.choice(STORIES), marker),
        "name": name,
        "email": f"{name}@customer.example",
        "consent": "yes",
    }
    while not sent.over and not await _posted(victim, client, filled):
        sent.retries += 1
        await asyncio.sleep(0.5)
    sent.note(name, marker)


async def _page(victim: Victim, client: httpx2.AsyncClient) -> str:
    try:
        answer = await client.get(f"{victim.url}/f/site")
    except httpx2.HTTPError:
        return ""
    found = _TOKEN_FIELD.search(answer.text)
    return found[1] if answer.status_code == 200 and found else ""


async def _posted(victim: Victim, client: httpx2.AsyncClient, filled: dict[str, str]) -> bool:
    try:
        answer = await client.post(f"{victim.url}/f/site", data=filled, headers={"origin": victim.url}, follow_redirects=False)
    except httpx2.HTTPError:
        return False
    return bool(answer.status_code == 303)
