"""One mailbox, however its address is written."""

import pytest

from desk_core.conversations.addresses import one_spelling, spellings, without_plus


def test_plus_addresses_belong_to_their_inbox() -> None:
    assert without_plus("Support+Token@X.Example") == "support@x.example"


@pytest.mark.parametrize("written", ["Помощь@Фирма.рф", " помощь@фирма.рф ", "помощь@XN--80APMPS.xn--p1ai", "помощь@xn--80apmps.xn--p1ai"])
def test_case_and_the_spelling_of_the_domain_make_no_difference(written: str) -> None:
    assert one_spelling(written) == "помощь@xn--80apmps.xn--p1ai"
    assert set(spellings([written])) >= {"помощь@xn--80apmps.xn--p1ai", "помощь@фирма.рф"}


def test_every_address_is_told_once_in_each_of_its_spellings() -> None:
    assert spellings(["Help@Desk.Example", "help@desk.example"]) == ("help@desk.example",)
    assert spellings(["it@фирма.рф"]) == ("it@фирма.рф", "it@xn--80apmps.xn--p1ai")


@pytest.mark.parametrize("odd", ["", "nobody", "a@", "a@..рф", "a@xn--\u044f", "a@xn--999999999", "x" * 80 + "@" + "я" * 80])
def test_what_is_no_address_stays_what_it_is(odd: str) -> None:
    assert one_spelling(odd) == odd
    assert odd in spellings([odd])
