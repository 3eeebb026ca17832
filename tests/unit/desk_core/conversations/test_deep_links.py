"""Links to a bot's chat: made, and found again in what people paste."""

import pytest

from desk_core.conversations.deep_links import deep_link, is_link, payloads


def test_what_is_made_is_found() -> None:
    link = deep_link("desk_bot", "go-a_B-9")
    assert is_link(f" {link}\n")
    assert payloads(f"раз {link}, два {link}.") == ["go-a_B-9", "go-a_B-9"]


@pytest.mark.parametrize("text", ["telegram.me/desk_bot?start=x", "http://t.me/desk_bot?start=x", "t.me/desk_bot?start=x"])
def test_other_spellings_are_links_too(text: str) -> None:
    assert is_link(text)
    assert payloads(text) == ["x"]


@pytest.mark.parametrize("text", ["", "привет", "https://t.me/desk_bot", "https://t.me/desk_bot?start=", "https://evil.example/?start=x"])
def test_what_is_none_is_none(text: str) -> None:
    assert not is_link(text)


def test_of_what_is_left_of_a_link_the_payload_is_found() -> None:
    assert payloads("tg://resolve?domain=desk_bot&start=go-1 и ещё ?start=go-2") == ["go-1", "go-2"]
    assert not is_link("?start=go-2")
