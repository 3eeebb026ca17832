"""Delivery reports: which of our mails, which address, for good or for now, in whose words. Pure."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from channels.email.mime import Part, header_text, headers_of, split_head
from channels.email.robots import REPORTS, Behind, behind
from channels.email.threading import read_token
from desk_core.conversations.addresses import without_plus


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
    r"message .{1,80} delayed|failed mail|transient delivery|message you sent blocked|退信|"
    r"не доставлен|не был[оа]? доставлен|недоставлен|не удалось доставить|не может быть доставлен|невозможно доставить"
    r"|ошибка доставки|возвращенн",
    re.IGNORECASE,
)
# What a server says of a recipient, in the body of a report that has no other sign of being one.
_REFUSED = re.compile(
    r"\b5\d\d[ -](?:#?5\.\d{1,2}\.\d{1,2}|.{0,40}(?:no such user|user unknown|unknown user|mailbox|not taken|rejected|refused))|"
    r"rcpt to:.{0,200}(?:\n.{0,200}){0,2}\b5\d\d\b|\b5\d\d\b(?:.{0,200}\n){1,6}.{0,40}rcpt to:|"
    r"could not be delivered to|was aborted after|as their mailbox is full|are not (?:a )?member of this mailing list",
    re.IGNORECASE,
)
# The same in the words of a server, where neither the subject nor a number tells.
_NOT_DELIVERED = re.compile(
    r"(?:can ?not|could not|has not been|was not|not been) (?:be )?delivered|(?:was|been) blocked by|"
    r"не (?:может быть|был[оа]?|будет) доставлен|не удалось доставить|无法投递|配信できません",
    re.IGNORECASE,
)
_FOR_NOW = re.compile(
    r"delayed|will be retried|warning:|not yet been delivered|delay reason|transient|warning only|will continue (?:trying|to try)|"
    r"задержан|ещ[её] не доставлен|попытки (?:доставки )?(?:продолж|будут)",
    re.IGNORECASE,
)
_ID = re.compile(r"<([^<>\s]{3,300}@[^<>\s]{1,200})>")
_ADDRESS = re.compile(r"[\w.+'=-]{1,64}@[\w-]+(?:\.[\w-]+)+")
_STATUS = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_CODE = re.compile(r"\b([45]\d\d)[ -][^\n]{3,300}")


_NOTICE = re.compile(r'"bouncedRecipients"\s*:\s*\[\s*\{[^]]{0,400}?"emailAddress"\s*:\s*"([^"]{3,254})"')  # of a sending service, in JSON
_SAMPLE = 20_000


_RETURNED_TYPES = frozenset({"message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers", "text/rfc822"})
_MAIL = r"([\w.+'=/-]{1,64}@[\w-]+(?:\.[\w-]+)+)"
# Where a report names the address, surest first: alone on a line or before a colon, then after the words that announce it.
_NAMED = (
    re.compile(rf"^[ \t>*]{{0,8}}<?{_MAIL}>?[ \t]*(?::|\[|\(|$)", re.MULTILINE),
    re.compile(
        rf"(?:deliver(?:ed|ing)?(?: your (?:mail|message))? to|recipients?:?|rcpt to:|адресат\w*:?|получател\w*:?)\s*<?{_MAIL}",
        re.IGNORECASE,
    ),
    re.compile(rf"\b[45]\d\d[ -](?:[45]\.\d{{1,3}}\.\d{{1,3}} )?<{_MAIL}>", re.IGNORECASE),
)
_RETURNED = re.compile(
    r"^.{0,6}-{2,}.{0,40}(?:copy of the message|original message|returned message|unsent message|header of the original).{0,60}$|"
    r"^original message:|^message headers follow",
    re.IGNORECASE | re.MULTILINE,
)
_RECIPIENT = re.compile(rf"^to:[ \t]*.{{0,80}}?<?{_MAIL}", re.IGNORECASE | re.MULTILINE)


def find(root: Part, *, sender: str, subject: str, text: str, own: Sequence[str], secret: bytes) -> Bounce | None:
    """The report in this mail, RFC 3464 or the free words of a mail server; None where it is no report."""
    report_type = root.params.get("report-type", "").lower()
    status_part = next((part for part in root.walk() if part.type in {"message/delivery-status", "message/global-delivery-status"}), None)
    if status_part is not None and report_type in {"delivery-status", ""}:
        return _from_status(root, status_part, text, own, secret)
    if root.raw("x-failed-recipients") is not None:
        return _from_words(root, text, own, secret)
    who = behind(sender)
    nameless = who is Behind.NOBODY or root.get("return-path").replace(" ", "") == "<>"
    if (who in REPORTS or nameless) and _SUBJECT.search(subject):
        return _from_words(root, text, own, secret)
    said = text[:_SAMPLE]
    if '"Bounce"' in said and (told := _NOTICE.search(said)):
        return _from_words(root, f"{told[1]}\n{said}", own, secret)
    machine = who in REPORTS or who is Behind.NO_REPLY or root.raw("mailing-list") is not None or nameless
    refused = _REFUSED.search(said) or (who in REPORTS and nameless and _NOT_DELIVERED.search(said))
    return _from_words(root, text, own, secret) if machine and refused else None


def _from_status(root: Part, status_part: Part, text: str, own: Sequence[str], secret: bytes) -> Bounce:
    fields: dict[str, str] = {}
    blocks = re.split(rb"\r?\n[ \t]*\r?\n", status_part.content().strip())
    # The first recipient that failed matters most; the block of the message itself comes before.
    for block in blocks[:200]:
        found = {name: header_text(value) for name, value in headers_of(block)}
        if fields.get("action") in {"failed", "delayed"} and "action" in found:
            continue
        fields.update(found)
    named = (_ADDRESS.search(_after_semicolon(fields.get(name, ""))) for name in ("original-recipient", "final-recipient"))
    address = next((match[0].lower() for match in named if match), None) or _failed_address(root, text, own)
    status = _STATUS.search(fields.get("status", "")) or _STATUS.search(fields.get("diagnostic-code", ""))
    action = fields.get("action", "").split("(")[0].strip().lower()
    reason = _after_semicolon(fields.get("diagnostic-code", "")) or _server_words(text) or fields.get("status", "") or action
    permanent = (
        action == "failed" if action in {"failed", "delayed", "delivered", "relayed", "expanded"} else not (status and status[1][0] == "4")
    )
    # "Failed" with a 4.x.x status means that a server gave up for now, such as a full mailbox; writing again may succeed.
    if status and status[1].startswith("4") and action != "failed":
        permanent = False
    return Bounce(_returned_id(root, secret), address, permanent, reason[:500], status[1] if status else None)


def _from_words(root: Part, text: str, own: Sequence[str], secret: bytes) -> Bounce:
    reason = _server_words(text)
    status = _STATUS.search(text[:20_000])
    code = status[1] if status else None
    temporary = bool(code and code.startswith("4")) or bool(_FOR_NOW.search(text[:3000]))
    return Bounce(_returned_id(root, secret), _failed_address(root, text, own), not temporary, (reason or text.strip())[:500], code)


def _failed_address(root: Part, text: str, own: Sequence[str]) -> str | None:
    """The address that could not be reached: as the report names it, else the recipient of the mail it returns, else any that fits."""
    if match := _ADDRESS.search(root.get("x-failed-recipients")):
        return match[0].lower()
    mine = {address.lower() for address in own}
    said = _RETURNED.split(text[:_SAMPLE], maxsplit=1)[0]
    for pattern in _NAMED:
        for match in pattern.finditer(said):
            if not _is_ours(match[1], mine):
                return match[1].lower()
    told = mine | {address.lower() for name in ("to", "reply-to", "delivered-to") for address in _ADDRESS.findall(root.get(name))}
    meant = [address for part in root.walk() for address in _returned_to(part)]
    anywhere = [address for address in _ADDRESS.findall(said) if behind(address) not in REPORTS]
    below = _RECIPIENT.findall(text[:_SAMPLE])
    return next((one.lower() for one in (*meant, *below, *anywhere) if one.lower() not in told and not _is_ours(one, mine)), None)


def _is_ours(address: str, mine: Collection[str]) -> bool:
    """Also the address with a token that reports come back to."""
    return address.lower() in mine or without_plus(address) in mine


def _returned_to(part: Part) -> list[str]:
    """The recipients of a mail that came back in this part."""
    if part.type not in _RETURNED_TYPES:
        return []
    head, _ = split_head(part.content().lstrip(b"\r\n"))
    return [address for name, value in headers_of(head) if name == "to" for address in _ADDRESS.findall(header_text(value))]


def _returned_id(root: Part, secret: bytes) -> str | None:
    """The Message-ID of the returned mail: its own header, then any id of ours anywhere in the report."""
    candidates: list[str] = []
    for part in root.walk():
        if part.type in _RETURNED_TYPES:
            head, _ = split_head(part.content().lstrip(b"\r\n"))
            candidates += [found for name, value in headers_of(head) if name == "message-id" for found in _ID.findall(header_text(value))]
    for name in ("in-reply-to", "references"):
        candidates += _ID.findall(root.get(name))
    first = next((found for found in candidates if not _is_address(found, secret)), None)
    for part in root.walk():
        if part.type.startswith("text/") or part.type.startswith("message/"):
            candidates += _ID.findall(part.content()[:200_000].decode("latin-1"))
    return next((found for found in candidates if read_token(found, secret) and not _is_address(found, secret)), first)


def _is_address(found: str, secret: bytes) -> bool:
    """The address that reports come back to looks like an id of ours and is none."""
    return "+" in found and read_token(found, secret) is not None


def _server_words(text: str) -> str:
    match = _CODE.search(text[:20_000])
    return match[0].strip() if match else ""


def _after_semicolon(value: str) -> str:
    """`smtp; 550 no such user` -> `550 no such user`."""
    kind, separator, rest = value.partition(";")
    return rest.strip() if separator and " " not in kind.strip() else value.strip()
