"""The content a bot puts into a message: text and caption with their entities, and files."""

from typing import Final

from channels.telegram.sandbox.chats import Json
from channels.telegram.sandbox.files import LARGEST_FILE, LARGEST_PHOTO, StoredFile, picture_size
from channels.telegram.sandbox.markup import formatted
from channels.telegram.sandbox.parameters import Parameters
from channels.telegram.sandbox.refusals import bad_request, too_large
from channels.telegram.sandbox.state import World

LONGEST_TEXT: Final = 4096
LONGEST_CAPTION: Final = 1024
FILE_KINDS: Final = ("photo", "document", "voice", "audio", "video", "animation", "video_note", "sticker")


def text_of(params: Parameters) -> tuple[str, list[Json]]:
    text, entities = formatted(params.text("text"), parse_mode=params.text("parse_mode"), entities=params.items("entities"))
    if not text:
        raise bad_request("message text is empty")
    if len(text) > LONGEST_TEXT:
        raise bad_request("message is too long")
    return text, entities


def caption_of(params: Parameters) -> Json:
    caption, entities = formatted(params.text("caption"), parse_mode=params.text("parse_mode"), entities=params.items("caption_entities"))
    if len(caption) > LONGEST_CAPTION:
        raise bad_request("message caption is too long")
    content: Json = {"caption": caption} if caption else {}
    if entities:
        content["caption_entities"] = entities
    return content


def file_of(world: World, params: Parameters, value: str, *, field: str, kind: str, duration: int = 0) -> StoredFile:
    """The file of a call: uploaded with it, or known by its id."""
    upload = params.uploads.get(value.removeprefix("attach://")) if value.startswith("attach://") else None
    upload = upload or params.uploads.get(field)
    if upload is None:
        return _file_by_id(world, value, kind=kind)
    if not upload.data:
        raise bad_request("file must be non-empty")
    if len(upload.data) > (LARGEST_PHOTO if kind == "photo" else LARGEST_FILE):
        raise bad_request("file is too big") if kind == "photo" else too_large()
    if kind == "photo" and picture_size(upload.data) is None:
        raise bad_request("IMAGE_PROCESS_FAILED")
    return world.files.put(upload.data, kind=kind, name=upload.name, mime_type=upload.mime_type, duration=duration)


def _file_by_id(world: World, value: str, *, kind: str) -> StoredFile:
    if not value:
        raise bad_request(f"there is no {kind} in the request")
    stored = world.files.get(value)
    if stored is None:
        # The sandbox makes no requests of its own, so a link is refused like an unknown id.
        raise bad_request("wrong file identifier/HTTP URL specified")
    if stored.kind != kind:
        raise bad_request(f"can't use file of type {stored.kind.title()} as {kind.title()}")
    return stored
