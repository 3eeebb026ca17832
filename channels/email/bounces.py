"""Delivery reports: which of our mails, which address, for good or for now, in whose words. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from channels.email.mime import Part, header_text, headers_of, split_head
from channels.email.threading import read_token


@dataclass(frozen=True, slots=True)
class Bounce:
    """`message_id` is the Message-ID of the mail that came back, ours where it can be told."""

    message_id: str | None
    address: str | None
    permanent: bool
    reason: str
    status: str | None


_SUBJECT = re.compile(
    r"undeliver|delivery (?:status notification|failure|has failed|problem|notification)|mail delivery (?:failed|system|subsystem)|"
    r"returned mail|failure notice|failed delivery|mail failed|errors from|"
    r"delivery error|mail failure|could not be delivered|non remis|unzustellbar|warning: could not send|"
    r"message .{1,80} delayed|"
    r"не доставлен|недоставлен|не удалось доставить|не может быть доставлен|невозможно доставить|ошибка доставки|возвращенн",
    re.IGNORECASE,
)
_ROBOT = re.compile(r"^(?:mailer-daemon|mailer_daemon|postmaster|mail-daemon|maildaemon|bounce[sd]?|mdaemon)(?:[+.=-].*)?@", re.IGNORECASE)
_ID = re.compile(r"<([^<>\s]{3,300}@[^<>\s]{1,200})>")
_ADDRESS = re.compile(r"[\w.+'=-]{1,64}@[\w-]+(?:\.[\w-]+)+")
_STATUS = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_CODE = re.compile(r"\b([45]\d\d)[ -][^\n]{3,300}")


def from_robot(address: str) -> bool:
    """Whether mail servers write from this address."""
    return bool(_ROBOT.match(address))


def find(root: Part, *, sender: str, subject: str, text: str, own: Sequence[str], secret: bytes) -> Bounce | None:
    """The report in this mail, RFC 3464 or the free words of a mail server; None where it is no report."""
    report_type = root.params.get("report-type", "").lower()
    status_part = next((part for part in root.walk() if part.type in {"message/delivery-status", "message/global-delivery-status"}), None)
    if status_part is not None and report_type in {"delivery-status", ""}:
        return _from_status(root, status_part, text, secret)
    nameless = sender.endswith("@invalid") or root.get("return-path").replace(" ", "") == "<>"
    robot = from_robot(sender) or nameless or root.raw("x-failed-recipients") is not None
    if root.raw("x-failed-recipients") is not None or (robot and _SUBJECT.search(subject)):
        return _from_words(root, text, own, secret)
    return None


def _from_status(root: Part, status_part: Part, text: str, secret: bytes) -> Bounce:
    fields: dict[str, str] = {}
    blocks = re.split(rb"\r?\n[ \t]*\r?\n", status_part.content().strip())
    # The first recipient that failed matters most; the block of the message itself comes before.
    for block in blocks[:200]:
        found = {name: header_text(value) for name, value in headers_of(block)}
        if fields.get("action") in {"failed", "delayed"} and "action" in found:
            continue
        fields.update(found)
    address = _after_semicolon(fields.get("original-recipient") or fields.get("final-recipient") or "")
    match = _ADDRESS.search(address)
    status = _STATUS.search(fields.get("status", "")) or _STATUS.search(fields.get("diagnostic-code", ""))
    action = fields.get("action", "").split("(")[0].strip().lower()
    reason = _after_semicolon(fields.get("diagnostic-code", "")) or _server_words(text) or fields.get("status", "") or action
    permanent = (
        action == "failed" if action in {"failed", "delayed", "delivered", "relayed", "expanded"} else not (status and status[1][0] == "4")
    )
    # "Failed" with a 4.x.x status means that a server gave up for now, such as a full mailbox; writing again may succeed.
    if status and status[1].startswith("4") and action != "failed":
        permanent = False
    return Bounce(_returned_id(root, secret), match[0].lower() if match else None, permanent, reason[:500], status[1] if status else None)


def _from_words(root: Part, text: str, own: Sequence[str], secret: bytes) -> Bounce:
    failed = root.get("x-failed-recipients")
    mine = {address.lower() for address in own}
    addresses = [found for found in _ADDRESS.findall(failed or text[:20_000]) if found.lower() not in mine and not from_robot(found)]
    reason = _server_words(text)
    status = _STATUS.search(text[:20_000])
    code = status[1] if status else None
    temporary = bool(code and code.startswith("4")) or bool(
        re.search(r"delayed|will be retried|warning:|задержан", text[:3000], re.IGNORECASE)
    )
    return Bounce(
        _returned_id(root, secret), addresses[0].lower() if addresses else None, not temporary, (reason or text.strip())[:500], code
    )


def _returned_id(root: Part, secret: bytes) -> str | None:
    """The Message-ID of the returned mail: its own header, then any id of ours anywhere in the report."""
    candidates: list[str] = []
    for part in root.walk():
        if part.type in {"message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers", "text/rfc822"}:
            head, _ = split_head(part.content().lstrip(b"\r\n"))
            candidates += [found for name, value in headers_of(head) if name == "message-id" for found in _ID.findall(header_text(value))]
    for name in ("in-reply-to", "references"):
        candidates += _ID.findall(root.get(name))
    first = candidates[0] if candidates else None
    for part in root.walk():
        if part.type.startswith("text/") or part.type.startswith("message/"):
            candidates += _ID.findall(part.content()[:200_000].decode("latin-1"))
    return next((found for found in candidates if read_token(found, secret)), first)


def _server_words(text: str) -> str:
    match = _CODE.search(text[:20_000])
    return match[0].strip() if match else ""


def _after_semicolon(value: str) -> str:
    """`smtp; 550 no such user` -> `550 no such user`."""
    kind, separator, rest = value.partition(";")
    return rest.strip() if separator and " " not in kind.strip() else value.strip()
