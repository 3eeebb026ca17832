"""What is known of a mail's sender, in words."""

from typing import Any

import pytest

from desk_core.conversations.repository import ASIDE
from desk_core.tickets.verdicts import VERDICTS, tell_trust


def trust(verdict: str, *reasons: tuple[str, str], policy: str = "") -> dict[str, Any]:
    return {"verdict": verdict, "policy": policy, "reasons": [list(reason) for reason in reasons]}


@pytest.mark.parametrize(
    ("known", "english", "russian"),
    [
        (
            trust("forged", ("spf_fail", "a.example"), ("dkim_none", ""), policy="reject"),
            "Sender not proven: SPF fails, no DKIM signature (policy reject)",
            "Отправитель не подтверждён: SPF не проходит, подписи DKIM нет (политика reject)",
        ),
        (
            trust("verified", ("dkim_pass", "a.example")),
            "Sender proven: signed by a.example",
            "Отправитель подтверждён: подписано доменом a.example",
        ),
        (
            trust("unknown"),
            "Nothing proves or refutes the sender: no results, no policy",
            "Отправителя ничто не подтверждает и не опровергает: нет ни результатов проверки, ни политики",
        ),
        (trust("unknown", ("of_a_later_version", "x"), ("dmarc_pass", "")), "Nothing proves or refutes the sender: DMARC passes", None),
        ({}, "", ""),
        (trust("of_a_later_version"), "", ""),
    ],
)
def test_are_told_in_one_sentence(known: dict[str, Any], english: str, russian: str | None) -> None:
    assert tell_trust(known, "en") == english
    assert russian is None or tell_trust(known, "ru") == russian


def test_what_is_held_was_written_by_nobody_but_for_a_person_who_floods() -> None:
    assert {code for code, words in VERDICTS.items() if words.startswith("held:")} - {"flood"} <= {*ASIDE}
