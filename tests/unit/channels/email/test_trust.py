"""Whether a sender is who it says: real signatures, a zone in memory, and headers of servers we trust and of those we do not."""

import time

import pytest

from channels.email.addresses import addresses
from channels.email.checks import Names, policy_of
from channels.email.examining import Examiner, trust_of
from channels.email.results import read_results
from channels.email.trust import Origin, Result, Standing, Trust, Trusted, author_of
from tests.fakes.signing import OpenZone, sealed, signed
from tests.unit.channels.email.mails import mail

CLIENT = Origin("1.2.3.4", "mx.example.com")
ANNA = "anna@example.com"
OURS = Trusted(frozenset({"mx.desk.example"}))


async def checked(raw: bytes, zone: OpenZone, *, sender: str | None = ANNA, origin: Origin | None = CLIENT, **options: object) -> Trust:
    given = {"identity": ANNA, "trusted": Trusted(), **options}
    found = await trust_of(raw, examiner=Examiner(zone, seconds=2, grace=2), envelope_from=sender, origin=origin, **given)  # type: ignore[arg-type]
    assert found is not None
    return found


async def told(*headers: str, below: bytes = b"", trusted: Trusted = OURS, **options: str) -> Trust | None:
    raw = "".join(f"{line}\r\n" for line in headers).encode() + below + mail(**options)
    return await trust_of(raw, identity=ANNA, trusted=trusted)


def results(told: str, by: str = "mx.desk.example") -> str:
    return f"Authentication-Results: {by}; {told}"


def said(trust: Trust, method: str) -> list[Result]:
    return [one.result for one in trust.findings if one.method == method]


def codes(trust: Trust) -> list[str]:
    return [one.code for one in trust.reasons]


def zone_of(*, policy: str = "p=reject", spf: str = "v=spf1 -all") -> OpenZone:
    zone = OpenZone(txt={"example.com": [spf]} if spf else {})
    zone.publishes_key("example.com")
    if policy:
        zone.publishes_policy("example.com", policy)
    return zone


class TestASignature:
    async def test_proves_the_sender(self) -> None:
        trust = await checked(signed(mail(), "example.com"), zone_of())
        assert (trust.verdict, trust.acts, said(trust, "dkim"), said(trust, "dmarc")) == (
            Standing.VERIFIED, True, [Result.PASS], [Result.PASS],
        )  # fmt: skip
        assert trust.policy == "reject"

    async def test_of_a_domain_below_proves_it_too_unless_the_owner_is_strict(self) -> None:
        raw = signed(mail(), "mail.example.com")
        zone = zone_of()
        zone.publishes_key("mail.example.com")
        assert (await checked(raw, zone)).verdict is Standing.VERIFIED
        zone.publishes_policy("example.com", "p=reject; adkim=s")
        assert (await checked(raw, zone)).verdict is Standing.FORGED

    async def test_proves_a_domain_without_a_policy(self) -> None:
        assert (await checked(signed(mail(), "example.com"), zone_of(policy=""))).verdict is Standing.VERIFIED

    @pytest.mark.parametrize(
        ("raw", "result"),
        [
            (signed(mail("Hello"), "example.com").replace(b"Hello", b"Pay me"), Result.FAIL),
            (signed(mail(), "example.com").replace(b"Subject: Printer", b"Subject: Money"), Result.FAIL),
            (signed(mail(), "example.com", selector="gone"), Result.FAIL),
            (signed(mail(), "example.com") + b"\r\nmore", Result.FAIL),
            (signed(mail("Hello\n"), "example.com", length=True) + b"more\r\n", Result.PERMERROR),
            (signed(mail(), "example.com", signature_algorithm=b"rsa-sha1"), Result.PERMERROR),
            (b"DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=s1\r\n" + mail(), Result.FAIL),
            (b"DKIM-Signature: d=example.com; bh=\xff; h=from; s=s1; a=rsa-sha256; b=AA==\r\n" + mail(), Result.FAIL),
        ],
        ids=["body", "subject", "no_key", "appended", "beyond_length", "sha1", "fields", "bytes"],
    )
    async def test_that_does_not_hold_proves_nothing(self, raw: bytes, result: Result) -> None:
        trust = await checked(raw, zone_of())
        assert (trust.verdict, said(trust, "dkim")) == (Standing.FORGED, [result])
        assert codes(trust) == ["spf_fail", "dkim_fail", "dmarc_fail"]

    async def test_that_has_expired_proves_nothing(self) -> None:
        header, _, rest = signed(mail(), "example.com").partition(b"bh=")
        trust = await checked(header + b"x=1600000000; bh=" + rest, zone_of())
        assert (trust.verdict, said(trust, "dkim")) == (Standing.FORGED, [Result.FAIL])

    async def test_with_a_broken_or_withdrawn_key_proves_nothing(self) -> None:
        for record in ("v=DKIM1; p=", "v=DKIM1; k=rsa; p=!!!", "nonsense", "v=DKIM1; p=AAAA", "v=DKIM1; k=ed25519; p=AAAA"):
            zone = zone_of()
            zone.txt["s1._domainkey.example.com"] = [record]
            assert (await checked(signed(mail(), "example.com"), zone)).verdict is Standing.FORGED, record

    async def test_of_another_domain_is_not_even_asked_for(self) -> None:
        zone = zone_of()
        zone.publishes_key("evil.example")
        trust = await checked(signed(mail(), "evil.example"), zone, sender="a@evil.example")
        assert (trust.verdict, codes(trust)) == (Standing.FORGED, ["spf_other", "dkim_other", "dmarc_fail"])
        assert not [name for name in zone.asked if name.endswith("evil.example")], "a slow name server of a stranger delays nothing"

    async def test_a_second_one_may_hold(self) -> None:
        raw = signed(signed(mail(), "example.com"), "example.com", selector="gone")
        assert (await checked(raw, zone_of())).verdict is Standing.VERIFIED

    async def test_a_selector_that_cannot_be_a_name_is_no_silent_name_server(self) -> None:
        raw = signed(mail(), "example.com", selector="x" * 80)
        assert (await checked(raw, zone_of())).verdict is Standing.FORGED


class TestSpf:
    @pytest.mark.parametrize(
        ("record", "result", "verdict"),
        [
            ("v=spf1 ip4:1.2.3.0/24 -all", Result.PASS, Standing.VERIFIED),
            ("v=spf1 include:_spf.example.com -all", Result.PASS, Standing.VERIFIED),
            ("v=spf1 redirect=_spf.example.com", Result.PASS, Standing.VERIFIED),
            ("v=spf1 a mx -all", Result.PASS, Standing.VERIFIED),
            ("v=spf1 exists:%{i}.ok.example.com -all", Result.PASS, Standing.VERIFIED),
            ("v=spf1 ptr -all", Result.PASS, Standing.VERIFIED),
            ("v=spf1 ip4:192.0.2.1 -all", Result.FAIL, Standing.FORGED),
            ("v=spf1 ip4:192.0.2.1 ~all", Result.SOFTFAIL, Standing.UNKNOWN),
            ("v=spf1 ip4:192.0.2.1 ?all", Result.NEUTRAL, Standing.UNKNOWN),
            ("v=spf1 ip4:nonsense -all", Result.PERMERROR, Standing.UNKNOWN),
            ("v=spf1 include:nowhere.example -all", Result.PERMERROR, Standing.UNKNOWN),
            ("v=spf1 " + " ".join(f"include:s{n}.example.com" for n in range(12)) + " -all", Result.PERMERROR, Standing.UNKNOWN),
            ("", Result.NONE, Standing.UNKNOWN),
        ],
    )
    async def test_of_the_senders_own_domain(self, record: str, result: Result, verdict: Standing) -> None:
        zone = zone_of(policy="", spf=record)
        zone.txt["_spf.example.com"] = ["v=spf1 ip4:1.2.3.4 -all"]
        zone.txt |= {f"s{n}.example.com": ["v=spf1 ?all"] for n in range(12)}
        zone.mx["example.com"] = [(10, "mx.example.com")]
        zone.a |= {"mx.example.com": ["1.2.3.4"], "1.2.3.4.ok.example.com": ["127.0.0.2"]}
        zone.ptr["1.2.3.4"] = ["mx.example.com"]
        trust = await checked(mail(), zone)
        assert (said(trust, "spf"), trust.verdict) == ([result], verdict)

    async def test_a_softfail_is_a_failure_where_the_owner_asks_to_reject(self) -> None:
        trust = await checked(mail(), zone_of(spf="v=spf1 ~all"))
        assert (trust.verdict, codes(trust)) == (Standing.FORGED, ["spf_softfail", "dkim_none", "dmarc_fail"])

    async def test_a_forwarded_mail_with_a_good_signature_is_no_forgery(self) -> None:
        trust = await checked(signed(mail(), "example.com"), zone_of(policy=""))
        assert (said(trust, "spf"), trust.verdict) == ([Result.FAIL], Standing.VERIFIED)

    async def test_two_records_are_an_error(self) -> None:
        zone = zone_of(policy="")
        zone.txt["example.com"] *= 2
        assert said(await checked(mail(), zone), "spf") == [Result.PERMERROR]

    async def test_an_empty_envelope_is_judged_by_the_greeting(self) -> None:
        zone = zone_of(policy="")
        zone.txt["mx.example.com"] = ["v=spf1 ip4:1.2.3.4 -all"]
        trust = await checked(mail(), zone, sender="")
        assert [(one.result, one.domain) for one in trust.findings if one.method == "spf"] == [(Result.PASS, "mx.example.com")]

    @pytest.mark.parametrize("origin", [None, Origin("10.0.0.5", "relay"), Origin("unix")])
    async def test_is_not_judged_where_the_listener_did_not_see_the_client(self, origin: Origin | None) -> None:
        trust = await checked(mail(), zone_of(), origin=origin)
        assert (said(trust, "spf"), said(trust, "dmarc"), trust.verdict) == ([], [Result.NEUTRAL], Standing.UNKNOWN)


class TestAPolicy:
    @pytest.mark.parametrize(
        ("policy", "verdict"),
        [
            ("p=reject", Standing.FORGED),
            ("p=quarantine", Standing.FORGED),
            ("p=none", Standing.UNKNOWN),
            ("p=quarantine; pct=0", Standing.UNKNOWN),
            ("p=quarantine; t=y", Standing.UNKNOWN),
            ("p=nonsense", Standing.UNKNOWN),
            ("p=nonsense; rua=mailto:a@example.com", Standing.UNKNOWN),
            ("rua=mailto:a@example.com", Standing.UNKNOWN),
            ("p=reject; p=none", Standing.UNKNOWN),
            ("", Standing.UNKNOWN),
        ],
    )
    async def test_decides_what_a_failure_means(self, policy: str, verdict: Standing) -> None:
        assert (await checked(mail(), zone_of(policy=policy, spf="v=spf1 ~all"))).verdict is verdict

    @pytest.mark.parametrize(
        ("records", "wanted"),
        [
            ({"example.com": "p=reject"}, "reject"),
            ({"example.com": "p=reject; sp=none"}, "none"),
            ({"example.com": "p=none; sp=quarantine"}, "quarantine"),
            ({"example.com": "p=none; sp=reject", "news.example.com": "p=none"}, "none"),
        ],
    )
    def test_of_a_domain_below(self, records: dict[str, str], wanted: str) -> None:
        zone = OpenZone()
        for domain, policy in records.items():
            zone.publishes_policy(domain, policy)
        found = policy_of("news.example.com", Names(zone, until=time.monotonic() + 5))
        assert found is not None
        assert found.wanted == wanted

    def test_two_records_are_none_and_other_texts_are_not_policies(self) -> None:
        zone = OpenZone(txt={"_dmarc.example.com": ["v=DMARC1; p=reject", "v=DMARC1; p=none"]})
        names = Names(zone, until=time.monotonic() + 5)
        assert policy_of("example.com", names) is None
        zone.txt["_dmarc.example.com"] = ["v=DMARC10; p=reject", "hello", "v=DMARC1 ; p=reject"]
        found = policy_of("example.com", names)
        assert found is not None
        assert found.wanted == "reject"

    async def test_neighbours_under_a_public_suffix_are_strangers(self) -> None:
        raw = signed(mail(From="Anna <anna@one.co.uk>"), "two.co.uk")
        zone = OpenZone(txt={"two.co.uk": ["v=spf1 +all"]})
        zone.publishes_key("two.co.uk")
        zone.publishes_policy("one.co.uk", "p=reject")
        trust = await checked(raw, zone, sender="a@two.co.uk", identity="anna@one.co.uk")
        assert trust.verdict is Standing.FORGED


class TestNameServersThatAreSilent:
    async def test_leave_it_open(self) -> None:
        zone = zone_of()
        zone.silent = frozenset({"_dmarc.example.com"})
        trust = await checked(mail(), zone)
        assert (trust.verdict, trust.acts, codes(trust)) == (Standing.UNKNOWN, True, ["names_unavailable"])

    @pytest.mark.parametrize("silent", ["s1._domainkey.example.com", "example.com"])
    async def test_for_one_record_leave_it_open(self, silent: str) -> None:
        zone = zone_of()
        zone.silent = frozenset({silent})
        raw = signed(mail("Hello"), "example.com").replace(b"Hello", b"Other") if silent == "example.com" else signed(mail(), "example.com")
        assert (await checked(raw, zone)).verdict is Standing.UNKNOWN

    async def test_do_not_delay_a_mail_for_long(self) -> None:
        class Slow(OpenZone):
            def texts(self, name: str) -> list[bytes]:
                time.sleep(0.4)
                return []

        began = time.monotonic()
        found = await trust_of(
            mail(), identity=ANNA, trusted=Trusted(), examiner=Examiner(Slow(), seconds=0.05, grace=0.05), envelope_from=ANNA, origin=CLIENT
        )
        assert found is not None
        assert found.verdict is Standing.UNKNOWN
        assert time.monotonic() - began < 0.3

    async def test_of_the_client_do_not_help_it(self) -> None:
        zone = zone_of(spf="v=spf1 ptr -all")
        zone.silent = frozenset({"1.2.3.4"})
        assert (await checked(mail(), zone)).verdict is Standing.FORGED


class TestAChain:
    """A list that a trusted sealer passes on changes the mail; the sealer saw it pass."""

    GOOD = "dkim=pass header.d=example.com; dmarc=pass header.from=example.com"
    SEALERS = Trusted(sealers=frozenset({"lists.example"}))

    def zone(self) -> OpenZone:
        zone = zone_of()
        zone.publishes_key("lists.example")
        return zone

    async def test_of_a_trusted_sealer_rescues(self) -> None:
        raw = sealed(mail("Changed by the list"), "lists.example", self.GOOD)
        trust = await checked(raw, self.zone(), trusted=self.SEALERS)
        assert (trust.verdict, said(trust, "arc"), codes(trust)[-1]) == (Standing.VERIFIED, [Result.PASS], "vouched")

    async def test_of_a_stranger_does_not(self) -> None:
        trust = await checked(sealed(mail(), "lists.example", self.GOOD), self.zone())
        assert (trust.verdict, said(trust, "arc")) == (Standing.FORGED, [])

    async def test_that_is_broken_does_not(self) -> None:
        raw = sealed(mail("Hello"), "lists.example", self.GOOD).replace(b"Hello", b"Pay me")
        trust = await checked(raw, self.zone(), trusted=self.SEALERS)
        assert (trust.verdict, said(trust, "arc")) == (Standing.FORGED, [Result.FAIL])

    @pytest.mark.parametrize("seen", ["dmarc=fail header.from=example.com", "dmarc=pass header.from=evil.example", "spf=none"])
    async def test_whose_sealer_saw_no_pass_of_this_author_does_not(self, seen: str) -> None:
        trust = await checked(sealed(mail(), "lists.example", seen), self.zone(), trusted=self.SEALERS)
        assert (trust.verdict, said(trust, "arc")) == (Standing.FORGED, [Result.PASS])

    async def test_that_a_stranger_went_on_with_does_not(self) -> None:
        zone = self.zone()
        zone.publishes_key("evil.example")
        raw = sealed(sealed(mail(), "lists.example", self.GOOD), "evil.example", "arc=pass")
        assert (await checked(raw, zone, trusted=self.SEALERS)).verdict is Standing.FORGED

    async def test_a_word_of_our_own_server_about_it_is_enough(self) -> None:
        raw = results("arc=pass; dmarc=fail header.from=example.com").encode() + b"\r\n" + sealed(mail(), "lists.example", self.GOOD)
        ours = Trusted(OURS.authserv, self.SEALERS.sealers)
        for trusted, verdict in ((ours, Standing.VERIFIED), (OURS, Standing.FORGED)):
            found = await trust_of(raw, identity=ANNA, trusted=trusted)
            assert found is not None
            assert found.verdict is verdict

    async def test_nonsense_is_no_chain(self) -> None:
        raw = b"ARC-Seal: i=1; d=lists.example; s=s1\r\nARC-Message-Signature: i=x\r\n" + mail()
        assert (await checked(raw, self.zone(), trusted=self.SEALERS)).verdict is Standing.FORGED


class TestAWordOfOurServer:
    @pytest.mark.parametrize(
        ("told_", "verdict"),
        [
            ("dmarc=pass header.from=example.com", Standing.VERIFIED),
            ("dmarc=pass (p=REJECT sp=NONE dis=NONE) header.from=example.com; spf=fail smtp.mailfrom=example.com", Standing.VERIFIED),
            ("dkim=pass header.d=example.com", Standing.VERIFIED),
            ("dkim=pass header.i=@mail.example.com header.s=s1", Standing.VERIFIED),
            ("spf=pass smtp.mailfrom=bounces@example.com", Standing.VERIFIED),
            ("dmarc=fail header.from=example.com", Standing.FORGED),
            ("dmarc=fail (p=QUARANTINE) header.from=example.com; dkim=pass header.d=evil.example", Standing.FORGED),
            ("dmarc=fail (p=none dis=none) header.from=example.com", Standing.UNKNOWN),
            ("dmarc=fail policy.dmarc=none header.from=example.com", Standing.UNKNOWN),
            ("dmarc=fail header.from=example.com; dkim=pass header.d=mail.example.com", Standing.FORGED),
            ("spf=fail smtp.mailfrom=anna@example.com; dkim=none", Standing.FORGED),
            ("spf=hardfail smtp.mailfrom=anna@example.com", Standing.FORGED),
            ("spf=fail smtp.mailfrom=a@evil.example", Standing.UNKNOWN),
            ("spf=softfail smtp.mailfrom=anna@example.com", Standing.UNKNOWN),
            ("spf=pass smtp.mailfrom=a@evil.example; dkim=pass header.d=evil.example", Standing.UNKNOWN),
            ("dmarc=temperror header.from=example.com; spf=fail smtp.mailfrom=example.com", Standing.UNKNOWN),
            ("none", Standing.UNKNOWN),
            ("dmarc=pass header.from=evil.example", Standing.FORGED),
        ],
    )
    async def test_is_believed(self, told_: str, verdict: Standing) -> None:
        trust = await told(results(told_))
        assert trust is not None
        assert (trust.verdict, trust.by) == (verdict, "mx.desk.example")

    async def test_is_read_over_several_headers_folded_and_with_comments(self) -> None:
        trust = await told(
            "Received: from mx by store",
            "Authentication-Results: mx.desk.example (our own; dmarc=pass header.from=example.com) 1;\r\n"
            "\tspf=fail (no; not \\) allowed)\r\n"
            ' smtp.mailfrom="anna"@example.com',
            "X-Spam: no",
            results('dmarc=fail (p=reject (really)) reason="; dmarc=pass" header.from=EXAMPLE.com'),
        )
        assert trust is not None
        assert (trust.verdict, said(trust, "dmarc"), said(trust, "spf"), trust.policy) == (
            Standing.FORGED, [Result.FAIL], [Result.FAIL], "reject",
        )  # fmt: skip

    async def test_a_foreign_header_is_ignored_and_ends_the_run(self) -> None:
        assert await told(results("dmarc=pass header.from=example.com", by="evil.example")) is None
        assert await told(results("none", by="evil.example"), results("dmarc=pass header.from=example.com")) is None
        trust = await told(results("spf=none"), results("none", by="evil.example"), results("dmarc=pass header.from=example.com"))
        assert trust is not None
        assert trust.verdict is Standing.UNKNOWN

    async def test_a_header_that_came_from_outside_is_not_believed_below_our_own(self) -> None:
        trust = await told(
            results("dmarc=fail header.from=example.com"), "Received: from evil by mx", results("dmarc=pass header.from=example.com")
        )
        assert trust is not None
        assert trust.verdict is Standing.FORGED

    async def test_what_is_said_first_counts(self) -> None:
        trust = await told(results("dmarc=fail header.from=example.com"), results("dmarc=pass header.from=example.com"))
        assert trust is not None
        assert trust.verdict is Standing.FORGED

    async def test_without_trusted_ids_nothing_is_read(self) -> None:
        assert await told(results("dmarc=pass header.from=example.com"), trusted=Trusted()) is None

    async def test_ids_may_name_all_hosts_of_a_provider_or_nobody(self) -> None:
        provider, nameless = Trusted(frozenset({"*.mail.example"})), Trusted(frozenset({""}))
        assert await told(results("spf=none", by="mx7.mail.example"), trusted=provider) is not None
        assert await told(results("spf=none", by="mail.example"), trusted=provider) is None
        trust = await told("Authentication-Results: spf=pass smtp.mailfrom=example.com; dmarc=none", trusted=nameless)
        assert trust is not None
        assert trust.verdict is Standing.VERIFIED

    async def test_comes_before_own_checks(self) -> None:
        zone = zone_of()
        raw = results("dmarc=pass header.from=example.com").encode() + b"\r\n" + mail()
        trust = await checked(raw, zone, trusted=OURS, origin=Origin("10.0.0.5"))
        assert (trust.verdict, zone.asked) == (Standing.VERIFIED, [])

    async def test_is_not_looked_for_in_what_a_stranger_hands_over_himself(self) -> None:
        raw = results("dmarc=pass header.from=example.com").encode() + b"\r\n" + mail()
        assert (await checked(raw, zone_of(), trusted=OURS)).verdict is Standing.FORGED
        assert await trust_of(raw, identity=ANNA, trusted=OURS, origin=CLIENT) is None


class TestTheAuthor:
    async def test_is_one_person(self) -> None:
        for given in ("Anna <anna@example.com>, eve@evil.example", "Anna <anna@example.com>\r\nFrom: eve@evil.example"):
            trust = await told(results("dmarc=pass header.from=example.com"), From=given)
            assert trust is not None
            assert (trust.verdict, codes(trust)[0]) == (Standing.FORGED, "several_senders")

    async def test_whose_address_is_only_borrowed_may_not_act(self) -> None:
        raw = (results("dmarc=pass header.from=shop.example") + "\r\n").encode() + mail(
            From="no-reply@shop.example", reply_to="anna@example.com"
        )
        trust = await trust_of(raw, identity=ANNA, trusted=OURS)
        assert trust is not None
        assert (trust.verdict, trust.acts, codes(trust)[0]) == (Standing.UNKNOWN, False, "borrowed")

    async def test_a_neighbour_of_the_same_domain_may_not_act_either(self) -> None:
        passed = (results("dmarc=pass header.from=example.com") + "\r\n").encode()
        trust = await trust_of(passed + mail(From="noreply.eve@example.com", reply_to=ANNA), identity=ANNA, trusted=OURS)
        assert trust is not None
        assert (trust.acts, codes(trust)[0]) == (False, "borrowed")

    @pytest.mark.parametrize("given", ['"Anna <anna@example.com>" <eve@example.com>', "eve@example.com (<anna@example.com>)"])
    def test_is_no_address_in_a_name(self, given: str) -> None:
        assert author_of([("from", given.encode())]).address == "eve@example.com"
        assert addresses(given.encode())[0][1] == "eve@example.com"

    async def test_who_is_missing_may_not_act(self) -> None:
        raw = (results("spf=pass smtp.mailfrom=evil.example") + "\r\n").encode() + mail(From="", sender="anna@example.com")
        trust = await trust_of(raw, identity=ANNA, trusted=OURS)
        assert trust is not None
        assert (trust.verdict, trust.acts) == (Standing.UNKNOWN, False)

    async def test_nobody_is_asked_about_a_mail_that_names_several(self) -> None:
        zone = zone_of()
        trust = await checked(mail(From="anna@example.com, eve@evil.example"), zone)
        assert (trust.verdict, zone.asked) == (Standing.FORGED, [])

    async def test_may_live_under_a_russian_name(self) -> None:
        raw = (results("dmarc=pass header.from=xn--e1afmkfd.xn--p1ai") + "\r\n").encode() + mail(From="Анна <anna@пример.рф>")
        trust = await trust_of(raw, identity="anna@пример.рф", trusted=OURS)
        assert trust is not None
        assert trust.verdict is Standing.VERIFIED


async def test_a_mail_that_trips_the_checks_arrives_and_does_not_profit() -> None:
    class Broken(OpenZone):
        def texts(self, name: str) -> list[bytes]:
            raise ZeroDivisionError

    trust = await checked(mail(), Broken())
    assert (trust.verdict, trust.acts) == (Standing.UNKNOWN, False)


@pytest.mark.parametrize(
    "value", ["", ";", ";;;", "a", "a;b", "(", '"', "a; spf", "a; =x", "a; spf=", "a (b; spf=pass", 'a; spf="x', "\\", "a;\\"]
)
def test_untidy_results_say_nothing(value: str) -> None:
    assert read_results(value.encode()).methods == ()
