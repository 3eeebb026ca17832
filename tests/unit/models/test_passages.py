"""Articles in pages: nothing is lost, and none is longer than a screen."""

from hypothesis import given
from hypothesis import strategies as st

from models.passages import PAGE_LIMIT, pages_of, parts_of

LINE = st.sampled_from(["# Раздел", "1. Откройте крышку", "- проверьте кабель", "", "слово " * 60, "Просто строка"])


@given(st.lists(LINE, max_size=80).map("\n".join))
def test_hold_every_line_in_order(body: str) -> None:
    pages = pages_of(body)
    lines = [line for part in parts_of(body) for line in part.lines]
    assert [line for page in pages for line in page.split("\n") if line] == lines
    assert all(len(page) <= PAGE_LIMIT for page in pages)
