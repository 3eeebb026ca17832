"""Texts whose language is chosen later."""

import json

from desk_core.kit.errors import Invalid
from desk_core.kit.i18n import Phrase, translate


def test_a_phrase_is_stored_with_the_phrases_in_it_and_told_in_any_language() -> None:
    inner = Phrase("Telegram cannot be reached: %(words)s", words="100% of it, %(odd)s")
    outer = Phrase("%(folder)s: message %(uid)s is stuck: %(words)s", folder="INBOX", uid=7, words=inner)
    kept = Phrase.of_json(json.loads(json.dumps(outer.to_json())))
    assert kept == outer == "INBOX: message 7 is stuck: Telegram cannot be reached: 100% of it, %(odd)s"
    assert translate("ru", kept) == "INBOX: письмо 7 застряло: До Telegram не достучаться: 100% of it, %(odd)s"
    assert Phrase("100%") == "100%"


def test_an_error_waits_for_the_language_of_its_reader() -> None:
    error = Invalid(reason=Phrase("%(name)s is paused", name="bot"))
    assert translate("en", error.phrase) == "This value does not fit: bot is paused"
    assert translate("ru", Phrase.of_json(error.phrase.to_json())) == translate("ru", Invalid.text) % {
        "reason": translate("ru", Phrase("%(name)s is paused", name="bot"))
    }
