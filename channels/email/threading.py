"""How an answer finds its conversation: tokens of ours, signed, in Message-IDs and plus-addresses. Pure."""

import base64
import binascii
import hashlib
import hmac
import re
from uuid import UUID

_MARK = "p"  # first letter of every token of ours
_SIGNATURE_BYTES = 10
_LONGEST_LOCAL = 64
_TOKEN = re.compile(r"^p([a-z2-7]{2,120})-([a-z2-7]{16})$")
_NUMBER = re.compile(r"\[#\s?(\d{1,10})\]|(?<![\w#&/])#(\d{3,10})\b")


def sign_token(conversation: str, secret: bytes) -> str:
    """A token for a plus-address: lower-case letters and digits only, because mail servers change case."""
    packed = _pack(conversation)
    return f"{_MARK}{packed}-{_signature(packed, secret)}"


CHECK = "checkup"
"""In the place of a conversation: the letter by which the desk checks an inbox."""


def read_token(text: str, secret: bytes) -> str | None:
    """The conversation behind a token, a plus-address that holds one or a Message-ID of ours; None for anything else or forged."""
    local = text.strip().strip("<>").rpartition("@")[0] or text.strip()
    candidate = local.rpartition("+")[2].rpartition(".")[2].lower()
    match = _TOKEN.match(candidate)
    if not match or not hmac.compare_digest(match[2], _signature(match[1], secret)):
        return None
    return _unpack(match[1])


def make_message_id(message_id: str, conversation_token: str, domain: str, secret: bytes) -> str:
    """The Message-ID (without brackets) of a mail we send: the same for each attempt of the same message."""
    return f"{_pack(message_id)}.{sign_token(conversation_token, secret)}@{domain}"


def plus_address(address: str, conversation_token: str, secret: bytes) -> str:
    """`support@x` -> `support+<token>@x`."""
    local, _, domain = address.rpartition("@")
    return f"{local.partition('+')[0]}+{sign_token(conversation_token, secret)}@{domain}"


def bounce_address(address: str, conversation_token: str, secret: bytes) -> str:
    """Where reports about mail of this conversation come back to (VERP); the plain address where that is too long (RFC 5321, 4.5.3.1)."""
    told = plus_address(address, conversation_token, secret)
    return told if len(told.rpartition("@")[0]) <= _LONGEST_LOCAL else address


def number_in_subject(subject: str) -> int | None:
    """The request number a subject names, `[#1042]` before a bare `#1042`. Only a hint: whoever types it must own it."""
    found = list(_NUMBER.finditer(subject))
    for match in found:
        if match[1]:
            return int(match[1])
    return int(found[0][2]) if found else None


def tagged_subject(subject: str, number: int | None, *, answer: bool) -> str:
    """`Re: [#1042] subject`, with one "Re:" and one tag whatever was there before."""
    bare = re.sub(r"\[#\s?\d{1,10}\]\s*", "", " ".join(subject.split()))
    while match := re.match(r"^(?:re|aw|sv|ответ|відп|на)(?:\[\d+\])?\s?:\s*", bare, re.IGNORECASE):
        bare = bare[match.end() :]
    tagged = f"[#{number}] {bare}".strip() if number is not None else bare
    return f"Re: {tagged}" if answer else tagged


def _signature(packed: str, secret: bytes) -> str:
    digest = hmac.new(secret, b"mail-thread:" + packed.encode(), hashlib.sha256).digest()[:_SIGNATURE_BYTES]
    return base64.b32encode(digest).decode().lower()


def _pack(value: str) -> str:
    # Ids are UUIDs, 26 letters packed; the local part of an address may have only 64.
    try:
        content = b"\x01" + UUID(value).bytes if str(UUID(value)) == value else b"\x02" + value.encode()
    except ValueError:
        content = b"\x02" + value.encode()
    return base64.b32encode(content).decode().rstrip("=").lower()


def _unpack(packed: str) -> str | None:
    try:
        content = base64.b32decode(packed.upper() + "=" * (-len(packed) % 8))
        return str(UUID(bytes=content[1:])) if content[:1] == b"\x01" else content[1:].decode()
    except (binascii.Error, ValueError):
        return None
