"""Two stories in one text are found where words, figures or sentences part them, and one story is left whole."""

from collections.abc import Callable

import pytest

from nlu.splitting import cuts, two_stories
from nlu.understood import Band, CategoryDef, Guess, Intent, Triage

TOPICS = {
    "printer": "hardware.printer", "принтер": "hardware.printer", "монитор": "hardware.monitor", "vpn": "network.vpn", "впн": "network.vpn",
    "вирус": "security.incident", "новичк": "people.onboarding",
}  # fmt: skip


def judge(text: str, *, sure: float = 0.9) -> Triage:
    topic = next((topic for word, topic in TOPICS.items() if word in text.lower()), None)
    return Triage(Intent.REPORT, 0.9, topic, sure if topic else 0.1, Band.ACT if topic else Band.ASK)


def glance(text: str) -> Guess | None:
    triage = judge(text)
    return Guess(triage.category or "general.question", triage.confidence)


def category(key: str | None) -> CategoryDef | None:
    if key is None:
        return None
    return CategoryDef(key, None, {}, "incident", "individual", "medium", None, human_now=key.startswith("security"))


def halves(text: str, *, sure: float = 0.9) -> tuple[str, str] | None:
    cut = two_stories(text, judge=lambda half: judge(half, sure=sure), glance=glance, category=category)
    return (cut.first, cut.second) if cut else None


def looked_at(text: str, *, glance: Callable[[str], Guess | None] = glance) -> list[str]:
    """What the models are asked about."""
    asked: list[str] = []

    def counted(half: str) -> Triage:
        asked.append(half)
        return judge(half)

    two_stories(text, judge=counted, glance=glance, category=category)
    return asked


@pytest.mark.parametrize(
    ("text", "first", "second"),
    [
        ("Не печатает принтер, и ещё не работает впн", "Не печатает принтер", "не работает впн"),
        ("Принтер сломан. Ещё впн не пускает", "Принтер сломан", "впн не пускает"),
        ("1) сломан принтер\n2) не пускает впн", "сломан принтер", "не пускает впн"),
        ("- принтер сломан\n- впн не пускает", "принтер сломан", "впн не пускает"),
        ("Во-первых, сломан принтер. Во-вторых, не пускает впн.", "сломан принтер", "не пускает впн."),
        ("Two things: the printer jams. On top of that my VPN is down", "the printer jams", "my VPN is down"),
        ("My printer is broken and the vpn is down", "My printer is broken", "the vpn is down"),
        ("принтер опять сломан и монитор тоже. А также: мигает монитор", "принтер опять сломан и монитор тоже", "мигает монитор"),
    ],
)
def test_two_stories_are_parted(text: str, first: str, second: str) -> None:
    assert halves(text) == (first, second)


@pytest.mark.parametrize(
    "ending",
    [
        "Заранее спасибо, жду ответа.",
        "Это срочно, клиенты ждут!",
        "Так с понедельника.",
        "Thanks!\nPlease call me back.",
        "It has been like this since Monday.",
    ],
)
def test_what_closes_a_text_is_no_second_story_and_stays_with_the_second(ending: str) -> None:
    assert looked_at(f"Не печатает принтер\n\n{ending}", glance=lambda half: None) == []
    assert halves(f"Принтер сломан. Ещё впн не пускает\n\n{ending}\n") == ("Принтер сломан", f"впн не пускает\n\n{ending}")
    assert looked_at(f"Принтер сломан. Ещё впн не пускает\n\n{ending}") == ["Принтер сломан", "впн не пускает"]


def test_a_second_story_of_many_words_is_kept_whole() -> None:
    cut = halves("Принтер сломан. Кроме того, впн не пускает. " + "Пробовал и так и эдак. " * 100 + "Жду.")
    assert cut is not None and cut[1].endswith("эдак. Жду.")


@pytest.mark.parametrize(
    "text",
    [
        "принтер не печатает и мигает", "нужно ещё пять лицензий на vpn", "The printer is broken. Please fix the printer", "принтер и впн",
        "", "не работает принтер, и ещё у нас вирус", "стол для новичка готов и принтер ему поставьте",
    ],
)  # fmt: skip
def test_one_story_stays_whole(text: str) -> None:
    assert halves(text) is None


def test_without_a_word_that_parts_them_both_have_to_be_certain() -> None:
    assert halves("My printer is broken and the vpn is down", sure=0.7) is None
    assert halves("My printer is broken, and also the vpn is down", sure=0.7) is not None


@pytest.mark.parametrize(
    ("text", "judged"),
    [
        ("The printer is broken. Please call me back", 0),  # no words of a topic
        ("The printer is broken. Now the printer hums too", 0),  # both of one area
        ("The printer is broken. The vpn is down too", 2),
        ("The printer is broken, and also please call me back", 1),  # it says itself that it goes on to another thing
    ],
)
def test_the_models_are_asked_only_where_the_words_name_two_areas(text: str, judged: int) -> None:
    assert len(looked_at(text)) == judged


def test_where_nothing_is_known_of_words_the_models_are_asked() -> None:
    cut = two_stories("My printer is broken and the vpn is down", judge=judge, glance=lambda half: None, category=category)
    assert cut is not None


def test_a_long_story_is_cut_only_where_it_says_so() -> None:
    assert halves("The printer is broken. " + "It happens again and again to me. " * 5 + "The vpn is down too.") is None


def test_a_text_has_few_cuts_however_long_it_is() -> None:
    assert len(list(cuts("слово за слово и опять слово. " * 1_000))) <= 15
