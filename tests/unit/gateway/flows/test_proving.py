"""What counts as an address, and as a code for it."""

import pytest

from gateway.flows.proving import plain_address, typed_code


@pytest.mark.parametrize(
    ("told", "address"),
    [
        ("anna@example.org", "anna@example.org"),
        (" Anna.B_c+x@Example.ORG ", "anna.b_c+x@example.org"),
        ("<anna@example.org>", "anna@example.org"),
        ("mailto:anna@example.org", "anna@example.org"),
        ("анна@почта.рф", "анна@почта.рф"),
        ("anna@example", None),
        ("anna@@example.org", None),
        ("anna@example.org, boris@example.org", None),
        ("моя почта anna@example.org", None),
        ("anna@example.org\nBcc: boris@example.org", None),
        ("a" * 250 + "@example.org", None),
        ("", None),
    ],
)
def test_an_address_is_one_address_and_nothing_else(told: str, address: str | None) -> None:
    assert plain_address(told) == address


@pytest.mark.parametrize(
    ("text", "digits", "said"),
    [
        ("123456", "123456", False),
        (" 123 456 ", "123456", False),
        ("123-456", "123456", False),
        ("код 123456", "123456", True),
        ("Код: 123 456", "123456", True),
        ("Code 123456.", "123456", True),
    ],
)
def test_a_code_is_six_digits_however_they_are_typed(text: str, digits: str, *, said: bool) -> None:
    assert typed_code(text) == (digits, said)


@pytest.mark.parametrize("text", ["12345", "1234567", "ошибка 123456", "123456 не работает", "12 34 56", "код", "١٢٣٤٥٦"])
def test_other_words_are_none(text: str) -> None:
    assert typed_code(text) is None
