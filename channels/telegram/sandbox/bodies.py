"""Reading request bodies within limits, for the Bot API and for the people's side alike."""

import json
from typing import Any, Final

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.types import Message

from channels.telegram.sandbox.files import LARGEST_FILE, MEGABYTE
from channels.telegram.sandbox.parameters import Parameters, Upload
from channels.telegram.sandbox.refusals import bad_request, too_large

# Ten files of an album and their captions; each file is still checked against its own limit.
LARGEST_BODY: Final = 10 * LARGEST_FILE
LARGEST_JSON: Final = 4 * MEGABYTE


def limited(request: Request, limit: int) -> Request:
    """The same request, refused with 413 once its body grows over `limit` bytes."""
    receive = request.receive
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise too_large()
        return message

    return Request(request.scope, counted)


async def read_parameters(request: Request) -> Parameters:
    """Query and body of a Bot API call; what the body says wins."""
    values: dict[str, Any] = dict(request.query_params)
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind == "application/json":
        values |= await read_json(request)
        return Parameters(values)
    if kind not in ("multipart/form-data", "application/x-www-form-urlencoded"):
        return Parameters(values)
    uploads: dict[str, Upload] = {}
    async with limited(request, LARGEST_BODY).form(max_files=50, max_part_size=LARGEST_JSON) as form:
        for name, value in form.multi_items():
            if isinstance(value, UploadFile):
                uploads[name] = await read_upload(value)
            else:
                values[name] = value
    return Parameters(values, uploads)


async def read_json(request: Request) -> dict[str, Any]:
    """The body as a JSON object; an empty one stands for no parameters."""
    body = await limited(request, LARGEST_JSON).body()
    if not body:
        return {}
    try:
        parsed = json.loads(body)
    except ValueError:
        raise bad_request("can't parse request JSON object") from None
    if not isinstance(parsed, dict):
        raise bad_request("can't parse request: Object expected")
    return parsed


async def read_upload(file: UploadFile) -> Upload:
    if file.size is not None and file.size > LARGEST_FILE:
        raise too_large()
    return Upload(name=file.filename or "file", mime_type=file.content_type, data=await file.read())
