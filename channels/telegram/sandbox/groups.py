"""Groups: what bots ask about them, and how the pretend people come, go and change what the bot may."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from channels.telegram.sandbox.addressing import chat_of, must_be_inside
from channels.telegram.sandbox.chats import ADMINISTRATOR_RIGHTS, GENERAL_TOPIC, Chat, Json, Member, Standing, Topic, User
from channels.telegram.sandbox.icons import ICON_COLORS
from channels.telegram.sandbox.parameters import Parameters
from channels.telegram.sandbox.refusals import bad_request
from channels.telegram.sandbox.state import Bot, World

_NO_GIFTS: Final = {
    "unlimited_gifts": False,
    "limited_gifts": False,
    "unique_gifts": False,
    "premium_subscription": False,
    "gifts_from_channels": False,
}


class GroupMethods:
    """Chats and their members as bots see them; one method of the class for each method of the API."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.table: dict[str, Callable[[Bot, Parameters], Any]] = {
            "getchat": self.get_chat,
            "getchatmember": self.get_member,
            "getchatadministrators": self.get_administrators,
            "getchatmembercount": lambda bot, params: len(_inside(self._chat(bot, params))),
            "leavechat": self.leave,
        }

    def get_chat(self, bot: Bot, params: Parameters) -> Json:
        chat = chat_of(bot, params)
        must_be_inside(chat)
        card: Json = {**chat.as_json(), "accent_color_id": 0, "max_reaction_count": 11, "accepted_gift_types": _NO_GIFTS}
        if not chat.is_private:
            card["permissions"] = {"can_send_messages": True, "can_pin_messages": True, "can_manage_topics": False}
        if chat.pinned:
            card["pinned_message"] = chat.messages[chat.pinned[-1]].as_answered()
        return card

    def get_member(self, bot: Bot, params: Parameters) -> Json:
        chat = chat_of(bot, params)
        must_be_inside(chat)
        wanted = params.integer("user_id")
        if chat.user is not None:
            user = next((user for user in (chat.user.as_json(), bot.as_json()) if user["id"] == wanted), None)
            if user is None:
                raise bad_request("user not found")
            return Member(user).as_json()
        if member := chat.members.get(wanted):
            return member.as_json()
        if stranger := self._world.users.get(wanted):
            return Member(stranger.as_json(), Standing.LEFT).as_json()
        raise bad_request("user not found")

    def get_administrators(self, bot: Bot, params: Parameters) -> list[Json]:
        chat = self._chat(bot, params)
        return [member.as_json() for member in chat.members.values() if member.is_administrator]

    def leave(self, bot: Bot, params: Parameters) -> bool:
        chat = self._chat(bot, params)
        chat.members[bot.id] = Member(bot.as_json(), Standing.LEFT)
        return True

    def _chat(self, bot: Bot, params: Parameters) -> Chat:
        chat = chat_of(bot, params)
        must_be_inside(chat)
        if chat.is_private:
            raise bad_request("there are no administrators in the private chat")
        return chat


class Gathering:
    """The people's side of groups; the bot hears of it by `my_chat_member`, `chat_member` and service messages."""

    def __init__(self, world: World) -> None:
        self._world = world

    def found(self, bot: Bot, owner: User, *, title: str, is_forum: bool, members: Iterable[User]) -> Chat:
        """A group of these people to which the owner has added the bot."""
        chat = self._world.add_group(bot, title=title, is_forum=is_forum)
        if is_forum:
            chat.topics[GENERAL_TOPIC] = Topic(GENERAL_TOPIC, "General", ICON_COLORS[0], by_bot=False)
        chat.members[owner.id] = Member(owner.as_json(), Standing.OWNER)
        for user in members:
            chat.members.setdefault(user.id, Member(user.as_json()))
        self._tell(chat, owner, old=Member(bot.as_json(), Standing.LEFT), new=chat.bot_member())
        service = self._world.post(chat, {"new_chat_members": [bot.as_json()], "new_chat_member": bot.as_json()}, by=owner)
        self._world.give(bot, "message", service.body)
        return chat

    def set_standing(self, chat: Chat, who: Json, standing: Standing, *, rights: Iterable[str] | None = None, by: User) -> Member:
        """Take in, put out, promote or demote somebody (the bot too); an administrator has every right unless some are named."""
        old = chat.members.get(int(who["id"])) or Member(who, Standing.LEFT)
        chosen = frozenset(ADMINISTRATOR_RIGHTS if rights is None else rights) if standing is Standing.ADMINISTRATOR else frozenset()
        if unknown := chosen - frozenset(ADMINISTRATOR_RIGHTS):
            raise bad_request(f"no such right: {', '.join(sorted(unknown))}")
        new = Member(who, standing, chosen)
        chat.members[int(who["id"])] = new
        self._tell(chat, by, old=old, new=new)
        self._world.events.add("members", chat)
        return new

    def set_forum(self, chat: Chat, *, is_forum: bool) -> None:
        """Switch the topics of the group on or off."""
        chat.is_forum = is_forum
        if is_forum and GENERAL_TOPIC not in chat.topics:
            chat.topics[GENERAL_TOPIC] = Topic(GENERAL_TOPIC, "General", ICON_COLORS[0], by_bot=False)
        self._world.events.add("topics", chat)

    def _tell(self, chat: Chat, by: User, *, old: Member, new: Member) -> None:
        update: Json = {
            "chat": chat.as_json(),
            "from": by.as_json(),
            "date": self._world.seconds(),
            "old_chat_member": old.as_json(),
            "new_chat_member": new.as_json(),
        }
        about_the_bot = new.user["id"] == chat.bot.id
        if about_the_bot or chat.bot_member().is_administrator:
            self._world.give(chat.bot, "my_chat_member" if about_the_bot else "chat_member", update)


def _inside(chat: Chat) -> list[Member]:
    return [member for member in chat.members.values() if member.is_inside]
