"""aiogram imported lightly: little is built at import, everything works when it is used, and all of it can be built."""

import subprocess
import sys

LIGHTLY = """
import channels.telegram.light_aiogram
import aiogram.methods, aiogram.types
from aiogram.methods.base import Response
from pydantic import BaseModel

packages = (aiogram.types, aiogram.methods)
types = [getattr(package, name) for package in packages for name in package.__all__]
models = [one for one in types if isinstance(one, type) and issubclass(one, BaseModel)]
assert sum(one.__pydantic_complete__ for one in models) < len(models) / 4, "the types were built at import after all"
button = aiogram.types.InlineKeyboardButton(text="да", callback_data="yes")
sent = aiogram.methods.SendMessage(chat_id=1, text="приём", reply_markup=aiogram.types.InlineKeyboardMarkup(inline_keyboard=[[button]]))
assert sent.model_dump(exclude_none=True)["reply_markup"]["inline_keyboard"][0][0]["text"] == "да"
chat = {"id": 1, "type": "private"}
picture = '{"file_id": "a", "file_unique_id": "b", "width": 1, "height": 1}'
place = '"date": 1, "chat": {"id": 1, "type": "private"}'
earlier = '{"message_id": 6, ' + place + ', "photo": [' + picture + ']}'
answer = Response[aiogram.types.Message].model_validate_json(
    '{"ok": true, "result": {"message_id": 7, ' + place + ', "reply_to_message": ' + earlier + '}}'
)
assert answer.result.reply_to_message.photo[0].file_id == "a"
for one in models:
    one.model_rebuild()
    assert one.__pydantic_complete__, one
class Other(BaseModel):
    inner: "Inner"
class Inner(BaseModel):
    number: int
Other.model_rebuild()
assert Other.model_validate({"inner": {"number": 1}}).inner.number == 1
"""


def test_types_are_built_by_need_and_all_of_them_can_be() -> None:
    done = subprocess.run([sys.executable, "-c", LIGHTLY], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
