"""The dialogue's tools over real parts: an index of articles, a triage without models, real validation."""

from datetime import date, datetime

import pytest

from models.encoder import NullEncoder
from models.retrieval import ArticleIndex, IndexedArticle
from nlu.actions import FormValidator
from nlu.language import detect
from nlu.tools import DeskTools, NoIncidents
from nlu.triage import TriageEngine
from nlu.turn import Phase
from nlu.understood import FormDef, Tools
from tests.fakes.talk import Talk
from tests.fakes.tools import CATEGORIES, FORMS

ARTICLES = (
    IndexedArticle("a1", "jam", "ru", "Застряла бумага в принтере", "1. Откройте крышку\n2. Вытяните лист", category="hardware.printer"),
    IndexedArticle("a2", "driver", "ru", "Как поставить драйвер принтера", "1. Скачайте драйвер", category="hardware.printer"),
    IndexedArticle("a3", "vpn", "ru", "VPN не подключается", "1. Перезапустите клиент", category="network.vpn"),
    IndexedArticle("a4", "jam", "en", "Paper is stuck in the printer", "1. Open the lid", category="hardware.printer"),
)


def nothing(text: str, *, form: FormDef | None, now: datetime) -> dict[str, str]:
    return {}


@pytest.fixture(scope="module")
def tools() -> Tools:
    return DeskTools(
        catalogue=CATEGORIES,
        forms=FORMS,
        engine=TriageEngine.null(CATEGORIES),
        index=ArticleIndex.build(ARTICLES, NullEncoder()),
        incidents=NoIncidents(),
        validator=FormValidator(FORMS.values(), today=lambda: date(2026, 11, 23)),
        detect=detect,
        extract=nothing,
        featured=("a3",),
    )


def test_frequent_questions_start_with_the_featured_and_then_one_a_topic(tools: Tools) -> None:
    assert [hit.article_id for hit in tools.faq(language="ru")] == ["a3", "a1"]
    assert [hit.article_id for hit in tools.faq(language="en")] == ["a4"]


def test_an_article_is_found_and_opened(tools: Tools) -> None:
    found = tools.search("застряла бумага в принтере", language="ru", category=None)
    assert found[0].article_id == "a1"
    opened = tools.article("a1", language="ru")
    assert opened is not None
    assert "Вытяните лист" in opened.passage
    assert tools.article("gone", language="ru") is None


def test_a_category_knows_its_form(tools: Tools) -> None:
    form = tools.form("hardware.printer")
    assert form is not None
    assert form.key == "equipment"
    assert tools.form("access.password") is None
    assert tools.form(None) is None
    assert tools.category("unheard.of") is None


def test_a_talk_works_before_any_model_is_trained(tools: Tools) -> None:
    talk = Talk(tools=tools)
    talk.says("Совсем не открывается отчёт за октябрь")
    while talk.state.phase is not Phase.SUMMARY:
        talk.presses("not_it" if talk.state.phase is Phase.ARTICLES else "skip")
    talk.presses("send")
    assert talk.ticket().text == "Совсем не открывается отчёт за октябрь"
