"""Who writes, whatever a list or a form puts in their place, and whether anybody stands behind an address."""

import pytest

from channels.email.addresses import address_of, addresses
from channels.email.robots import NOT_TO_INVOLVE, REPORTS, SPEAKS_FOR_OTHERS, UNREAD, Behind, behind
from tests.unit.channels.email.mails import SUPPORT, inbound, mail

GROUP = {"from": "\"'Vera Ivanova' via Support\" <team@lists.example>", "list_id": "<team.lists.example>"}
VERA = "vera@client.example"


class TestAMemberOfAList:
    @pytest.mark.parametrize(
        "kept",
        [
            {"x_original_from": f"Vera Ivanova <{VERA}>"},
            {"x_original_sender": VERA},
            {"reply_to": f"Vera Ivanova <{VERA}>"},
            {"reply_to": f"Support <team@lists.example>, Vera Ivanova <{VERA}>"},
        ],
    )
    def test_is_who_writes_where_the_list_keeps_the_address(self, kept: dict[str, str]) -> None:
        sender = inbound(mail(**GROUP, **kept)).sender
        assert (sender.name, sender.address) == ("Vera Ivanova", VERA)

    def test_is_told_by_name_alone_where_it_does_not(self) -> None:
        sender = inbound(mail(**GROUP, reply_to="somebody@else.example")).sender
        assert (sender.name, sender.address) == ("Vera Ivanova", "team@lists.example")

    def test_who_writes_to_a_group_in_front_of_the_inbox_is_no_loop(self) -> None:
        headers = {"from": f"'Вера Иванова' через Поддержка <{SUPPORT}>", "list_id": "<support.desk.example>", "x_original_from": VERA}
        message = inbound(mail(**headers))
        assert (message.verdict, message.held, message.sender.name, message.sender.address) == ("received", False, "Вера Иванова", VERA)

    @pytest.mark.parametrize(
        "headers",
        [
            {"from": "\"'Vera Ivanova' via Docs\" <docs@service.example>", "x_original_from": VERA},
            {"from": "Vera Ivanova via Docs <docs@service.example>", "list_id": "<other.lists.example>", "reply_to": VERA},
            {"from": "Vera Ivanova <team@lists.example>", "list_id": "<team.lists.example>", "x_original_from": VERA},
        ],
    )
    def test_is_not_taken_from_what_anybody_could_write(self, headers: dict[str, str]) -> None:
        assert inbound(mail(**headers)).sender.address in headers["from"]


class TestAnAddress:
    @pytest.mark.parametrize(
        ("written", "read"),
        [
            ('"very odd (1)"@c.example', ("", '"very odd (1)"@c.example')),
            ('Vera <"very odd (1)"@c.example>', ("Vera", '"very odd (1)"@c.example')),
            ('<"vera.ivanova"@c.example>', ("", "vera.ivanova@c.example")),
            ('"Vera <vera@bank.example>" <eve@evil.example>', ("Vera <vera@bank.example>", "eve@evil.example")),
            ('"vera@bank.example"@evil.example', ("", '"vera@bank.example"@evil.example')),
            ("'Vera' <vera@c.example>", ("Vera", "vera@c.example")),
            ("\"'Vera' via Docs\" <docs@c.example>", ("'Vera' via Docs", "docs@c.example")),
        ],
    )
    def test_is_kept_as_it_is(self, written: str, read: tuple[str, str]) -> None:
        assert addresses(written.encode()) == [read]

    def test_in_quotes_never_wins_over_the_one_in_brackets(self) -> None:
        assert [one for _, one in addresses(b'"vera"@bank.example <eve@evil.example>')] == ["eve@evil.example"]
        assert [one for _, one in addresses(b'eve@evil.example ("vera"@bank.example)')] == ["eve@evil.example"]

    def test_of_an_envelope_may_be_odd_too(self) -> None:
        assert address_of('<"very odd (1)"@C.example>') == '"very odd (1)"@c.example'
        assert address_of("<>") is None


class TestARobot:
    @pytest.mark.parametrize(
        ("address", "who"),
        [
            ("vera@client.example", Behind.SOMEBODY),
            ("bob.bounces@client.example", Behind.LIST),
            ("notify.me@client.example", Behind.SOMEBODY),
            ("MAILER-DAEMON@mx.example", Behind.MAIL_SERVER),
            ("bounces+17=vera@mx.example", Behind.MAIL_SERVER),
            ("postmaster@mx.example", Behind.POSTMASTER),
            ("no-reply@shop.example", Behind.NO_REPLY),
            ("ne-otvechat@shop.example", Behind.NO_REPLY),
            ("notifications@git.example", Behind.NOTICES),
            ("team-list@client.example", Behind.LIST),
            ("vera@lists.example", Behind.LIST),
            ("unknown@invalid", Behind.NOBODY),
        ],
    )
    def test_is_told_by_its_address(self, address: str, who: Behind) -> None:
        assert behind(address) is who

    def test_is_asked_for_what_is_needed(self) -> None:
        everyone = set(Behind) - {Behind.SOMEBODY}
        assert everyone == NOT_TO_INVOLVE, "nobody but people is drawn into a talk"
        assert Behind.POSTMASTER in REPORTS - UNREAD, "people read there"
        assert SPEAKS_FOR_OTHERS < UNREAD

    def test_who_keeps_the_post_is_a_person(self) -> None:
        kept = mail(**{"from": "postmaster@client.example"})
        assert not inbound(kept, envelope_from="postmaster@client.example").held
        assert inbound(kept).verdict == "automatic", "a report leaves it without a return path"
