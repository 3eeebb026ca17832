"""The checkup of a mail inbox: every step over real servers of the loopback interface and a zone in memory."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from channels.email.channel import EmailChannel
from channels.email.checkup import ADVICE, STEPS, Checkup, Loop
from channels.email.compose import Mailbox
from channels.email.imap_account import Account, OAuth, provider_at
from channels.email.imap_oauth import AccessTokens
from channels.email.intake import InboxAddress
from channels.email.relay_checkup import Tried
from channels.email.sandbox.mailbox import MailSandbox
from channels.email.smtp_in import MailListener
from channels.email.smtp_out import SandboxSender, SmtpSender
from desk_core.conversations.checkups import STATES, State, Step
from desk_core.conversations.ports import Refused
from desk_core.kit.clock import FakeClock, SystemClock
from desk_core.kit.i18n import translate
from tests.fakes.zone import Zone
from tests.services.certificates import Authority
from tests.services.imap import ImapServer
from tests.unit.channels.email.mails import NOW, SECRET, MemoryBlobs, Storing, mail
from tests.unit.channels.email.scripted import ScriptedImap, authority, listening, scripted_imap

ADDRESS = "help@firma.ru"
ZONE = Zone(
    mx={"firma.ru": [(20, "mx2.firma.ru"), (10, "mx1.firma.ru")]},
    txt={
        "firma.ru": ["google-site-verification=x", "v=spf1 mx -all"],
        "p1._domainkey.firma.ru": ["v=DKIM1; k=ed25519; p=abc"],
        "_dmarc.firma.ru": ["v=DMARC1; p=reject"],
    },
)


@pytest.fixture(scope="module")
def server() -> Iterator[ImapServer]:
    made = ImapServer()
    yield made
    made.remove()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


async def steps_of(checkup: Checkup) -> dict[str, Step]:
    steps = await checkup.run()
    for step in steps:  # whatever is said can be said in both languages
        assert translate("ru", STEPS[step.key]) != STEPS[step.key]
        if step.advice is not None:
            assert translate("ru", ADVICE[step.advice], **step.params) != translate("en", ADVICE[step.advice], **step.params)
    return {step.key: step for step in steps}


def told(step: Step) -> tuple[State, str | None]:
    return step.state, step.advice


class TestNames:
    async def test_of_a_domain_in_order_are_fine(self) -> None:
        steps = await steps_of(Checkup(ADDRESS, resolver=ZONE, selector="p1"))
        assert [steps[key].state for key in ("mx", "spf", "dkim", "dmarc")] == [State.OK] * 4
        assert steps["mx"].words == "10 mx1.firma.ru, 20 mx2.firma.ru"
        assert steps["spf"].words == "v=spf1 mx -all"
        assert told(steps["imap_tcp"]) == (State.SKIPPED, "no_imap")

    @pytest.mark.parametrize(
        ("zone", "key", "expected"),
        [
            (Zone(), "mx", (State.FAIL, "mx_missing")),
            (Zone(a={"firma.ru": ["192.0.2.1"]}), "mx", (State.WARN, "mx_implicit")),
            (Zone(mx={"firma.ru": [(0, "")]}), "mx", (State.FAIL, "mx_null")),
            (Zone(), "spf", (State.WARN, "spf_missing")),
            (Zone(txt={"firma.ru": ["v=spf1 mx", "v=spf1 a -all"]}), "spf", (State.FAIL, "spf_many")),
            (Zone(txt={"firma.ru": ["V=SPF1 mx +all"]}), "spf", (State.WARN, "spf_open")),
            (Zone(txt={"firma.ru": ["v=spf10 mx"]}), "spf", (State.WARN, "spf_missing")),
            (Zone(), "dkim", (State.FAIL, "dkim_missing")),
            (Zone(txt={"p1._domainkey.firma.ru": ["v=DKIM1; p="]}), "dkim", (State.FAIL, "dkim_missing")),
            (Zone(), "dmarc", (State.WARN, "dmarc_missing")),
            (Zone(silent=frozenset({"firma.ru"})), "mx", (State.WARN, "names_unavailable")),
        ],
    )
    async def test_that_are_not_are_told_with_what_to_do(self, zone: Zone, key: str, expected: tuple[State, str]) -> None:
        assert told((await steps_of(Checkup(ADDRESS, resolver=zone, selector="p1")))[key]) == expected

    async def test_a_policy_is_looked_for_above_too(self) -> None:
        zone = Zone(txt={"_dmarc.firma.ru": ["v=DMARC1; p=none"]})
        assert (await steps_of(Checkup("a@desk.firma.ru", resolver=zone)))["dmarc"].words == "_dmarc.firma.ru: v=DMARC1; p=none"

    async def test_without_a_selector_no_key_is_looked_for(self) -> None:
        assert told((await steps_of(Checkup(ADDRESS, resolver=ZONE)))["dkim"]) == (State.SKIPPED, "dkim_unsigned")

    @pytest.mark.parametrize("domain", ["desk.example", "mail.local", "localhost"])
    async def test_of_examples_are_not_asked_for(self, domain: str) -> None:
        zone = Zone()
        steps = await steps_of(Checkup(f"a@{domain}", resolver=zone))
        assert told(steps["mx"]) == (State.SKIPPED, "reserved")
        assert zone.asked == []

    async def test_a_slow_answer_ends_in_time_and_stops_nothing_else(self, server: ImapServer) -> None:
        class Slow(Zone):
            def mail_servers(self, name: str) -> Any:
                time.sleep(1.5)
                return []

        steps = await steps_of(Checkup(ADDRESS, Account.of(server.url), resolver=Slow(), seconds=1))
        assert told(steps["mx"]) == (State.FAIL, "slow")
        assert steps["imap_fetch"].state is State.OK


class TestMailbox:
    async def test_that_works_is_fine_and_stays_unread(self, server: ImapServer) -> None:
        server.put(mail())
        unread = server.count("UNSEEN")
        steps = await steps_of(Checkup(ADDRESS, Account.of(server.url)))
        assert [step.state for step in steps.values()] == [State.OK] * 5
        assert steps["imap_folder"].words == f"INBOX: {unread} UNSEEN"
        assert steps["imap_fetch"].words.endswith(f"{len(mail())} B")
        assert server.count("UNSEEN") == unread
        assert all(step.ms >= 0 for step in steps.values())

    async def test_a_closed_port_skips_what_hangs_on_it(self) -> None:
        steps = await steps_of(
            Checkup(ADDRESS, Account.of("imap://a:b@127.0.0.1:1"), sender=SmtpSender("smtp://127.0.0.1:1"), resolver=ZONE)
        )
        assert told(steps["imap_tcp"]) == (State.FAIL, "unreachable")
        assert steps["imap_tcp"].words == "Connection refused", "as a person would say it"
        assert {told(steps[key]) for key in ("imap_tls", "imap_login", "imap_folder", "imap_fetch")} == {(State.SKIPPED, "needs_earlier")}
        assert told(steps["smtp"]) == (State.FAIL, "unreachable")
        assert steps["mx"].state is State.OK

    async def test_a_wrong_password_is_told_in_the_servers_words(self, server: ImapServer) -> None:
        steps = await steps_of(Checkup(ADDRESS, Account.of(server.url.replace("demopass", "wr0ng-0ne"))))
        assert told(steps["imap_login"]) == (State.FAIL, "login")
        assert "AUTHENTICATIONFAILED" in steps["imap_login"].words.upper()
        assert told(steps["imap_folder"]) == (State.SKIPPED, "needs_earlier")

    async def test_a_server_that_repeats_the_password_is_not_quoted(self) -> None:
        async with scripted_imap(ScriptedImap(password="right")) as scripted:
            steps = await steps_of(Checkup(ADDRESS, Account.of(f"imap://me:wr0ng-0ne@127.0.0.1:{scripted.port}")))
        assert "is wrong" in steps["imap_login"].words
        assert "wr0ng" not in steps["imap_login"].words

    async def test_a_short_password_garbles_no_words_and_cannot_be_read_off(self) -> None:
        async with scripted_imap(ScriptedImap(password="right")) as scripted:
            steps = await steps_of(Checkup(ADDRESS, Account.of(f"imap://me:x@127.0.0.1:{scripted.port}"), resolver=ZONE))
        assert (*told(steps["imap_login"]), steps["imap_login"].words) == (State.FAIL, "login", ""), "what is left out would tell which"
        assert steps["mx"].words == "10 mx1.firma.ru, 20 mx2.firma.ru"

    async def test_a_missing_folder_is_told_with_those_that_are_there(self, server: ImapServer) -> None:
        steps = await steps_of(Checkup(ADDRESS, Account.of(server.url, folders=["INBOX", "Заявки"])))
        assert told(steps["imap_folder"]) == (State.FAIL, "folder")
        assert steps["imap_folder"].params["folder"] == "Заявки"
        assert "INBOX" in steps["imap_folder"].params["known"]
        assert steps["imap_fetch"].state is State.OK, "the others can be read all the same"

    async def test_a_silent_server_is_left_in_time(self) -> None:
        async def silent(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
            await asyncio.sleep(30)

        async with listening(silent) as port:
            steps = await steps_of(Checkup(ADDRESS, Account.of(f"imap://a:b@127.0.0.1:{port}"), seconds=0.5))
        assert told(steps["imap_login"]) == (State.FAIL, "slow")

    @pytest.mark.parametrize(
        ("host", "advice"),
        [("imap.gmail.com", "app_password"), ("outlook.office365.com", "microsoft"), ("imap.rambler.ru", "login"), ("h", "login")],
    )
    async def test_known_services_have_advice_of_their_own(self, host: str, advice: str, monkeypatch: pytest.MonkeyPatch) -> None:
        async with scripted_imap(ScriptedImap()) as scripted:
            here = Account.of(f"imap://me:no@127.0.0.1:{scripted.port}")
            monkeypatch.setattr("channels.email.checkup.provider_at", lambda _host: provider_at(host))
            assert (await steps_of(Checkup(ADDRESS, here)))["imap_login"].advice == advice

    async def test_a_refused_token_is_told_in_the_authoritys_words(self) -> None:
        async with scripted_imap(ScriptedImap()) as scripted, authority((400, {"error": "invalid_grant"})) as at:
            oauth = OAuth(at.url, "desk", "", "r3fresh")
            here = Account.of(f"imap://me%40x.ru@127.0.0.1:{scripted.port}", oauth=oauth)
            steps = await steps_of(Checkup(ADDRESS, here, AccessTokens(oauth)))
        assert (*told(steps["imap_login"]), steps["imap_login"].words) == (State.FAIL, "oauth", "invalid_grant")


async def test_a_server_that_is_not_there_is_another_mistake_than_a_closed_port() -> None:
    steps = await steps_of(Checkup(ADDRESS, Account.of("imaps://a:b@imap.firma.invalid")))
    assert told(steps["imap_tcp"]) == (State.FAIL, "no_such_host")


class TestCertificate:
    @pytest.mark.parametrize(
        ("names", "until", "self_signed", "expected"),
        [
            (("127.0.0.1",), 29, False, (State.OK, None)),
            (("127.0.0.1",), 5, False, (State.WARN, "cert_soon")),
            (("127.0.0.1",), -1, False, (State.FAIL, "cert_expired")),
            (("127.0.0.1",), 29, True, (State.FAIL, "cert_self_signed")),
            (("mail.firma.ru",), 29, False, (State.FAIL, "cert_names")),
        ],
    )
    async def test_is_read_whatever_is_wrong_with_it(
        self, certificates: Authority, names: tuple[str, ...], until: int, self_signed: bool, expected: tuple[State, str | None]
    ) -> None:
        shown = certificates.signs(*names, until=timedelta(days=until), self_signed=self_signed)
        async with scripted_imap(ScriptedImap(), tls=shown.server()) as scripted:
            account = Account.of(f"imaps://me:secret@127.0.0.1:{scripted.port}")
            steps = await steps_of(Checkup(ADDRESS, account, trust=certificates.trust(), clock=SystemClock()))
        assert told(steps["imap_tls"]) == expected
        assert names[0] in steps["imap_tls"].words
        failed = expected[0] is State.FAIL
        assert steps["imap_login"].state is (State.SKIPPED if failed else State.OK)
        assert any(line.startswith("LOGIN") for line in scripted.heard) is not failed, "no password goes to a server nobody knows"

    async def test_nobody_known_has_signed_it(self, certificates: Authority) -> None:
        async with scripted_imap(ScriptedImap(), tls=certificates.signs("127.0.0.1").server()) as scripted:
            steps = await steps_of(Checkup(ADDRESS, Account.of(f"imaps://me:secret@127.0.0.1:{scripted.port}")))
        assert told(steps["imap_tls"]) == (State.FAIL, "cert_unknown")

    async def test_a_port_without_tls_is_told(self) -> None:
        async with scripted_imap(ScriptedImap()) as scripted:
            steps = await steps_of(Checkup(ADDRESS, Account.of(f"imaps://me:secret@127.0.0.1:{scripted.port}"), seconds=3))
        assert told(steps["imap_tls"]) == (State.FAIL, "tls")
        assert "_ssl.c" not in steps["imap_tls"].words

    @pytest.mark.parametrize("until", [29, -1])
    async def test_starttls_at_a_real_server(self, certificates: Authority, until: int) -> None:
        shown = certificates.signs("127.0.0.1", until=timedelta(days=until))
        server = await asyncio.to_thread(lambda: ImapServer(certificate=(shown.certificate, shown.key)))
        try:
            account = Account.of(server.url.replace("imap://", "imap+starttls://"))
            steps = await steps_of(Checkup(ADDRESS, account, trust=certificates.trust(), clock=SystemClock()))
        finally:
            await asyncio.to_thread(server.remove)
        expected = [State.OK] * 5 if until > 0 else [State.OK, State.FAIL, *[State.SKIPPED] * 3]
        assert [step.state for step in steps.values()] == expected

    async def test_an_unprotected_connection_to_elsewhere_is_told(self, monkeypatch: pytest.MonkeyPatch, server: ImapServer) -> None:
        monkeypatch.setattr("channels.email.checkup._is_here", lambda _host: False)
        steps = await steps_of(Checkup(ADDRESS, Account.of(server.url)))
        assert told(steps["imap_tls"]) == (State.WARN, "no_tls")
        assert steps["imap_login"].state is State.OK


@dataclass
class Carrying:
    """A way out that ends in a mailbox, or nowhere, or is refused."""

    to: ImapServer | None = None
    refuses: str = ""
    carried: list[bytes] = field(default_factory=list)

    async def deliver(self, raw: bytes, *, sender: str, recipient: str) -> None:
        if self.refuses:
            raise Refused(self.refuses)
        self.carried.append(raw)
        if self.to is not None:
            await asyncio.to_thread(self.to.put, raw)

    async def test(self) -> list[Tried]:
        return [Tried("way out", passed=True, words="250 OK")]

    async def close(self) -> None:
        """Holds nothing."""


async def nowhere(_message_id: str) -> bool:
    return False


class TestMailToItself:
    async def test_is_seen_in_the_mailbox_and_stays_unread(self, server: ImapServer) -> None:
        out = Carrying(server)
        before = server.count("UNSEEN")
        steps = await steps_of(Checkup(ADDRESS, Account.of(server.url), sender=out, loop=Loop(SECRET, out, nowhere, seconds=10)))
        assert steps["loop"].state is State.OK
        assert steps["loop"].words.startswith("INBOX: ")
        assert server.count("UNSEEN") == before + 1

    async def test_is_seen_in_the_store_and_opens_nothing(self) -> None:
        accept = Storing()
        listener = MailListener(
            "127.0.0.1", 0, inboxes=lambda address: InboxAddress("inbox", address), accept=accept, blobs=MemoryBlobs(), secret=SECRET,
            clock=FakeClock(NOW),
        )  # fmt: skip
        await listener.start()

        async def arrived(message_id: str) -> bool:
            return message_id in accept.stored

        steps = await steps_of(Checkup(ADDRESS, loop=Loop(SECRET, SmtpSender(f"smtp://127.0.0.1:{listener.port}", idle=0), arrived)))
        await listener.stop()
        assert steps["loop"].state is State.OK
        message = accept.stored[steps["loop"].words]
        assert (message.verdict, message.held, message.automatic) == ("own_check", True, True)

    async def test_that_does_not_come_is_told(self, server: ImapServer) -> None:
        out = Carrying()
        steps = await steps_of(Checkup(ADDRESS, Account.of(server.url), sender=out, loop=Loop(SECRET, out, nowhere, seconds=1)))
        assert told(steps["loop"]) == (State.FAIL, "loop_lost")
        assert b"Auto-Submitted: auto-generated" in out.carried[0]

    async def test_that_is_refused_is_told_in_the_servers_words(self) -> None:
        steps = await steps_of(Checkup(ADDRESS, loop=Loop(SECRET, Carrying(refuses="550 relaying denied"), nowhere)))
        assert (*told(steps["loop"]), steps["loop"].words) == (State.FAIL, "loop_refused", "550 relaying denied")

    @pytest.mark.parametrize("why", ["paused", "not_running", "not_saved"])
    async def test_is_not_sent_where_nobody_would_see_it(self, why: str) -> None:
        out = Carrying()
        steps = await steps_of(Checkup(ADDRESS, loop=Loop(SECRET, out, nowhere, why_not=why)))
        assert told(steps["loop"]) == (State.SKIPPED, why)
        assert out.carried == []

    async def test_waits_for_the_steps_before(self) -> None:
        out = Carrying()
        account = Account.of("imap://a:b@127.0.0.1:1")
        steps = await steps_of(Checkup(ADDRESS, account, sender=SmtpSender("smtp://127.0.0.1:1"), loop=Loop(SECRET, out, nowhere)))
        assert told(steps["loop"]) == (State.SKIPPED, "needs_earlier")
        assert out.carried == []


async def test_the_sandbox_reaches_nobody(tmp_path: Path) -> None:
    steps = await steps_of(Checkup(ADDRESS, sender=SandboxSender(MailSandbox(tmp_path, clock=FakeClock(NOW)))))
    assert told(steps["smtp"]) == (State.WARN, "no_relay")


async def test_the_channel_tells_the_same_in_short(server: ImapServer) -> None:
    channel = EmailChannel(
        "inbox", mailbox=Mailbox(ADDRESS, "Support"), sender=Carrying(), blobs=MemoryBlobs(), secret=SECRET, clock=FakeClock(NOW),
        account=Account.of(server.url),
    )  # fmt: skip
    assert [passed for _step, passed, _words in await channel.test()] == [True] * 6


def test_every_word_has_its_russian() -> None:
    sentences = (*STEPS.values(), *ADVICE.values(), *STATES.values())
    assert [text for text in sentences if translate("ru", text) == text] == []
