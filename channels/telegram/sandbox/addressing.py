"""What every method that touches a chat asks first: which chat, which topic, which message, and whether the bot may."""

from channels.telegram.sandbox.chats import GENERAL_TOPIC, Chat, Json, Message, Standing, Topic
from channels.telegram.sandbox.parameters import Parameters
from channels.telegram.sandbox.refusals import bad_request, forbidden
from channels.telegram.sandbox.state import Bot


def chat_of(bot: Bot, params: Parameters, *, name: str = "chat_id") -> Chat:
    """The chat a call names; a bot cannot write first, so Telegram knows no chat that the person has not opened."""
    if not params.has(name):
        raise bad_request(f"{name} is empty")
    wanted = params.text(name)
    chat = bot.chats.get(int(wanted)) if wanted.removeprefix("-").isdecimal() else None
    if chat is None:
        raise bad_request("chat not found")
    return chat


def must_be_inside(chat: Chat) -> None:
    """Refuse what a bot does in a chat that it was put out of."""
    if chat.user is not None:
        if chat.user.deactivated:
            raise forbidden("user is deactivated")
        if chat.blocked:
            raise forbidden("bot was blocked by the user")
        return
    match chat.bot_member().standing:
        case Standing.BANNED:
            raise forbidden("bot was kicked from the supergroup chat")
        case Standing.LEFT:
            raise forbidden("bot is not a member of the supergroup chat")
        case Standing.OWNER | Standing.ADMINISTRATOR | Standing.MEMBER:
            return


def must_have_right(chat: Chat, right: str, *, to: str) -> None:
    """Refuse what only administrators with this right do; in a private chat nobody is one, and nobody is needed."""
    must_be_inside(chat)
    if not chat.is_private and not chat.bot_member().may(right):
        raise bad_request(f"not enough rights to {to}")


def topic_to_write_in(chat: Chat, topic_id: int) -> Topic:
    """The topic a message goes to. The General topic takes no id, as in the real API."""
    topic = chat.topics.get(topic_id) if chat.has_topics else None
    if topic is None or topic_id == GENERAL_TOPIC:
        raise bad_request("message thread not found")
    if topic.closed and not (topic.by_bot or chat.bot_member().may("can_manage_topics")):
        raise bad_request("TOPIC_CLOSED")
    return topic


def message_of(chat: Chat, params: Parameters, *, name: str = "message_id", missing: str) -> Message:
    if not params.has(name):
        raise bad_request("message identifier is not specified")
    message = chat.messages.get(params.integer(name))
    if message is None:
        raise bad_request(missing)
    return message


def placed(topic: Topic | None) -> Json:
    """What a message in a topic says of it."""
    if topic is None or topic.id == GENERAL_TOPIC:
        return {}
    return {"message_thread_id": topic.id, "is_topic_message": True}
