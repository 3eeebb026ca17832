"""Articles are found by stems, by pieces of words and by meaning; where nothing fits, nothing is offered."""

import pytest

from models.encoder import NullEncoder
from models.passages import PASSAGE_LIMIT, best_part, parts_of
from models.retrieval import ArticleIndex, IndexedArticle
from tests.unit.models.small import HashEncoder

BODY = (
    "Обычно помогает перезапуск.\n\n1. Откройте **Параметры**.\n2. Нажмите [Сеть](https://example.com/net).\n\n"
    "## Если не помогло\n\nНапишите нам."
)
ARTICLES = [
    IndexedArticle("1", "vpn", "ru", "VPN не подключается", BODY, ("впн не работает", "ошибка 691"), "network.vpn"),
    IndexedArticle("2", "vpn", "en", "VPN does not connect", "1. Open Settings.\n2. Restart.", ("vpn error",), "network.vpn"),
    IndexedArticle("3", "printer", "ru", "Принтер не печатает", "1. Проверьте бумагу.", ("застряла бумага", "мфу"), "hardware.printer"),
    IndexedArticle("4", "password", "en", "Reset a password", "1. Open the portal.", ("forgot password",), "access.password"),
    IndexedArticle("5", "mail", "ru", "Почта не приходит", "1. Проверьте спам.", ("письма не доходят",), "mail.trouble"),
]


@pytest.fixture(scope="module", params=[NullEncoder, HashEncoder])
def index(request: pytest.FixtureRequest) -> ArticleIndex:
    return ArticleIndex.build(ARTICLES, request.param())


def test_finds_by_other_forms_of_the_words(index: ArticleIndex) -> None:
    assert index.search("не получается подключить впн, ошибка 691", "ru")[0].key == "vpn"


def test_finds_through_a_typo(index: ArticleIndex) -> None:
    assert index.search("прнтер не печатет", "ru", threshold=0)[0].key == "printer"


def test_prefers_the_language_of_the_question(index: ArticleIndex) -> None:
    assert index.search("vpn", "en", threshold=0)[0].language == "en"
    assert index.search("vpn", "ru", threshold=0)[0].language == "ru"


def test_answers_in_the_other_language_where_only_that_exists(index: ArticleIndex) -> None:
    hit = index.search("reset password", "ru", threshold=0)[0]
    assert (hit.key, hit.language) == ("password", "en")


def test_shows_each_article_once(index: ArticleIndex) -> None:
    keys = [hit.key for hit in index.search("vpn впн", "ru", threshold=0)]
    assert len(keys) == len(set(keys))


def test_abstains_where_nothing_fits(index: ArticleIndex) -> None:
    assert index.search("когда день рождения у директора", "ru") == []


@pytest.mark.parametrize("text", ["", "  ", "👍", "?!", "\x00", "я" * 100_000, "'; DROP TABLE articles; --", "<b>" * 500])
def test_odd_questions_find_nothing_and_break_nothing(index: ArticleIndex, text: str) -> None:
    assert index.search(text, "ru") == []


def test_a_known_category_lifts_its_articles(index: ArticleIndex) -> None:
    without, given = index.search("не приходит", "ru", threshold=0)[0], index.search("не приходит", "ru", "mail.trouble", threshold=0)[0]
    assert given.key == "mail"
    assert given.score >= without.score


def test_an_empty_shelf_finds_nothing() -> None:
    empty = ArticleIndex.build([], NullEncoder())
    assert empty.search("vpn", "ru") == []
    assert empty.article("1") is None
    assert len(empty) == 0


def test_gives_one_article_by_its_id(index: ArticleIndex) -> None:
    hit = index.article("3")
    assert hit is not None
    assert hit.title == "Принтер не печатает"
    assert index.article("none") is None


def test_rebuilding_encodes_only_what_is_new() -> None:
    encoder = HashEncoder()
    first = ArticleIndex.build(ARTICLES, encoder)
    before = encoder.calls
    changed = [*ARTICLES, IndexedArticle("6", "wifi", "ru", "Нет Wi-Fi", "1. Включите.", (), "network.wifi")]
    ArticleIndex.build(changed, encoder, previous=first)
    assert encoder.calls == before + 1


class TestPassage:
    def test_is_plain_text_with_numbered_steps(self) -> None:
        passage = best_part(parts_of(BODY), lambda _: 0)
        assert passage == "Обычно помогает перезапуск.\n1. Откройте Параметры.\n2. Нажмите Сеть (https://example.com/net)."

    def test_follows_the_question_to_its_section(self) -> None:
        parts = parts_of("Вступление.\n\n## Телефон\n\n1. Удалите профиль.\n\n## Компьютер\n\n1. Откройте окно.")
        assert best_part(parts, lambda words: 5 * ("компьютер" in words)).startswith("Компьютер\n1. Откройте")

    def test_is_short_and_ends_at_a_line(self) -> None:
        passage = best_part(parts_of("\n".join(f"{n}. Шаг, в котором довольно много слов." for n in range(1, 99))), lambda _: 0)
        assert len(passage) <= PASSAGE_LIMIT
        assert passage.endswith("слов.\n…")

    def test_one_endless_line_is_cut(self) -> None:
        assert len(best_part(parts_of("слово " * 1000), lambda _: 0)) <= PASSAGE_LIMIT

    def test_an_empty_article_has_none(self) -> None:
        assert best_part(parts_of(""), lambda _: 0) == ""


def test_two_articles_of_one_title_are_shown_once() -> None:
    twice = [
        IndexedArticle("a", "vpn", "ru", "VPN не подключается", "Один."),
        IndexedArticle("b", "vpn-2", "ru", "vpn не подключается", "Два."),
    ]
    assert len(ArticleIndex.build(twice, NullEncoder()).rank("vpn не подключается", "ru")) == 1
