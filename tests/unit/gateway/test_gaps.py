"""Questions of one meaning become a line of the board, and a line becomes a draft in which nobody is named."""

from datetime import UTC, datetime, timedelta

from desk_core.knowledge.questions import Gap
from gateway.gaps import anonymous, cluster_of, draft, grouped
from models.clusters import Cluster

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def gap(name: str, text: str, *, days: int = 1, who: str = "anna", number: int | None = None, status: str = "open", **more: object) -> Gap:
    known = {"language": "ru", "category": "network.wifi", "became": "unanswered", **more}
    at = NOW - timedelta(days=days)
    return Gap(name, text, at=at, contact_id=who, ticket_id=f"t{number}" if number else None, ticket_number=number,
               ticket_status=status if number else None, **known)  # type: ignore[arg-type]  # fmt: skip


ASKED = [
    gap("a", "Здравствуйте! Как продлить гостевой Wi-Fi?", number=7, status="closed"),
    gap("b", "how do I extend guest wifi", language="en", who="bob", days=20, became="refused", number=9),
    gap("c", "продлить гостевой вайфай для Петрова", days=2),
    gap("d", "где заказать воду", category=None),
]
CLUSTERS = [Cluster((3,)), Cluster((0, 2, 1))]


def test_what_is_asked_most_comes_first_with_its_numbers() -> None:
    wifi, water = grouped(ASKED, CLUSTERS, now=NOW)
    assert (wifi.id, wifi.people, wifi.recent, wifi.before, wifi.refused) == ("a", 2, 2, 1, 1)
    assert wifi.languages == {"ru": 2, "en": 1}
    assert wifi.tickets == ((9, "open"), (7, "closed"))
    assert (wifi.solved, wifi.category, water.category) == (1, "network.wifi", None)
    assert cluster_of([wifi, water], "b") is wifi
    assert cluster_of([wifi, water], "gone") is None


def test_a_draft_takes_its_steps_from_what_operators_answered() -> None:
    wifi = grouped(ASKED, CLUSTERS, now=NOW)[0]
    sheet = draft(
        wifi,
        ["Добрый день, Анна!\nОткройте портал гостей. Нажмите «Продлить» и введите код.\nС уважением, Ольга", "Откройте портал гостей."],
        ["Анна Петрова", "Ольга Котова"],
        key="0a1b",
    )
    assert sheet.title == "Как продлить гостевой Wi-Fi?"
    assert sheet.body == "## Что делать\n\n1. Откройте портал гостей.\n2. Нажмите «Продлить» и введите код."
    assert (sheet.state, sheet.language, sheet.category) == ("draft", "ru", "network.wifi")
    assert "продлить гостевой вайфай для […]" in sheet.keywords


def test_without_an_answer_the_draft_says_what_is_missing() -> None:
    water = grouped(ASKED, CLUSTERS, now=NOW)[1]
    assert "Напишите здесь по шагам" in draft(water, [], [], key="1").body


def test_nobody_is_named() -> None:
    told = anonymous(
        "Позвоните Ольге Котовой по 8 (916) 123-45-67 или напишите olga@firma.example, договор 4455667788", ["Ольга Котова", "Ян"]
    )
    assert told == "Позвоните […] по […] или напишите [e-mail], договор […]"
    assert anonymous("Ольховая улица остаётся", ["Ольга Котова"]) == "Ольховая улица остаётся"
