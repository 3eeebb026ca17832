"""Each house lint is seen failing on a planted breach, keeping quiet about its right counterpart, and passing on the tree as it is."""

import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.lint import RULES, check_file, check_paths

ROOT = Path(__file__).resolve().parents[3]


class Planted(NamedTuple):
    code: str
    into: str
    breach: str


BREACHES = [
    Planted("commit-outside-unit", "desk_core/tickets/service.py", "async def hasty(session):\n    await session.commit()\n"),
    Planted("commit-outside-unit", "gateway/flows/deliver.py", "def hasty(connection):\n    connection.commit()\n"),
    Planted(
        "network-in-transaction",
        "gateway/flows/deliver.py",
        "async def hasty(self):\n    async with self._database.unit() as uow:\n        await self._channel.send(1)\n",
    ),
    Planted(
        "network-in-transaction", "gateway/flows/converse.py", "async def apply_hasty(uow, channel):\n    await channel.fetch('file')\n"
    ),
    Planted("network-in-transaction", "gateway/flows/converse.py", "async def apply_hasty(uow, bot):\n    await bot.typing(1)\n"),
    Planted("network-in-transaction", "gateway/flows/converse.py", "async def apply_hasty(uow, s, h, t):\n    return advance(s, h, t)\n"),
    Planted(
        "network-in-transaction", "gateway/flows/converse.py", "async def apply_hasty(self, uow):\n    return self._tools.triage('x')\n"
    ),
    Planted("network-in-transaction", "gateway/flows/clocks.py", "import asyncio\nasync def hasty(uow):\n    await asyncio.sleep(1)\n"),
    Planted("network-in-transaction", "gateway/flows/clocks.py", "import httpx2\nasync def hasty(uow):\n    httpx2.get('x')\n"),
    Planted("network-in-transaction", "gateway/flows/clocks.py", "async def hasty(uow, ctx):\n    await ctx.signal.publish('work')\n"),
    Planted("clock", "desk_core/sla/clock.py", "from datetime import datetime as dt\ndef late(due):\n    return dt.now() > due\n"),
    Planted("clock", "gateway/health.py", "import time\ndef age(at):\n    return time.time() - at\n"),
    Planted("clock", "gateway/health.py", "from dataclasses import field\nimport time as t\nmade = field(default_factory=t.time)\n"),
    Planted("pure-module", "desk_core/tickets/lifecycle.py", "async def step():\n    return 1\n"),
    Planted("pure-module", "nlu/dialogue.py", "def words():\n    with open('words.txt') as file:\n        return file\n"),
    Planted("pure-module", "nlu/forms.py", "import structlog\n"),
    Planted("pure-module", "channels/telegram/mapping.py", "from pathlib import Path\ndef read(p: Path):\n    return p.read_text()\n"),
    Planted("sql-fstring", "desk_core/people/repository.py", "from sqlalchemy import text\nQ = lambda name: text(f\"SELECT '{name}'\")\n"),
    Planted("sql-fstring", "gateway/doctor.py", "import sqlalchemy as sa\nQ = lambda name: sa.text('SELECT ' + name)\n"),
    Planted("sql-fstring", "desk_core/kit/db.py", "def pragma(connection, name):\n    connection.exec_driver_sql('PRAGMA %s' % name)\n"),
    Planted("user-text-in-log", "gateway/flows/intake.py", "def told(message):\n    log.info('intake.told', text=message)\n"),
    Planted(
        "user-text-in-log",
        "channels/telegram/receive.py",
        "def told(token):\n    log.warning(\n        'bot.refused',\n        token=token,\n    )\n",
    ),
    Planted("user-text-in-log", "channels/telegram/receive.py", "def told(who):\n    log.info(f'hello {who}')\n"),
    Planted("template-inline-handler", "gateway/web/templates/login.html", '\n<button {% if x %}disabled{% endif %} onclick="go()">\n'),
    Planted("template-inline-handler", "gateway/web/templates/login.html", '\n<div hx-on:click="go()"></div>\n'),
    Planted("template-inline-handler", "gateway/web/templates/login.html", "\n<script>go()</script>\n"),
    Planted("template-inline-handler", "gateway/web/templates/login.html", '\n<p style="color: red">\n'),
    Planted("template-inline-handler", "gateway/web/templates/login.html", '\n<a href="javascript:go()">\n'),
    Planted("untranslated-template", "gateway/web/templates/login.html", "\n<p>Please log in</p>\n"),
    Planted("untranslated-template", "gateway/web/templates/login.html", "\n<p>Войдите</p>\n"),
    Planted("untranslated-template", "gateway/web/templates/login.html", '\n<input placeholder="Your name">\n'),
]

RIGHT = [
    ("desk_core/kit/db.py", "async def _finish(self):\n    await self.session.commit()\n"),
    ("gateway/flows/deliver.py", "async def decide(self):\n    return await self._channel.send(1)\n"),
    ("gateway/flows/deliver.py", "async def apply(self, uow):\n    uow.after_commit(lambda: self.signal.publish('work'))\n"),
    ("desk_core/kit/clock.py", "from datetime import UTC, datetime\ndef now():\n    return datetime.now(UTC)\n"),
    ("gateway/health.py", "import time\ndef took(since):\n    return time.perf_counter() - since\n"),
    ("desk_core/tickets/service.py", "async def step(uow):\n    await uow.flush()\n"),
    ("desk_core/people/repository.py", "from sqlalchemy import text\nQ = text('SELECT :name')\n"),
    ("gateway/flows/intake.py", "def told(message):\n    log.info('intake.told', message_id=message.id, length=len(message.text))\n"),
    (
        "gateway/web/templates/a.html",
        "<p class=\"x\" {{ 'hidden' if a > b }}>{{ _('Please log in') }}</p><script nonce=\"{{ nonce }}\"></script>",
    ),
    ("gateway/web/templates/a.html", "{# a comment may say anything #}{% trans %}Please log in{% endtrans %}<b>Priyom</b>"),
    ("tests/unit/test_a.py", "import time\nprint(time.time())\n"),
]


def test_the_tree_as_it_is_breaks_no_rule() -> None:
    assert check_paths(ROOT) == []


@pytest.mark.parametrize("planted", BREACHES, ids=lambda planted: f"{planted.code}: {planted.breach.strip().splitlines()[-1].strip()}")
def test_a_planted_breach_is_found(planted: Planted, tmp_path: Path) -> None:
    copy = tmp_path / planted.into
    copy.parent.mkdir(parents=True)
    shutil.copyfile(ROOT / planted.into, copy)
    assert check_paths(tmp_path, ["."]) == []
    before = len(copy.read_text(encoding="utf-8").splitlines())
    with copy.open("a", encoding="utf-8") as file:
        file.write(planted.breach)
    found = check_paths(tmp_path, ["."])
    assert found
    assert {(finding.path, finding.code) for finding in found} == {(planted.into, planted.code)}
    assert all(finding.line > before for finding in found)


def test_every_rule_is_seen_failing() -> None:
    assert {planted.code for planted in BREACHES} == set(RULES)


@pytest.mark.parametrize(("path", "text"), RIGHT, ids=[text.splitlines()[-1].strip()[:60] for _, text in RIGHT])
def test_the_right_way_is_left_in_peace(path: str, text: str) -> None:
    assert check_file(path, text) == []


class TestExcuses:
    def test_with_a_reason_silence_their_own_rule_on_their_line_and_the_next(self) -> None:
        on_it = "import time\nt = time.time()  # lint-skip: clock - the file's own age, compared with nothing of ours\n"
        above = "import time\n# lint-skip: clock - the file's own age, compared with nothing of ours\nt = time.time()\n"
        assert check_file("gateway/health.py", on_it) == check_file("gateway/health.py", above) == []

    def test_without_a_reason_excuse_nothing(self) -> None:
        found = check_file("gateway/health.py", "import time\nt = time.time()  # lint-skip: clock\n")
        assert [finding.code for finding in found] == ["clock", "lint-skip"]

    def test_for_another_rule_excuse_nothing_and_are_found_themselves(self) -> None:
        found = check_file("gateway/health.py", "import time\nt = time.time()  # lint-skip: sql-fstring - no value of anybody\n")
        assert [finding.code for finding in found] == ["clock", "lint-skip"]
