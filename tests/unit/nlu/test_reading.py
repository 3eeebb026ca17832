"""Words typed in the wrong layout or in Latin letters are read as they were meant, and everything else stands."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlu.reading import is_mashed, meant
from nlu.turn import Phase
from nlu.understood import Intent
from tests.fakes.talk import Talk


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("ghbdtn", "привет"),
        ("yt gtxfnftn ghbynth", "не печатает принтер"),
        ("Yt hf,jnftn gjxnf.", "Не работает почта."),
        ("z gjvy. gfhjkm", "я помню пароль"),
        ("jgthfnjh", "оператор"),
        ("руддщ", "hello"),
        ("ьн зкштеук вщуы тще цщкл", "my printer does not work"),
        ("ne pechataet printer", "не печатает принтер"),
        ("ne mogu voyti v pochtu", "не могу войти в почту"),
        ("Privet", "привет"),
        ("ne rabotaet printer na 3 etazhe", "не работает принтер на 3 етаже"),
        ("yt hf,jnftn ghbynth 305", "не работает принтер 305"),
        ("yt pfgecrftncz Outlook", "не запускается Outlook"),
        ("komputer ochen silno shumit", "компутер очен силно шумит"),
        ("1c ytljcnegyf", "1с недоступна"),
    ],
)
def test_what_was_meant_is_read(typed: str, read: str) -> None:
    assert meant(typed) == read


@pytest.mark.parametrize(
    "typed",
    [
        "", "Не печатает принтер", "My printer does not print", "HP LaserJet", "Kaspersky", "Outlook", "VPN", "no internet", "operator",
        "the printer on floor 3 is down",
        "nb-00871", "win10 laptop", "zoom teams outlook", "internet is down", "ivan.petrov@example.ru", "https://ghbdtn.ru", "srv-ghbdtn01",
        "Wie geht es Ihnen", "1C", "call an operator",
    ],
)  # fmt: skip
def test_what_reads_well_stands(typed: str) -> None:
    assert meant(typed) is None


@pytest.mark.parametrize("typed", ["ывапролд", "фывфыв", "asdfgh", "zxcvbn", "qwerty", "ааааа", "фыва фыва"])
def test_keys_struck_in_rows_are_no_words(typed: str) -> None:
    assert is_mashed(typed)


@pytest.mark.parametrize("typed", ["принтер", "type", "flash", "power", "property", "три", "ок", "", "не работает", "VPN", "пароль"])
def test_words_are_not_taken_for_struck_keys(typed: str) -> None:
    assert not is_mashed(typed)


@given(st.text(max_size=600))
def test_any_text_is_read_or_stands(text: str) -> None:
    read = meant(text)
    assert read is None or read.strip()
    is_mashed(text)


def test_the_bot_says_how_it_read_and_goes_on_in_russian() -> None:
    talk = Talk(contact_language="en")
    turn = talk.says("yt gtxfnftn ghbynth")
    assert talk.replied()[0] == "read_as"
    assert (turn.language, turn.state.category, turn.state.text) == ("ru", "hardware.printer", "не печатает принтер")


def test_an_operator_is_understood_in_the_wrong_layout() -> None:
    assert Talk().says("jgthfnjh").intent is Intent.HUMAN


def test_a_free_answer_stays_as_it_was_typed() -> None:
    talk = Talk()
    talk.says("Сломался принтер")
    turn = talk.says("rf,bytn nhb")
    assert turn.state.slots["device"] == "rf,bytn nhb"
    assert talk.says("jnvtyf").state.phase is Phase.IDLE


def test_struck_keys_are_not_understood_then_an_example_then_a_person() -> None:
    talk = Talk()
    talk.says("фывфыв")
    assert talk.replied() == ("not_understood",)
    talk.says("ывапролд")
    assert talk.replied() == ("example",)
    assert talk.says("asdfgh").intent is Intent.UNKNOWN
    assert talk.replied() == ("human",)
