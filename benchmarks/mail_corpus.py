"""Every mail of the public sets through the product's reading: `make mail-corpus`, which lists what it read otherwise than the sets say.

Reply texts are compared without blanks and without the quoted lines that an inline answer is kept with. The sets disagree on signatures:
talon's replies and nylas' keep them, GitHub's and Zapier's do not; Priyom folds them, so they are folded in what nylas states too.
"""

import argparse
import os
import re
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

from benchmarks import report
from benchmarks.mail_expected import REPLIES
from benchmarks.report import ROOT, Row
from channels.email import quotes
from channels.email.charsets import declared_in_html, text_of
from channels.email.html_text import safe_html, text_of_html
from channels.email.mapping import ParsedMail, parse, to_inbound
from desk_core.kit.clock import SystemClock

DATA = Path(os.environ.get("PRIYOM_DATA", ROOT.parent / "shared" / "data")) / "emails"
_NO_MAIL = re.compile(r"^(?:LICENSE|\.gitignore)|_(?:sender|signature|reply_text)$|_stripped\.html$|\.(?:md|php|py)$")
_MARKS, _MARKS_TEXT = re.compile(rb"(?m)^#(?:reply|sig)#"), re.compile(r"(?m)^#(?:reply|sig)#")
# Where a report names who failed: its own fields; without them an address that stands before a colon or alone, and the recipients of the
# mail that it returns.
_FIELDS = re.compile(r"(?im)^[> ]*(?:final-recipient|original-recipient|x-actual-recipient|x-failed-recipients):([^\n]*(?:\n[ \t][^\n]*)*)")
_ALONE = re.compile(r"(?m)^[ \t*]*(?:could not be delivered to: )?<?([\w.+'=/-]+@[\w.-]+)>?(?::|[ \t]*$|[ \t]*\[)", re.IGNORECASE)
_RETURNED = re.compile(r"(?im)^[> ]*to:([^\n]*(?:\n[ \t][^\n]*)*)")
_ADDRESS = re.compile(r"[\w.+'=/-]{1,64}@[\w-]+(?:\.[\w-]+)+")
_SECRET = b"benchmark"
_NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
_SLOW = 1.0  # seconds a mail may take


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail of a set; `source` is its text as the set has it."""

    name: str
    raw: bytes
    source: str = ""


@dataclass(frozen=True, slots=True)
class Read:
    mail: Mail
    parsed: ParsedMail | None
    seconds: float
    error: str = ""


def mails() -> Iterator[Mail]:
    """Every file of the sets as a mail; texts and pages are put into one."""
    for path in sorted(path for path in DATA.rglob("*") if path.is_file() and not _NO_MAIL.search(path.name)):
        name, content = str(path.relative_to(DATA)), path.read_bytes()
        kind = _kind(path, content)
        if kind == "mail":
            yield Mail(name, _MARKS.sub(b"", content), text_of(content))
            continue
        source = text_of(content, declared_in_html(content) if kind == "html" else None)
        sender = path.with_name(path.name.replace("_body", "_sender"))
        message = EmailMessage()
        message["From"] = (sender.read_text().strip() if sender != path and sender.is_file() else "") or "Somebody"
        if "@" not in message["From"]:
            message.replace_header("From", f"{message['From']} <somebody@example.org>")
        message["To"], message["Subject"] = "help@example.org", f"{'Fwd' if 'forward' in name else 'Re'}: {path.stem}"
        message["Message-ID"] = f"<{name.replace('/', '.').replace(' ', '_')}@example.org>"
        message.set_content(_MARKS_TEXT.sub("", source), subtype="html" if kind == "html" else "plain", cte="base64")
        yield Mail(name, message.as_bytes(), source)


def _kind(path: Path, content: bytes) -> str:
    if path.suffix == ".html":
        return "html"
    if (path.suffix == ".txt" and path.parent.name in {"emails", "nylas_quoted_html"}) or path.name.endswith("_body"):
        return "text"
    return "mail"


def read(mail: Mail) -> Read:
    """Parsed, put in the desk's words and rendered as the console does."""
    started = time.perf_counter()
    try:
        parsed = parse(mail.raw, inbox_id="i", inbox_addresses=["help@example.org"], secret=_SECRET, received_at=_NOW)
        to_inbound(parsed)
        if parsed.html:
            safe_html(parsed.html)
    except Exception as error:  # noqa: BLE001 - that none gets here is what is measured
        return Read(mail, None, time.perf_counter() - started, f"{type(error).__name__}: {error}")
    return Read(mail, parsed, time.perf_counter() - started)


def statements(found: Sequence[Mail]) -> dict[str, str]:
    """Name of a mail -> the reply that its set states. Copies of a text state the same."""
    by_text: dict[str, str] = {}
    for mail in found:
        said = REPLIES.get(mail.name)
        if isinstance(said, list):
            lines = mail.source.split("\n")
            by_text[bare(mail.source)] = "\n".join(line for first, last in said for line in lines[first - 1 : last])
    stated = {mail.name: _stated(mail, by_text) for mail in found}
    return {name: reply for name, reply in stated.items() if reply is not None}


def _stated(mail: Mail, by_text: dict[str, str]) -> str | None:
    said = REPLIES.get(mail.name)
    if isinstance(said, str):
        return said
    path = DATA / mail.name
    stripped, signature = path.with_name(f"{path.stem}_stripped.html"), path.with_name(path.name.replace("_body", "_signature"))
    if mail.name.endswith(".html") and stripped.is_file():
        content = stripped.read_bytes()
        left = text_of_html(text_of(content, declared_in_html(content)))
        # An empty rest: that a mail may be all quote is what the sets disagree on. Priyom shows it.
        return quotes.split(left).reply if left.strip() else None
    if path.name.endswith("_body") and signature != path and signature.is_file():
        end = _MARKS_TEXT.sub("", signature.read_text()).strip()
        body = _MARKS_TEXT.sub("", mail.source).strip()
        return body[: body.rindex(end)] if end and end in body else body
    if path.name == "102682_R_S":
        return "\n".join(line for line in mail.source.split("\n\n", 1)[1].split("\n") if not _MARKS_TEXT.match(line))
    if mail.name.startswith("talon/fixtures/standard_replies/"):
        return "Hello"
    if mail.name.startswith("talon/fixtures/html_replies/"):
        return "Hi. I am fine."
    return by_text.get(bare(mail.source))


def bare(text: str) -> str:
    """A reply as it is compared."""
    return "".join("".join(line.split()) for line in text.split("\n") if not line.lstrip().startswith(">"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit 1 where an aim is missed; 2 where the sets are not there."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mail_corpus", description=__doc__)
    parser.add_argument("--misses", action="store_true", help="show what was read where a set says otherwise")
    parser.add_argument("--only", default="", help="only mails whose name contains this")
    chosen = parser.parse_args(arguments)
    if not DATA.is_dir():
        print(f"no sets at {DATA}", file=sys.stderr)
        return 2
    started_at = SystemClock().now()
    done = [read(mail) for mail in mails() if chosen.only in mail.name]
    failed = [one for one in done if one.parsed is None]
    lost = [one for one in done if one.parsed is not None and _is_lost(one.parsed)]
    for one in failed:
        print(f"failed {one.mail.name}: {one.error}")
    for one in lost:
        print(f"nothing of {one.mail.name}")
    said = statements([one.mail for one in done])
    stated = [(one, said[one.mail.name]) for one in done if one.parsed is not None and one.mail.name in said]
    missed = [(one, wanted) for one, wanted in stated if one.parsed is not None and bare(one.parsed.text) != bare(wanted)]
    for one, wanted in missed:
        print(f"reply {one.mail.name}")
        if chosen.misses and one.parsed is not None:
            print(f"  wanted {wanted!r}\n  got    {one.parsed.text!r}")
    bounces = [one for one in done if one.parsed is not None and one.mail.name.startswith("sisimai_bounces/") and _is_bounce(one.mail)]
    unseen = [one for one in bounces if one.parsed is not None and one.parsed.bounce is None]
    opened = [one for one in bounces if one.parsed is not None and not one.parsed.verdict.held]
    for one in unseen:
        print(f"no bounce {one.mail.name}: {one.parsed.verdict.code if one.parsed else ''} {one.parsed.subject if one.parsed else ''!r}")
    addressed = [one for one in bounces if one.parsed is not None and one.parsed.bounce is not None]
    astray = [one for one in addressed if one.parsed is not None and one.parsed.bounce is not None and _is_astray(one)]
    for one in astray:
        if one.parsed is not None and one.parsed.bounce is not None:
            print(f"address {one.mail.name}: {one.parsed.bounce.address}")
    print()
    rows = [
        Row.of("mails read without an exception", len(done) - len(failed), "mails", at_least=len(done)),
        Row.of("nothing of a mail was kept", len(lost), "mails", at_most=0),
        Row.of("slowest mail", max(one.seconds for one in done), "s", at_most=_SLOW),
        Row.of("all of them", sum(one.seconds for one in done), "s"),
    ]
    if stated:
        rows.append(Row.of(f"replies as stated ({len(stated)})", 100 * (1 - len(missed) / len(stated)), "%", at_least=95))
    if bounces:
        rows += [
            Row.of(f"bounces recognised ({len(bounces)})", 100 * (1 - len(unseen) / len(bounces)), "%", at_least=98),
            Row.of(f"with the right address ({len(addressed)})", 100 * (1 - len(astray) / len(addressed)), "%", at_least=95),
            Row.of("reports that would open a request", len(opened), "mails", at_most=0),
        ]
    print(report.table(rows))
    path = report.write("mail_corpus", rows, started_at=started_at)
    wrong = [row.name for row in rows if row.met is False]
    print(f"\n{len(wrong)} aims missed; {path.relative_to(ROOT)}")
    return 1 if wrong else 0


def _is_lost(parsed: ParsedMail) -> bool:
    return not (parsed.original_text.strip() or parsed.html or parsed.files or parsed.subject or parsed.verdict.held)


def _is_bounce(mail: Mail) -> bool:
    """Complaints (`arf-`) and automatic replies (`rfc3834-`) are reports of other kinds."""
    return not Path(mail.name).name.startswith(("arf-", "rfc3834-"))


def _is_astray(one: Read) -> bool:
    """Whether the address is none that the report names as failed; where it names none, whether there is no address at all."""
    bounce = one.parsed.bounce if one.parsed is not None else None
    body = text_of(one.mail.raw).replace("\r\n", "\n").partition("\n\n")
    failed = _FIELDS.findall(body[0]) + (_FIELDS.findall(body[2]) or [*_ALONE.findall(body[2]), *_RETURNED.findall(body[2])])
    named = {address.lower() for line in failed for address in _ADDRESS.findall(line)}
    if bounce is None or not named:
        return bounce is not None and bounce.address is None
    return (bounce.address or "") not in named


if __name__ == "__main__":
    raise SystemExit(main())
