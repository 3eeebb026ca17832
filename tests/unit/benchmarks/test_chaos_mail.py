"""The mail modes of the chaos run: what is sent, and that the tally notices each way in which a promise can be broken."""

import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from benchmarks.chaos.desks import MAILBOX, SUPPORT
from benchmarks.chaos.letters import Copy, Kind, Letter, letters, write
from benchmarks.chaos.mail_tally import Raw, Said, Store, judge
from benchmarks.chaos.post import Seen, Tray
from channels.email.mapping import parse

BY_SMTP = Letter(1, Kind.FIRST, fetched=False, moment=0, sender="anna@customer.example")
TWICE = Letter(2, Kind.FIRST, fetched=True, moment=0, sender="boris@customer.example", copy=Copy.TWICE)
REPLY = Letter(3, Kind.REPLY, fetched=False, moment=0, sender="anna@customer.example", answers=BY_SMTP)
ROBOT = Letter(4, Kind.ROBOT, fetched=False, moment=0, sender="robot@machine.example")
LETTERS = (BY_SMTP, TWICE, REPLY, ROBOT)


def kept(letter: Letter, number: str, ticket: str | None) -> Said:
    return Said(number, f"c-{ticket}", ticket, letter.message_id, text=f"words ({letter.marker})")


def ack(number: str, ticket: str) -> Said:
    return Said(number, f"c-{ticket}", ticket, f"{number}@chaos.example", key="created", state="sent")


STORE = Store(
    raws=[
        Raw(SUPPORT, BY_SMTP.message_id, "m1"), Raw(MAILBOX, TWICE.message_id, "m2"), Raw(SUPPORT, REPLY.message_id, "m3"),
        Raw(SUPPORT, ROBOT.message_id, "m4"),
    ],
    inbound=[kept(BY_SMTP, "m1", "t1"), kept(TWICE, "m2", "t2"), kept(REPLY, "m3", "t1"), kept(ROBOT, "m4", None)],
    outbound=[ack("a1", "t1"), ack("a2", "t2")],
    requests={BY_SMTP.sender: ["t1"], TWICE.sender: ["t2"]},
)  # fmt: skip
SEEN = [(TWICE.message_id, True), (TWICE.message_id, True)]


def tray() -> Tray:
    wire = [
        Seen("a1@chaos.example", BY_SMTP.sender, ""),
        *[Seen("a2@chaos.example", TWICE.sender, "")] * 2,
    ]
    return Tray(handed_over={BY_SMTP.message_id: 1, TWICE.message_id: 2, REPLY.message_id: 1, ROBOT.message_id: 1}, wire=wire)


def broken(store: Store = STORE, told: Tray | None = None, mailbox: list[tuple[str, bool]] | None = None) -> set[str]:
    counts = judge(LETTERS, told or tray(), store, SEEN if mailbox is None else mailbox)
    return {count.name for count in counts if count.promise and count.value}


def test_the_mix_of_two_thousand() -> None:
    made = letters(2000, random.Random(5))
    kinds = Counter(letter.kind for letter in made)
    assert len({letter.message_id for letter in made}) == 2000
    assert sum(letter.fetched for letter in made) == 1000
    assert (kinds[Kind.REPLY], kinds[Kind.ROBOT], kinds[Kind.VACATION], kinds[Kind.BOUNCE]) == (500, 66, 32, 40)
    assert {letter.copy for letter in made} == set(Copy)
    answered = [letter.answers.message_id for letter in made if letter.answers]
    assert len(answered) == len(set(answered))  # nobody gets two letters that only a machine would explain


def test_every_mail_is_what_it_says() -> None:
    for letter in letters(400, random.Random(6)):
        raw = write(letter, answered="ack@chaos.example", reply_to=None)
        read = parse(raw, inbox_id="i", inbox_addresses=(SUPPORT, MAILBOX), secret=b"s", received_at=datetime(2026, 11, 26, tzinfo=UTC))
        assert (read.external_id, read.sender.address) == (letter.message_id, letter.sender.lower())
        assert letter.marker in read.text
        assert read.verdict.held is (letter.kind not in (Kind.FIRST, Kind.REPLY))
        assert (read.bounce is not None) is (letter.kind is Kind.BOUNCE)


def test_all_promises_kept() -> None:
    assert broken() == set()
    told = {count.name: count.value for count in judge(LETTERS, tray(), STORE, SEEN)}
    assert told["second copies of a letter under its Message-ID"] == 1
    assert (told["requests opened"], told["acknowledgements sent"]) == (2, 2)


@pytest.mark.parametrize(
    ("store", "named"),
    [
        (replace(STORE, raws=STORE.raws[1:]), {"lost", "doubled in the store"}),
        (replace(STORE, inbound=[*STORE.inbound, kept(TWICE, "m9", "t2")]), {"doubled in the store"}),
        (replace(STORE, raws=[*STORE.raws, Raw(MAILBOX, BY_SMTP.message_id, "m1")]), {"stored where nobody sent it"}),
        (replace(STORE, raws=[replace(STORE.raws[0], filed_as=None), *STORE.raws[1:]]), {"stored but never processed"}),
        (
            replace(STORE, inbound=[replace(STORE.inbound[0], text="other words"), *STORE.inbound[1:]]),
            {"stored under another mail's id or without its words"},
        ),
        (
            replace(STORE, requests={**STORE.requests, TWICE.sender: ["t2", "t3"]}),
            {"first mails that are not exactly one request", "requests without exactly one acknowledgement"},
        ),
        (
            replace(STORE, inbound=[*STORE.inbound[:2], replace(STORE.inbound[2], ticket="t9"), STORE.inbound[3]]),
            {"replies outside the request that they answer"},
        ),
        (replace(STORE, requests={**STORE.requests, ROBOT.sender: ["t2"]}), {"requests opened by machines"}),
        (
            replace(STORE, outbound=[*STORE.outbound, ack("a3", "t2")]),
            {"requests without exactly one acknowledgement", "acknowledgements that never left"},
        ),
        (replace(STORE, outbound=[replace(STORE.outbound[0], state="queued"), STORE.outbound[1]]), {"answers not sent"}),
        (replace(STORE, work=["out:c1"], dead=["deliver: x"], spoilt_files=["ab"]),
         {"work items left", "dead items", "attachments missing or cut short"}),
    ],
)  # fmt: skip
def test_what_is_wrong_in_the_store_is_noticed(store: Store, named: set[str]) -> None:
    assert broken(store) == named


def test_what_is_wrong_outside_the_store_is_noticed() -> None:
    assert broken(mailbox=[SEEN[0], (TWICE.message_id, False)]) == {"IMAP mails not flagged as seen"}
    assert broken(mailbox=[SEEN[0], (BY_SMTP.message_id, True)]) == {"IMAP mails flagged but not stored"}
    assert broken(mailbox=SEEN[:1]) == {"mails missing in the mailbox"}
    short = tray()
    short.handed_over[TWICE.message_id] = 1
    short.refused.append("first.1@customer.example: 550 no")
    assert broken(told=short) == {"mails without their 250", "mails refused for good"}
    answered = tray()
    answered.wire.append(Seen("b1@chaos.example", ROBOT.sender, ""))
    assert broken(told=answered) == {"automatic mails that were answered", "letters that the store does not know"}
