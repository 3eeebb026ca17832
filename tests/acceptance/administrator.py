"""The desk's administrator at the console: a browser without JavaScript, logged in by the form."""

from typing import TYPE_CHECKING, Any, Self

from tests.acceptance.visitor import Page, Visitor

if TYPE_CHECKING:
    from tests.acceptance.house import House

EMAIL, PASSWORD = "admin@desk.test", "not-a-secret"


class Administrator(Visitor):
    """Changes how the bot of a house is connected, as the page of the bot offers it."""

    def __init__(self, house: "House", *, bot: str) -> None:
        super().__init__(house)
        self._path = f"/console/settings/telegram/{bot}"

    async def logs_in(self) -> Self:
        page = await self.sends(await self.opens("/login"), "/login", {"email": EMAIL, "password": PASSWORD})
        assert page.status == 200, page.text
        return self

    async def bot(self) -> Page:
        return await self.opens(self._path)

    async def sets_bot(self, **values: str) -> Page:
        """Change these fields of the bot's page and save it with all the others as they stand."""
        page = await self.sends(await self.bot(), self._path, values)
        assert (page.status, "saved=" in page.url) == (200, True), page.text
        return page

    async def checks_bot(self) -> Page:
        """What the page says once its button "Check" is pressed."""
        form: dict[str, Any] = (await self.bot()).form(self._path).values
        return self._page(await self._client.post(f"{self._path}/check", data=form))
