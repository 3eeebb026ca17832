"""Everything that mail can be, parsed without an exception: public sets where they are at hand, our own broken mails always."""

import os
import random
import time
from pathlib import Path

from tests.unit.channels.email.mails import inbound, mail

ROOT = Path(__file__).resolve().parents[4]


def corpus() -> list[bytes]:
    """Mails of the public sets beside the repository (or in PRIYOM_DATA), and ours."""
    folder = Path(os.environ.get("PRIYOM_DATA") or ROOT.parent / "shared" / "data") / "emails"
    files = sorted(path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else []
    own = [
        mail("Привет\n> цитата", charset=charset, subject="=?utf-8?q?=D0?= x", content_type=kind)
        for charset in ("utf-8", "koi8-r", "cp1251")
        for kind in (
            "text/plain",
            "text/html",
            "multipart/mixed",
            "multipart/alternative; boundary=",
            "message/rfc822",
            "text/plain; charset=nope",
        )
    ]
    return own + [path.read_bytes() for path in files]


def test_every_mail_becomes_a_message_without_an_exception() -> None:
    for raw in corpus():
        started = time.perf_counter()
        message = inbound(raw)
        assert message.external_id
        assert "error" not in message.verdict_params or message.verdict_params["error"] in {"no_headers", "no_sender"}
        assert time.perf_counter() - started < 2


def test_mutilated_mails_do_too() -> None:
    chance = random.Random(7)
    samples = corpus()
    for _ in range(400):
        raw = bytearray(chance.choice(samples)[:20_000])
        for _ in range(chance.randint(1, 12)):
            if raw:
                at = chance.randrange(len(raw))
                match chance.randint(0, 2):
                    case 0:
                        raw[at] = chance.randrange(256)
                    case 1:
                        del raw[at : at + chance.randint(1, 200)]
                    case _:
                        raw[at:at] = chance.choice((b"\r\n\r\n", b"\x00", b"--", b"=?", b'"', b"<", b"\xff\xfe", b";"))
        assert inbound(bytes(raw)).verdict_params.get("error") in {None, "no_headers", "no_sender"}
