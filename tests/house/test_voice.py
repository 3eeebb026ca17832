"""What a requester reads calls their request «обращение»; «заявка» is the operators' word for it."""

import re
from collections.abc import Iterator

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg

from tests.house.translations import KEYWORDS, ROOT, path_of, stored

THEIRS = (
    "nlu/labels.py", "channels/telegram/menu.py", "channels/email/compose.py", "channels/email/letter.py", "channels/webform/",
    "gateway/flows/speaking.py", "gateway/flows/drawing.py", "desk_core/tickets/effects.py",
)  # fmt: skip
_OURS = re.compile(r"\bзаявк|\bзаявок", re.IGNORECASE)
_REPLY = re.compile(r'^\s+- text: "(.*)"$', re.MULTILINE)


def read_by_requesters() -> Iterator[str]:
    with (ROOT / "babel.cfg").open(encoding="utf-8") as config:
        methods, options = parse_mapping_cfg(config)
    for package in ("nlu", "channels", "gateway", "desk_core"):
        for file, _line, message, _comments, _context in extract_from_dir(ROOT / package, methods, options, keywords=KEYWORDS):
            if f"{package}/{file}".startswith(THEIRS):
                yield message if isinstance(message, str) else message[0]


def test_no_text_of_the_code_says_otherwise() -> None:
    russian = stored(path_of("ru"), "ru")
    said = {text: known.string for text in read_by_requesters() if (known := russian.get(text)) is not None}
    assert len(said) > 200, "texts are found at all"
    assert [words for words in said.values() if _OURS.search(str(words))] == []


@pytest.mark.parametrize("preset", ["it_service_desk", "customer_care"])
def test_no_reply_of_a_preset_says_otherwise(preset: str) -> None:
    replies = _REPLY.findall((ROOT / "presets" / preset / "domain.yml").read_text(encoding="utf-8"))
    assert len(replies) > 100
    assert [reply for reply in replies if _OURS.search(reply)] == []


@pytest.mark.parametrize("preset", ["it_service_desk", "customer_care"])
def test_no_article_says_otherwise_but_for_how_people_ask(preset: str) -> None:
    told = [
        path.read_text(encoding="utf-8").split("\n---\n", 1)[1] for path in (ROOT / "presets" / preset / "articles" / "ru").glob("*.md")
    ]
    assert [article for article in told if _OURS.search(article)] == []
