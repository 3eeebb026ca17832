"""Letters as they come out of companies: banners of mail servers, borders of other desks, phones, disclaimers, programs of many lands."""

import json
from pathlib import Path

import pytest

from tests.unit.channels.email.mails import mail, parsed

FOUND = json.loads((Path(__file__).resolve().parents[3] / "data" / "hard_replies.json").read_text(encoding="utf-8"))
LETTERS: dict[str, tuple[str, str]] = FOUND["letters"]  # name -> (what came, what the person wrote)


@pytest.mark.parametrize("name", LETTERS)
def test_only_what_the_person_wrote_is_the_reply(name: str) -> None:
    came, wrote = LETTERS[name]
    found = parsed(mail(came, subject="Re: [#1042] Printer"))
    assert found.text.split() == wrote.split()
    assert not found.verdict.held


@pytest.mark.parametrize("text", FOUND["people"])
def test_what_only_looks_like_it_stays(text: str) -> None:
    assert parsed(mail(text)).text == text
