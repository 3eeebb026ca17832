"""What is told of a bot: the cure fits Telegram's words, old stories are none, and no address of the webhook gets out."""

from datetime import UTC, datetime, timedelta

import pytest

from channels.telegram.checkup import ADVICE, STEPS, webhook_step
from channels.telegram.webhook import is_telegram
from desk_core.conversations.checkups import State
from desk_core.kit.i18n import translate

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HOOK = "https://desk.example.org/hooks/telegram/secret-path"


def info(words: str = "", *, url: str = HOOK, waiting: int = 3, ago: timedelta = timedelta(minutes=1)) -> dict[str, object]:
    told = {"last_error_date": int((NOW - ago).timestamp()), "last_error_message": words} if words else {}
    return {"url": url, "pending_update_count": waiting, **told}


@pytest.mark.parametrize(
    ("words", "cure"),
    [
        ("SSL error {error:0A000086:SSL routines::certificate verify failed}", "hook_certificate"),
        ("Failed to resolve host: Name or service not known", "hook_name"),
        ("Connection refused", "hook_unreachable"),
        ("Connection timed out", "hook_unreachable"),
        ("Read timeout expired", "hook_unreachable"),
        ("Wrong response from the webhook: 403 Forbidden", "hook_refused"),
        ("Wrong response from the webhook: 401 Unauthorized", "hook_refused"),
        ("Wrong response from the webhook: 404 Not Found", "hook_lost"),
        ("Wrong response from the webhook: 302 Found", "hook_lost"),
        ("Wrong response from the webhook: 503 Service Unavailable", "hook_failing"),
        ("Something new", "hook_other"),
    ],
)
def test_every_trouble_of_a_webhook_has_its_cure(words: str, cure: str) -> None:
    step = webhook_step(info(words), wanted=HOOK, now=NOW)
    assert (step.state, step.advice) == (State.FAIL, cure)
    assert words in step.words
    assert "desk.example.org" in translate("en", ADVICE[cure], **step.params) or "%(host)s" not in ADVICE[cure]


def test_an_error_after_which_all_was_handed_over_is_only_looked_at() -> None:
    assert webhook_step(info("Connection refused", waiting=0), wanted=HOOK, now=NOW).state is State.WARN


def test_an_old_error_is_none() -> None:
    assert webhook_step(info("Connection refused", ago=timedelta(hours=2)), wanted=HOOK, now=NOW).state is State.OK


def test_a_webhook_of_others_is_named_by_its_host_alone() -> None:
    step = webhook_step(info(), wanted=None, now=NOW)
    assert (step.state, step.advice, step.words) == (State.FAIL, "foreign", "desk.example.org")


def test_a_webhook_that_was_taken_off_is_told() -> None:
    assert webhook_step(info(url=""), wanted=HOOK, now=NOW).advice == "not_set"


def test_sentences_exist_in_russian() -> None:
    assert [words for words in (*STEPS.values(), *ADVICE.values()) if translate("ru", words) == words] == []


@pytest.mark.parametrize(
    ("address", "known"),
    [
        ("149.154.167.197", True),
        ("91.108.6.1", True),
        ("::ffff:149.154.167.197", True),
        ("91.108.8.1", False),
        ("127.0.0.1", False),
        ("2001:67c:4e8::1", False),
        ("", False),
        (None, False),
        ("no address", False),
    ],
)
def test_telegrams_networks_are_known(address: str | None, known: bool) -> None:
    assert is_telegram(address) is known
