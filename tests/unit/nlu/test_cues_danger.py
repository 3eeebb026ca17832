"""Five kinds of words go to a person at once, in both languages; the same words said in passing do not."""

import pytest

from nlu import cues
from nlu.text import normalise
from nlu.triage import TriageEngine


def danger(text: str) -> str | None:
    return next((cue.value for cue in cues.read(normalise(text)) if cue.kind == "danger"), None)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("из розетки валит дым", "safety"),
        ("the power strip is sparking", "safety"),
        ("пришло подозрительное письмо", "security"),
        ("somebody hacked my account", "security"),
        ("мне угрожают в рабочей почте", "threat"),
        ("if you don't fix it you'll be sorry", "threat"),
        ("someone threatens to publish our files", "threat"),
        ("подам в суд, если не ответите", "legal"),
        ("пришёл запрос из полиции на выгрузку переписки", "legal"),
        ("my lawyer wants these logs", "legal"),
        ("we received a court order for a mailbox", "legal"),
        ("у генерального директора не открывается почта", "vip"),
        ("пишу по поручению финансового директора", "vip"),
        ("Our CEO can't join the call", "vip"),
        ("the CFO's laptop does not start", "vip"),
    ],
)
def test_it_goes_to_a_person_now(text: str, kind: str) -> None:
    assert danger(text) == kind
    assert TriageEngine.null().triage(text, language="ru").human_now


@pytest.mark.parametrize(
    "text",
    [
        "доступ согласовал генеральный директор", "approved by the CEO", "смените подпись генерального директора в шаблоне",
        "в суде отключили интернет на планшете", "нужна лицензия для юриста", "the law department needs Visio", "файл на столе президента",
        "сгорела лампочка на мониторе", "no rush, nothing is on the line",
    ],
)  # fmt: skip
def test_said_in_passing_it_is_no_alarm(text: str) -> None:
    assert danger(text) is None
