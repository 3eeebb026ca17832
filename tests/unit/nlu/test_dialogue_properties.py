"""Whatever is said and pressed, in whatever order: an answer, a way out, few questions, no question twice."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from nlu.scene import BUILDING
from nlu.turn import DialogueState, HandOver, Heard, Manner, OpenTicket, Phase, Press, Say, Turn
from nlu.understood import Hit
from tests.fakes.talk import Talk, buttons, request
from tests.fakes.tools import FORMS, FakeTools

WORDS = (
    "Сломался принтер", "Не подключается впн, что делать?", "бумага застряла", "не работает", "да", "нет", "спасибо", "привет", "hi",
    "не знаю", "назад", "отмена", "изменить", "статус", "оператор", "HP 305", "у всех", "третий этаж", "+7 912 345-67-89", "zxcvb", "?!",
    "👍", "Вы идиоты", "какая погода", "как дела", "нет, не принтер, а сканер", "switch to English", "it is the scanner, please help me",
    "5", "решено", "не помогло", "новое", "А как настроить vpn?", "хочу подать жалобу", "вирус на компьютере",
    "ghbdtn", "jgthfnjh", "ne pechataet printer", "фывфыв", "повтори вопрос", "could you repeat", "что с заявкой 1042",
    "опять принтер", "Сломался принтер, и ещё нужен новый пароль", "две заявки", "одна", "x" * 3_000, "#1042",
)  # fmt: skip
COMMANDS = ("start", "help", "new", "my", "me", "email", "invite", "leave", "faq", "lang", "human", "cancel", "nonsense")
ACTIONS = (
    "helped", "not_it", "human", "send", "edit", "edit_slot", "slot", "skip", "back", "cancel", "new", "mine", "faq", "show", "add",
    "status", "cancel_request", "solved", "not_solved", "rate", "category", "lang", "article", "together", "apart", "unknown",
)  # fmt: skip
VALUES = st.dictionaries(
    st.sampled_from(["ticket", "slot", "value", "key", "language", "article", "id", "score", "offset"]),
    st.one_of(
        st.sampled_from(["t1042", "scope", "me", "device", "network.vpn", "en", "a1", "@problem", "@category", ""]),
        st.integers(-5, 10),
        st.none(),
        st.lists(st.integers(), max_size=2),
    ),
)

STEPS = st.one_of(
    st.tuples(st.just("say"), st.one_of(st.sampled_from(WORDS), st.text(max_size=60))),
    st.tuples(st.just("button"), st.integers(0, 12)),
    st.tuples(st.just("press"), st.builds(Press, st.sampled_from(ACTIONS), VALUES)),
    st.tuples(st.just("command"), st.sampled_from(COMMANDS)),
    st.tuples(st.just("files"), st.integers(1, 3)),
)
ARTICLES = {"бумаг": (Hit("a1", "k1", "Замятие", "1. Шаг", "ru", 0.8),), "vpn": (Hit("a2", "k2", "VPN", "1. Шаг", "ru", 0.8),)}
# Replies that end with a question the person is expected to answer.
QUESTIONS = frozenset(
    {
        "ask_problem", "ask_category", "ask_helped", "ask_edit", "ask_about", "ask_addition", "summary", "rate", "rate_comment",
        "not_understood", "example",
    }
)  # fmt: skip


def question_of(turn: Turn) -> Say | None:
    """The question a turn ends with."""
    last = turn.replies[-1] if turn.replies else None
    slots = {f"ask_{form.key}_{slot.name}" for form in FORMS.values() for slot in form.slots}
    return last if last is not None and last.key in QUESTIONS | slots else None


def step(talk: Talk, kind: str, value: Any) -> Turn:
    match kind:
        case "say":
            return talk.says(value)
        case "button":
            shown = buttons(talk.last) if talk.last else []
            if not shown:
                return talk.says("Сломался принтер")
            button = shown[value % len(shown)]
            return talk.hears(Heard(press=Press(button.action, button.value)))
        case "press":
            return talk.hears(Heard(press=value))
        case "command":
            return talk.commands(value)
        case _:
            return talk.sends_files(value)


def conversation(**fields: Any) -> Talk:
    return Talk(tools=FakeTools(articles=ARTICLES), **fields)


@settings(max_examples=300)
@given(st.lists(STEPS, min_size=1, max_size=14), st.sampled_from(["none", "active", "resolved"]))
def test_any_conversation_keeps_the_promises(steps: list[tuple[str, Any]], before: str) -> None:
    talk = conversation(requests=(request(),) if before != "none" else ())
    if before == "active":
        talk.active = request()
    elif before == "resolved":
        talk.resolved = request(status="resolved")
    question: Say | None = None
    for kind, value in steps:
        turn = step(talk, kind, value)  # the harness checks that the state survives JSON
        assert len(turn.state.asked) <= 3
        assert len(set(turn.state.asked)) == len(turn.state.asked)
        assert len(turn.state.shown) == len(set(turn.state.shown))
        assert sum(isinstance(action, OpenTicket) for action in turn.actions) <= 1
        repeated = question_of(turn)
        if repeated is not None and repeated == question:
            assert len(turn.replies) > 1, "a question came twice in a row with nothing between"
        question = repeated
        if turn.state.phase is not Phase.IDLE:
            assert turn.replies, "a dialogue that waits has said for what"


@given(st.lists(st.sampled_from(["не знаю", "HP 305", "третий этаж", "у всех", "+7 912 345-67-89", "пропустить"]), min_size=6, max_size=10))
def test_a_long_form_asks_three_questions_at_most(answers: list[str]) -> None:
    # Words drawn at random seldom come as far as a fourth question, so here every word is an answer.
    talk = conversation()
    talk.says("Сломался принтер")
    talk.hears(Heard(press=Press("not_it")))
    for answer in answers:
        assert len(talk.says(answer).state.asked) <= 3


@given(st.lists(st.sampled_from(["ыыы", "что", "123", "?!", "хм", "no idea what you mean"]), min_size=2, max_size=6))
def test_a_question_that_is_not_understood_is_put_in_other_words_each_time(answers: list[str]) -> None:
    # Here too chance alone seldom fails twice in a row at the same question.
    talk = conversation()
    talk.says("Сломался принтер")
    talk.hears(Heard(press=Press("not_it")))
    question: Say | None = None
    for answer in answers:
        turn = talk.says(answer)
        repeated = question_of(turn)
        assert repeated is None or repeated != question or len(turn.replies) > 1
        question = repeated


@settings(max_examples=150)
@given(st.lists(STEPS, max_size=10), st.sampled_from(["оператор", "human", "/human", "button"]))
def test_a_person_is_reachable_from_anywhere(steps: list[tuple[str, Any]], way: str) -> None:
    talk = conversation()
    for kind, value in steps:
        step(talk, kind, value)
    if way == "/human":
        talk.commands("human")
    elif way == "button":
        talk.hears(Heard(press=Press("human")))
    else:
        talk.says(way)
    assert talk.did(HandOver) == [HandOver("person_asked")]
    assert talk.state == DialogueState()


@settings(max_examples=100)
@given(st.lists(STEPS, max_size=10), st.sampled_from(["отмена", "/cancel", "button"]))
def test_every_state_has_an_exit(steps: list[tuple[str, Any]], way: str) -> None:
    talk = conversation()
    for kind, value in steps:
        step(talk, kind, value)
    if talk.state.phase in BUILDING:
        turn = (
            talk.commands("cancel") if way == "/cancel" else talk.hears(Heard(press=Press("cancel"))) if way == "button" else talk.says(way)
        )
        assert turn.state == DialogueState()


@settings(max_examples=100)
@given(st.text(max_size=300), st.one_of(st.none(), st.text(max_size=60)), st.sampled_from([Manner.MAIL, Manner.FORM]), st.integers(-1, 3))
def test_letters_and_pages_take_any_text(text: str, subject: str | None, manner: Manner, files: int) -> None:
    talk = conversation(manner=manner)
    talk.hears(Heard(text=text, subject=subject, attachments=files))
    talk.hears(Heard(text=text, subject=subject, attachments=files, category="hardware.printer", slots={"device": text}))
    for turn in talk.turns:
        for action in turn.actions:
            if isinstance(action, OpenTicket):
                assert 0 < len(action.subject) <= 80
                assert len(action.questions) <= 3


@given(st.text(max_size=500), st.sampled_from(list(Phase)))
def test_the_same_input_gives_the_same_turn(text: str, phase: Phase) -> None:
    state = DialogueState(
        phase=phase, text="Сломался принтер", category="hardware.printer", pending="device", asked=("device",), ticket_id="t1"
    )
    assert conversation(state=state).says(text) == conversation(state=state).says(text)
