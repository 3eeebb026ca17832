"""The mails that are measured are what the figures claim: different, half Russian, with answers that stand in their threads."""

from email import message_from_bytes, policy
from email.message import EmailMessage

from benchmarks.mail.letters import Letter, mails, mixed, replies
from channels.email.sandbox.mailbox import Letter as Kept
from channels.email.sandbox.mailbox import Opened


def opened(number: int) -> Opened:
    """An acknowledgement of the desk as its sandbox shows it."""
    letter = Kept(
        id=str(number), mailbox=f"p{number}@x.example", direction="sent", sender="support@bench.example", recipient=f"p{number}@x.example",
        subject=f"Re: [#{number}] принтер", message_id=f"{number}@bench.example", at="2026-11-25T12:00:00+00:00", size=10,
    )  # fmt: skip
    return Opened(
        letter=letter, text="Заявка принята.\nМы ответим.", html=None, headers=(), references=f"<first-{number}@x.example>",
        reply_to=f"support+{number}@bench.example", files=(), others=(), raw=b"",
    )  # fmt: skip


def read(letter: Letter) -> EmailMessage:
    return message_from_bytes(letter.raw, policy=policy.default)


def text_of(letter: Letter) -> str:
    body = read(letter).get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def test_no_two_mails_share_a_text_or_a_person() -> None:
    letters = mails(300, seed=1)
    assert len({text_of(one).partition("\n")[0] for one in letters}) == len({one.sender for one in letters}) == 300


def test_more_mails_than_texts_are_told_apart() -> None:
    assert len({text_of(one).partition("\n--")[0] for one in mails(1000, seed=1)}) == 1000


def test_half_of_the_mails_are_russian() -> None:
    russian = sum(any("а" <= letter <= "я" for letter in text_of(one).split("\n--")[0].lower()) for one in mails(300, seed=1))
    assert 145 <= russian <= 165  # some English ones name a Russian word


def test_all_have_html_and_some_have_files() -> None:
    letters = [read(one) for one in mails(80, seed=1)]
    assert all(mail.get_body(("html",)) for mail in letters)
    assert 8 <= sum(any(mail.iter_attachments()) for mail in letters) <= 16


def test_an_answer_stands_in_its_thread_and_quotes_it() -> None:
    (answer,) = replies([opened(7)], seed=2)
    mail = read(answer)
    assert mail["In-Reply-To"] == "<7@bench.example>"
    assert mail["References"] == "<first-7@x.example> <7@bench.example>"
    assert answer.to == "support+7@bench.example"
    assert text_of(answer).splitlines()[-2:] == ["> Заявка принята.", "> Мы ответим."]


def test_a_mixture_holds_everything_once() -> None:
    new, answers = mails(9, seed=1), replies([opened(number) for number in range(3)], seed=2)
    assert sorted(one.raw for one in mixed(new, answers, seed=3)) == sorted(one.raw for one in [*new, *answers])


def test_dots_are_stuffed_and_the_mail_ends_with_one() -> None:
    assert Letter("a@x.example", "b@x.example", b"Subject: dots\r\n\r\n.one\r\n").wire == b"Subject: dots\r\n\r\n..one\r\n.\r\n"
