"""A mailbox as it is written down: its address, what is done with mail afterwards, and what is guessed."""

import pytest

from channels.email.imap_account import Account, After, Fate, Security, guess, url_of
from desk_core.kit.errors import Invalid


@pytest.mark.parametrize(
    ("url", "account"),
    [
        ("imaps://me%40x.ru:p%40ss@imap.x.ru", Account("imap.x.ru", 993, Security.TLS, "me@x.ru", "p@ss")),
        ("imap://me@x.ru:pw@h:1143/Заявки", Account("h", 1143, Security.NONE, "me@x.ru", "pw", folder="Заявки")),
    ],
)
def test_addresses_of_mailboxes(url: str, account: Account) -> None:
    assert Account.of(url) == account
    assert account.password not in repr(account)


@pytest.mark.parametrize("url", ["", "http://x", "imaps://host", "imap://me:pw@h:port"])
def test_anything_else_is_refused(url: str) -> None:
    with pytest.raises(Invalid):
        Account.of(url)


@pytest.mark.parametrize(
    ("text", "after"), [("seen", After()), ("delete", After(Fate.DELETE)), ("move: Готово ", After(Fate.MOVE, "Готово"))]
)
def test_what_is_done_afterwards_is_chosen(text: str, after: After) -> None:
    assert After.of(text) == after
    assert After.of(str(after)) == after


@pytest.mark.parametrize("text", ["", "move", "move:", "burn", "seen:x"])
def test_nothing_else_is_done_afterwards(text: str) -> None:
    with pytest.raises(Invalid):
        After.of(text)


def test_mail_is_not_moved_to_where_it_is_fetched_from() -> None:
    with pytest.raises(Invalid):
        Account.of("imaps://a:b@c", folders=["INBOX", "Done"], after="move:Done")


def test_an_address_is_written_as_it_is_read() -> None:
    url = url_of(security=Security.STARTTLS, host="::1", port=1143, user="я@x.ru", password="p:/@ %")
    account = Account.of(url)
    assert (account.host, account.port, account.user, account.password) == ("::1", 1143, "я@x.ru", "p:/@ %")


@pytest.mark.parametrize(
    ("address", "host"), [("a@gmail.com", "imap.gmail.com"), ("a@BK.ru", "imap.mail.ru"), ("a@desk.example", "imap.desk.example"), ("", "")]
)
def test_servers_are_guessed_from_addresses(address: str, host: str) -> None:
    assert (guess(address).host, guess(address).port) == (host, 993)
