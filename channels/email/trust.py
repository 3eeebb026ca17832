"""Whether a mail is from whom it says it is from: what is known of it (evidence), weighed into one verdict. Pure.

Evidence comes from one of two places:

* **A trusted server's Authentication-Results** (RFC 8601), where the inbox names the ids of its own mail servers (`trusted_authserv`).
  Only the topmost run of such headers is read; a header of another id, or a Received line, ends it. This believes what section 5 of the
  RFC asks of every mail server: that it removes headers with its own id from mail that comes from outside, and puts its own on top.
  Where a client of the world talks to our listener itself no such server stands between, so its headers are not read at all.
* **Our own checks** (`channels.email.checks`), where the deployment asks for them and the first gave nothing.

The verdict is about the domain of the one address in From (RFC 7489, 3.1): DKIM or SPF has to pass for a domain aligned with it. Domains
are aligned when they have the same organisational domain by the public suffix list that `publicsuffixlist` ships, so nothing is fetched.
An ARC chain (RFC 8617) counts where the last sealers of it are trusted by the inbox and one of them saw the mail pass.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from channels.email.addresses import addresses
from channels.email.results import MethodResult, read_results
from desk_core.conversations.addresses import ascii_domain

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

_COMMENT_POLICY = re.compile(r"\b(p|sp)\s*=\s*(none|quarantine|reject)\b", re.IGNORECASE)
_SEAL = re.compile(rb"(?:^|;)\s*([id])\s*=\s*([^\s;]+)")
_INSTANCE = re.compile(rb"\s*i\s*=\s*(\d{1,3})\s*;")

Headers = Sequence[tuple[str, bytes]]


class Result(StrEnum):
    """What a method says (RFC 8601, 2.7)."""

    PASS = "pass"  # noqa: S105 - no password
    FAIL = "fail"
    SOFTFAIL = "softfail"
    NEUTRAL = "neutral"
    NONE = "none"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"


class Standing(StrEnum):
    """The verdict. `UNKNOWN`: nothing says either way."""

    VERIFIED = "verified"
    UNKNOWN = "unknown"
    FORGED = "forged"


@dataclass(frozen=True, slots=True)
class Trusted:
    """Whose word an inbox believes: ids of its own mail servers (`*.example.org` for all hosts of one), domains that seal (ARC)."""

    authserv: frozenset[str] = frozenset()
    sealers: frozenset[str] = frozenset()

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> "Trusted":
        """From the configuration of an inbox: `trusted_authserv` and `trusted_sealers`, both lists."""
        named = (frozenset(str(one).strip().lower() for one in config.get(key) or ()) for key in ("trusted_authserv", "trusted_sealers"))
        return cls(*named)

    def knows(self, authserv: str) -> bool:
        return authserv in self.authserv or any(one.startswith("*.") and authserv.endswith(one[1:]) for one in self.authserv)


NOBODY_TRUSTED = Trusted()


@dataclass(frozen=True, slots=True)
class Origin:
    """The SMTP client that brought a mail, where it is no server of our own: its address and the name it greeted with."""

    address: str
    helo: str = ""

    @property
    def is_public(self) -> bool:
        """Whether it came from the world; a neighbour in a private network is some relay that does not tell for whom it speaks."""
        try:
            return ip_address(self.address).is_global
        except ValueError:
            return False


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one method and the domain it speaks for."""

    method: str  # spf, dkim, dmarc, arc
    result: Result
    domain: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything known before it is weighed. `policy` is the one of the author's domain: none, quarantine, reject; empty: not known."""

    findings: tuple[Finding, ...] = ()
    policy: str = ""
    by: str | None = None  # the server that told; None: our own checks
    strict_dkim: bool = False
    strict_spf: bool = False
    signatures: tuple[str, ...] = ()  # domains of signatures that nobody checked, for words alone
    vouched: str = ""  # the trusted sealer who saw the author pass, where the chain holds


@dataclass(frozen=True, slots=True)
class Author:
    """From, as the desk reads it: the first address; `several` where more than one person is named there, which no honest mail needs."""

    address: str = ""
    several: bool = False

    @property
    def domain(self) -> str:
        return domain_of(self.address)


@dataclass(frozen=True, slots=True)
class Reason:
    """A code that the console puts into words, and the domain it is about."""

    code: str
    domain: str = ""


@dataclass(frozen=True, slots=True)
class Trust:
    """What the desk makes of a sender. `acts` says whether the mail may act for the person whose address it bears."""

    verdict: Standing
    acts: bool = True
    findings: tuple[Finding, ...] = ()
    reasons: tuple[Reason, ...] = field(default=())
    policy: str = ""
    by: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Small and plain, for the card of the message."""
        return {
            "verdict": self.verdict.value, "acts": self.acts, "policy": self.policy, "by": self.by,
            "methods": [[one.method, one.result.value, one.domain] for one in self.findings],
            "reasons": [[one.code, one.domain] for one in self.reasons],
        }  # fmt: skip


def author_of(headers: Headers) -> Author:
    """Who stands in From."""
    written = [value for name, value in headers if name == "from"]
    found = [address for value in written for _, address in addresses(value)]
    if not found:
        return Author(several=len(written) > 1)
    return Author(found[0], several=len(written) > 1 or any(not aligned(domain_of(one), domain_of(found[0])) for one in found[1:]))


def told(headers: Headers, trusted: Trusted) -> Evidence | None:
    """What a trusted server put on top of the mail; None where none did."""
    methods: list[MethodResult] = []
    by: str | None = None
    for name, value in headers if trusted.authserv else ():
        if name == "received" and by is not None:
            break  # below is what came from outside
        if name == "authentication-results":
            results = read_results(value)
            if not trusted.knows(results.authserv):
                break
            by = results.authserv if by is None else by
            methods += results.methods
    if by is None:
        return None
    findings = [found for one in methods if (found := _finding(one)) is not None]
    dmarc = next((one for one in methods if one.method == "dmarc"), None)
    chain = next((one.result for one in findings if one.method == "arc"), None)
    author = author_of(headers).domain
    vouched = vouching(headers, trusted, author) if chain is Result.PASS else ""
    return Evidence(tuple(findings), policy=_policy(dmarc, author) if dmarc else "", by=by, vouched=vouched)


def sealers(headers: Headers) -> dict[int, str]:
    """Who sealed the ARC chain: instance -> domain, lower case."""
    found: dict[int, str] = {}
    for name, value in headers:
        if name == "arc-seal":
            tags = dict(reversed(_SEAL.findall(value)))
            if b"i" in tags and b"d" in tags and tags[b"i"].isdigit():
                found[int(tags[b"i"])] = tags[b"d"].decode("latin-1").lower()
    return found


def vouching(headers: Headers, trusted: Trusted, author: str) -> str:
    """The trusted sealer that saw a mail of this author pass; empty where none did. Ask only of a chain that holds.

    A seal says what its writer saw, so a stranger who sealed last may have changed everything: only the trusted end of the chain counts.
    """
    sealed = sealers(headers)
    seen = {int(at[1]): value[at.end() :] for name, value in headers if name.startswith("arc-auth") and (at := _INSTANCE.match(value))}
    for instance in range(max(sealed, default=0), 0, -1):
        if sealed.get(instance) not in trusted.sealers:
            break
        findings = [found for one in read_results(seen.get(instance, b"")).methods if (found := _finding(one)) is not None]
        if any(one.result is Result.PASS and one.method != "arc" and aligned(one.domain, author) for one in findings):
            return sealed[instance]
    return ""


def weigh(evidence: Evidence, *, author: Author, identity: str) -> Trust:
    """One verdict from the evidence.

    * Verified: DMARC passes, or DKIM or SPF passes for a domain aligned with From, whether or not the domain publishes a policy.
    * Forged: DMARC fails under a policy of quarantine or reject, or by word of a trusted server that does not say that the policy is none;
      SPF fails (`-all`) for the very domain in From and no aligned signature holds; From names several people; the trusted server
      judged another author than the one we read. An ARC chain that a trusted sealer vouches in takes the first two back.
    * Unknown: everything else.

    A sender that is not in From (a site's form writes from no-reply, with the person in Reply-To; a mail without From) is claimed by
    whoever wrote the mail: it may ask for something new, and not act for the person.
    """
    by_method = {name: [one for one in evidence.findings if one.method == name] for name in ("spf", "dkim", "dmarc", "arc")}
    spf, dmarc = (next(iter(by_method[name]), None) for name in ("spf", "dmarc"))
    signed = [one for one in by_method["dkim"] if _speaks(one, author.domain, strict=evidence.strict_dkim)]
    sent = spf if spf is not None and _speaks(spf, author.domain, strict=evidence.strict_spf) else None
    reasons = _reasons(evidence, by_method["dkim"], spf, dmarc, author=author.domain, signed=next(iter(signed), None))
    judged = dmarc.result if dmarc is not None else Result.NONE
    verdict, acts = Standing.UNKNOWN, True
    if author.several:
        verdict, reasons = Standing.FORGED, [Reason("several_senders"), *reasons]
    elif dmarc is not None and dmarc.domain and author.domain and not aligned(dmarc.domain, author.domain):
        verdict, reasons = Standing.FORGED, [Reason("another_author", dmarc.domain), *reasons]
    elif judged is Result.PASS or (judged is not Result.FAIL and (signed or sent is not None)):
        verdict = Standing.VERIFIED
    elif _refuted(evidence, spf, dmarc, author.domain):
        verdict = Standing.FORGED
        if evidence.vouched:
            verdict, reasons = Standing.VERIFIED, [*reasons, Reason("vouched", evidence.vouched)]
    if verdict is not Standing.FORGED and not (author.address and identity == author.address):
        verdict, acts, reasons = Standing.UNKNOWN, False, [Reason("borrowed" if author.domain else "no_author"), *reasons]
    return Trust(verdict, acts and verdict is not Standing.FORGED, evidence.findings, tuple(reasons), evidence.policy, evidence.by)


def aligned(one: str, other: str, *, strict: bool = False) -> bool:
    """Identifier alignment (RFC 7489, 3.1): the same domain, or, unless strict, the same organisational domain."""
    if not one or not other or one == other or strict:
        return bool(one) and one == other
    return organisational(one) == organisational(other)


def organisational(domain: str) -> str:
    """The organisational domain (RFC 7489, 3.2): one label below the public suffix."""
    return _suffixes().privatesuffix(domain) or domain


def domain_of(address: str) -> str:
    """The domain of an address or of a bare domain, as names are asked for: lower case, in ASCII."""
    return ascii_domain(address.rpartition("@")[2].strip(" <>."))


@cache
def _suffixes() -> "PublicSuffixList":
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList()


def _speaks(finding: Finding, author: str, *, strict: bool) -> bool:
    return finding.result is Result.PASS and aligned(finding.domain, author, strict=strict)


def _refuted(evidence: Evidence, spf: Finding | None, dmarc: Finding | None, author: str) -> bool:
    if dmarc is not None and dmarc.result is Result.TEMPERROR:
        return False
    if dmarc is not None and dmarc.result is Result.FAIL and evidence.policy != "none":
        return True
    return spf is not None and spf.result is Result.FAIL and spf.domain == author and _checked(evidence)


def _checked(evidence: Evidence) -> bool:
    """Whether every signature could be looked at: one whose key nobody could fetch may be good."""
    return not any(one.method == "dkim" and one.result is Result.TEMPERROR for one in evidence.findings)


def _reasons(
    evidence: Evidence, dkim: Sequence[Finding], spf: Finding | None, dmarc: Finding | None, *, author: str, signed: Finding | None
) -> list[Reason]:
    """What was found, in the order in which people ask: who sent it, who signed it, what the domain wants done."""
    found: list[Reason] = []
    if spf is not None:
        match spf.result:
            case Result.FAIL | Result.SOFTFAIL:
                found.append(Reason(f"spf_{spf.result}", spf.domain))
            case Result.PASS | Result.NEUTRAL if spf.domain and not aligned(spf.domain, author, strict=evidence.strict_spf):
                found.append(Reason("spf_other", spf.domain))
            case Result.PASS:
                found.append(Reason("spf_pass", spf.domain))
            case _:
                pass
    passed = next((one for one in dkim if one.result is Result.PASS), None)
    if signed is not None:
        found.append(Reason("dkim_pass", signed.domain))
    elif passed is not None:
        found.append(Reason("dkim_other", passed.domain))
    elif broken := next((one for one in dkim if one.result in (Result.FAIL, Result.PERMERROR)), None):
        found.append(Reason("dkim_fail", broken.domain))
    elif evidence.signatures:
        found.append(Reason("dkim_other", evidence.signatures[0]))
    elif any(one.result is Result.NONE for one in dkim):
        found.append(Reason("dkim_none"))
    if dmarc is not None and dmarc.result in (Result.PASS, Result.FAIL):
        found.append(Reason(f"dmarc_{dmarc.result}", dmarc.domain))
    if any(one.result is Result.TEMPERROR for one in evidence.findings):
        found.append(Reason("names_unavailable"))
    return found


def _finding(one: MethodResult) -> Finding | None:
    """A result of another server; methods that say nothing of the sender are passed over."""
    said = one.properties
    match one.method:
        case "spf":
            domain = said.get("smtp.mailfrom") or said.get("smtp.mail") or said.get("smtp.helo") or ""
        case "dkim":
            domain = said.get("header.d") or said.get("header.i") or ""
        case "dmarc":
            domain = said.get("header.from") or ""
        case "arc":
            domain = ""
        case _:
            return None
    if one.result == "hardfail":
        return Finding(one.method, Result.FAIL, domain_of(domain))
    known = one.result in Result.__members__.values()
    return Finding(one.method, Result(one.result) if known else Result.NEUTRAL, domain_of(domain))


def _policy(dmarc: MethodResult, author: str) -> str:
    """The policy as the server names it: `policy.dmarc=reject`, or in a comment, `(p=REJECT sp=NONE dis=NONE)`."""
    named = {name.lower(): value.lower() for name, value in reversed(_COMMENT_POLICY.findall(dmarc.comment))}
    below = named.get("sp") if author != organisational(author) else None
    return (dmarc.properties.get("policy.dmarc") or below or named.get("p") or "").lower()
