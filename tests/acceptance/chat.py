"""A person in Telegram as the stories need them: says and presses by meaning, and knows what the desk made of it."""

import re
from typing import TYPE_CHECKING, Any, Self

from channels.telegram.sandbox.person import Json, Matching, Person, buttons
from nlu import labels

if TYPE_CHECKING:
    from tests.acceptance.house import House

MOST_QUESTIONS = 3
PATIENCE = 30.0
"""Seconds; a busy machine answers late, and a story that fails is no worse for failing late."""


class Chat(Person):
    """`Person` with the desk's own words for buttons, in the person's language."""

    def __init__(self, house: "House", url: str, key: str, *, language: str, first_name: str, group: int | None = None) -> None:
        super().__init__(f"{url}/sandbox/telegram", key, language=language, first_name=first_name, client=house.http, group=group)
        self._house, self._url, self.key = house, url, key
        self.language = language

    def in_group(self, group: int) -> "Chat":
        """The same person where they sit in a group."""
        return Chat(self._house, self._url, self.key, language=self.language, first_name=str(self.user["first_name"]), group=group)

    async def joins(self) -> Self:
        await super().joins()
        return self

    async def hears(self, *, timeout: float = PATIENCE, matching: Matching = None, edited: bool = False) -> Json:
        return await super().hears(timeout=timeout, matching=matching, edited=edited)

    @property
    def address(self) -> str:
        return str(self.id)

    def word(self, name: str) -> str:
        """The label of a button by its name."""
        return labels.label(self.language, name)

    async def chooses(self, name: str, *, message_id: int | None = None) -> str | None:
        """Press the newest button with this name (`send`, `not_it`, ...)."""
        return await self.presses(self.word(name), message_id=message_id)

    async def hears_reply(self, key: str, *, timeout: float = PATIENCE) -> Json:
        """The next message that is this reply of the desk."""
        return await self.hears(matching=await self._house.phrase(key, self.language), timeout=timeout)

    async def hears_buttons(self, name: str, *, timeout: float = PATIENCE) -> Json:
        """The next message that carries this button."""
        return await self.hears(matching=lambda message: self.word(name) in buttons(message), timeout=timeout)

    async def reports(self, text: str, *answers: str) -> int:
        """Tell a problem, leave the articles, answer what is asked, send the card; the number of the request."""
        await self.says(text)
        card = await self.reaches_card(*answers)
        await self.chooses("send", message_id=card["message_id"])
        return await self.hears_number()

    async def reaches_card(self, *answers: str) -> Json:
        """From whatever the bot says next to the summary card; unanswered questions are skipped."""
        left = list(answers)
        for _ in range(MOST_QUESTIONS + 3):
            # A step that was answered by a button changes in place.
            said = await self.hears(matching=lambda message: bool({*buttons(message)} & self._ways_on()), edited=True)
            shown = {*buttons(said)}
            if self.word("send") in shown:
                return said
            if self.word("not_it") in shown:
                await self.chooses("not_it", message_id=said["message_id"])
            elif left:
                await self.says(left.pop(0))
            else:
                await self.chooses("skip", message_id=said["message_id"])
        raise AssertionError(f"no card after {MOST_QUESTIONS} questions")

    def _ways_on(self) -> set[str]:
        return {self.word(name) for name in ("send", "not_it", "skip")}

    async def hears_number(self) -> int:
        """The number in the next message that names one."""
        said = await self.hears(matching=re.compile(r"#\d{4,}"))
        found = re.search(r"#(\d{4,})", said["text"])
        assert found is not None
        return int(found[1])

    async def mark_on(self, message: Json) -> str | None:
        """The bot's reaction on a message."""
        shown = next(one for one in await self.chat() if one["message_id"] == message["message_id"])
        mark: str | None = shown.get("reactions", {}).get("bot")
        return mark

    async def is_marked(self, message: Json, mark: str) -> bool:
        return await self.mark_on(message) == mark

    async def tickets(self) -> list[dict[str, Any]]:
        return await self._house.tickets(self.address)

    async def only_ticket(self) -> dict[str, Any]:
        found = await self.tickets()
        assert len(found) == 1, f"{len(found)} requests instead of one"
        return await self._house.ticket(found[0]["number"])
