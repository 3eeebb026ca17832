"""The arithmetic of the blind check: what counts as right, and among how many."""

from benchmarks.blind import Answer, Case, figures, is_slot, misses

PRINTER = Case("a", "не печатает", "ru", "report", "hardware.printer", slots={"printer_trouble": "no_print", "approver": "Орлов Дмитрий"})
TWO = Case("b", "no vpn, also no mouse", "en", "report", "network.vpn", also="hardware.peripherals")
PIZZA = Case("c", "pizza please", "en", "out_of_scope", None, out_of_scope=True)
HELLO = Case("d", "привет", "ru", "greet", None)


def values(*judged: tuple[Case, Answer]) -> dict[str, float]:
    return {row.name: row.value for row in figures(judged)}


def test_all_right_is_a_hundred_percent() -> None:
    told = values(
        (PRINTER, Answer("ru", "report", ("hardware.printer",), slots={"printer_trouble": "no_print", "approver": "Дмитрий Орлов"})),
        (TWO, Answer("en", "report", ("hardware.peripherals", "network.vpn"), split=True)),
        (PIZZA, Answer("en", "out_of_scope")),
        (HELLO, Answer("ru", "greet")),
    )
    assert told == {
        "category, first (2)": 100, "category, among three (2)": 100, "intent (4)": 100, "language (4)": 100,
        "out of scope, found (1)": 100, "out of scope, false alarm (3)": 0, "out of scope or not, right of all (4)": 100,
        "two problems, noticed (1)": 100, "two problems, false alarm (3)": 0,
        "slots in the text, found (2)": 100, "slots in the text, wrong (2)": 0,
    }  # fmt: skip


def test_each_miss_is_counted_where_it_belongs() -> None:
    told = values(
        (PRINTER, Answer("en", "out_of_scope", ("a", "b", "hardware.printer"), split=True, slots={"printer_trouble": "jam"})),
        (PIZZA, Answer("ru", "report", ("mail.trouble",))),
    )
    assert (told["category, first (1)"], told["category, among three (1)"], told["intent (2)"], told["language (2)"]) == (0, 100, 0, 0)
    assert (told["out of scope, found (1)"], told["out of scope, false alarm (1)"]) == (0, 100)
    assert (told["two problems, false alarm (2)"], told["slots in the text, found (2)"], told["slots in the text, wrong (2)"]) == (
        50,
        0,
        50,
    )


def test_a_value_may_stand_with_more_words_and_in_another_order_but_not_be_another() -> None:
    assert is_slot("Visio", "Microsoft Visio")
    assert is_slot("Everest", "room Everest")
    assert not is_slot("Visio", "Word")
    assert not is_slot("Visio", "")


def test_a_miss_names_what_was_wanted_and_what_came() -> None:
    assert misses([(HELLO, Answer("ru", "greet"))]) == []
    (line,) = misses([(PIZZA, Answer("ru", "report"))])
    assert "intent out_of_scope: report; language en: ru" in line
