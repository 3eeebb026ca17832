"""What a mail server says of an address, in the words of an operator."""

import pytest

from gateway.console.reaching import gist


@pytest.mark.parametrize(
    ("words", "meaning"),
    [
        ("550 5.1.1 <vera@example.com>: Recipient address rejected: User unknown", "there is no such mailbox"),
        ("550 No such user here", "there is no such mailbox"),
        ("The email account that you tried to reach does not exist.", "there is no such mailbox"),
        ("552-5.2.2 The email account is over quota", "the mailbox is full"),
        ("Ящик переполнен", "the mailbox is full"),
        ("554 5.7.1 Message rejected under suspicion of SPAM", "their mail server does not let us in"),
        ("550 Mailbox disabled", "the mailbox is switched off"),
        ("Host or domain name not found", "there is no such mail domain"),
        ("550 5.9.9 Xyzzy", ""),
        ("", ""),
    ],
)
def test_the_gist_of_a_refusal(words: str, meaning: str) -> None:
    assert gist(words) == meaning
