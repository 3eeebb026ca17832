"""Processor time of a desk for mixed mails: half Russian, a quarter of them answers to acknowledgements that it sent."""

from pathlib import Path

from benchmarks.mail import holding
from benchmarks.mail.bare import receiver
from benchmarks.mail.letters import Letter, mails, mixed, replies
from benchmarks.mail.watch import acknowledgements, add_inbox, check, until_answered, until_taken
from benchmarks.mail.wire import send
from benchmarks.report import Row
from benchmarks.running import RunningDesk


def rows(folder: Path, count: int) -> list[Row]:
    """All three beside aiosmtpd and the standard parser, which read the same mails and keep nothing."""
    queued, letters = _spent(folder / "queued", count, sending=False)
    sent, _letters = _spent(folder / "sent", count, sending=True)
    light, _letters = _spent(folder / "light", count, sending=False, encoder=False)
    bare = _bare(folder, letters)
    return [
        Row.of("CPU per mail, SMTP to ticket and acknowledgement queued", queued, "ms", baseline=bare, at_most=5),
        Row.of("CPU per mail, until the acknowledgement has been sent as well", sent, "ms", baseline=bare),
        Row.of("CPU per mail, ticket and acknowledgement queued, without the sentence encoder", light, "ms", baseline=bare),
    ]


def _spent(folder: Path, count: int, *, sending: bool, encoder: bool = True) -> tuple[float, list[Letter]]:
    """Milliseconds a mail in a desk that is warm, and the mails."""
    answers = count // 4
    letters = mails(count, seed=1)
    before, new = letters[:answers], letters[answers:]
    folder.mkdir()
    desk = RunningDesk(folder, program=holding.program(holding.LETTERS, encoder=encoder)).make()
    add_inbox(desk)
    desk.start()
    try:
        send(desk.smtp, before)  # imports, models and statements are there, and acknowledgements to answer
        until_answered(desk, answers)
        mixture = mixed(new, replies(acknowledgements(desk, answers), seed=2), seed=3)
        if not sending:
            holding.hold(desk)
        spent = desk.running.cpu_seconds()
        send(desk.smtp, mixture)
        (until_answered if sending else until_taken)(desk, answers + count)
        spent = desk.running.cpu_seconds() - spent
        check(desk, tickets=count)
    finally:
        desk.stop()
    return spent / count * 1000, mixture


def _bare(folder: Path, letters: list[Letter]) -> float:
    with receiver(folder, parsing=True) as (process, port):
        send(port, mails(20, seed=4))
        spent = process.cpu_seconds()
        send(port, letters)
        return (process.cpu_seconds() - spent) / len(letters) * 1000
