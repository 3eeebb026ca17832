"""Telegram's HTML as the sandbox reads it: what becomes an entity, what is refused, where offsets fall."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.telegram.sandbox.markup import formatted, parse_html, utf16_length, utf16_slice
from channels.telegram.sandbox.refusals import Refusal


def kinds(entities: list[dict[str, Any]]) -> list[tuple[str, int, int]]:
    return [(entity["type"], entity["offset"], entity["length"]) for entity in entities]


class TestMarkupBecomesEntities:
    def test_offsets_count_utf16_units(self) -> None:
        assert parse_html("😀<b>да</b>") == ("😀да", [{"type": "bold", "offset": 2, "length": 2}])

    def test_nested_marks_keep_the_outer_one_first(self) -> None:
        text, entities = parse_html("<b>a<i>b</i></b>")
        assert (text, kinds(entities)) == ("ab", [("bold", 0, 2), ("italic", 1, 1)])

    def test_a_block_of_code_knows_its_language(self) -> None:
        _, entities = parse_html('<pre><code class="language-sh">ls</code></pre>')
        assert entities == [{"type": "pre", "offset": 0, "length": 2, "language": "sh"}]

    def test_white_space_around_is_cut_and_marks_move_with_the_text(self) -> None:
        text, entities = parse_html("\n  <b> hi </b>\n")
        assert (text, kinds(entities)) == ("hi", [("bold", 0, 2)])

    def test_escapes_are_telegrams_few(self) -> None:
        assert parse_html("&lt;&amp;&quot;&#1071;&#x42F;&nbsp;")[0] == '<&"ЯЯ&nbsp;'

    def test_a_quote_may_fold(self) -> None:
        _, entities = parse_html("<blockquote expandable>x</blockquote>")
        assert kinds(entities) == [("expandable_blockquote", 0, 1)]

    def test_links_and_commands_are_found_but_not_inside_code(self) -> None:
        _, entities = formatted("/new <code>/old</code> a@b.ru", parse_mode="HTML", entities=None)
        assert kinds(entities) == [("bot_command", 0, 4), ("code", 5, 4), ("email", 10, 6)]


class TestMarkupIsRefused:
    @pytest.mark.parametrize("source", ["<b>", "</b>", "<b></i>", "<p>x</p>", "<b", "a<b>c</b", "<span>x</span>", "1 < 2"])
    def test_in_the_words_of_the_server(self, source: str) -> None:
        with pytest.raises(Refusal, match="can't parse entities"):
            parse_html(source)

    def test_other_modes_are_not_spoken(self) -> None:
        with pytest.raises(Refusal, match="unsupported parse_mode"):
            formatted("*x*", parse_mode="MarkdownV2", entities=None)


@given(st.text(alphabet="<>/bipre&;lt =\"'aя😀\n", max_size=40))
def test_any_source_is_read_or_refused_and_entities_stay_inside_the_text(source: str) -> None:
    try:
        text, entities = parse_html(source)
    except Refusal:
        return
    for entity in entities:
        assert 0 <= entity["offset"] < entity["offset"] + entity["length"] <= utf16_length(text)
        assert utf16_slice(text, entity["offset"], entity["length"])
