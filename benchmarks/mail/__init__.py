"""What mail costs: processor time from SMTP to ticket and acknowledgement, mails taken a second, IMAP, and parsing by size.

The sender and every server beside the desk are processes of their own, and their time does not count.
"""

from benchmarks import running
from benchmarks.mail import cost, mailbox, pool, sizes
from benchmarks.report import Row


def measure(*, quick: bool) -> list[Row]:
    with running.folder("mail") as folder:
        return [
            *cost.rows(folder, 100 if quick else 300),
            *pool.rows(folder, 300 if quick else 2000),
            *mailbox.rows(folder, 100 if quick else 1000),
            *sizes.rows(quick=quick),
        ]
