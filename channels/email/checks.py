"""Own checks of a mail: DKIM and ARC by dkimpy, SPF by pyspf, the DMARC policy from the domain name system. Blocking; call in a thread.

pyspf has had no release since 2020 and needs its quirks hidden, yet it passes the RFC 7208 suite (macros, limits, redirects) and its one
point of contact with the network is a method, which is replaced here by our `Resolver`. Writing that anew would be the larger risk.

dkimpy lets some things pass that a verifier must not (RFC 6376, RFC 8301): a signature that leaves From out, SHA-1, a body that goes on
after the signed length. They are refused here.

Only names that can decide are asked for: the author's own domain, those aligned with it, and trusted sealers. A stranger's slow name
server could otherwise use up the time of the check, and a mail that was not checked in time is not taken for a forgery.
"""

import logging
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import dkim
import spf
from dkim.canonicalization import CanonicalizationPolicy
from dkim.util import InvalidTagValueList, parse_tag_value

from channels.email.mime import top_headers
from channels.email.resolver import NamesUnavailable, Resolver
from channels.email.trust import (
    NOBODY_TRUSTED,
    Evidence,
    Finding,
    Origin,
    Result,
    Trusted,
    aligned,
    domain_of,
    organisational,
    sealers,
    vouching,
)

_SIGNATURES = 4  # of the author's domain; more are not honest
_DMARC = re.compile(rb"v\s*=\s*DMARC1\s*(?:;|$)")
_POLICIES = ("none", "quarantine", "reject")
_NAME = re.compile(r"(?:[^.\s]{1,63}\.)*[^.\s]{1,63}")

# dkimpy would write headers of mails into the log.
_SILENT = logging.getLogger("priyom.dkim")
_SILENT.propagate, _SILENT.disabled = False, True


@dataclass(frozen=True, slots=True)
class Policy:
    """What the owner of a domain wants done with mail that is not theirs (RFC 7489, 6.3)."""

    wanted: str
    strict_dkim: bool = False
    strict_spf: bool = False


class Names:
    """A resolver until a moment; after it, and for nobody's answer, `NamesUnavailable`. A name that cannot exist has no records."""

    def __init__(self, resolver: Resolver, *, until: float) -> None:
        self._resolver, self._until = resolver, until

    def texts(self, name: str) -> Sequence[bytes]:
        return self._resolver.texts(name) if self._may_ask(name) else ()

    def mail_servers(self, name: str) -> Sequence[tuple[int, str]]:
        return self._resolver.mail_servers(name) if self._may_ask(name) else ()

    def addresses(self, name: str) -> Sequence[str]:
        return self._resolver.addresses(name) if self._may_ask(name) else ()

    def names(self, address: str) -> Sequence[str]:
        return self._resolver.names(address) if self._may_ask(address) else ()

    def key(self, name: bytes, timeout: float = 0) -> bytes | None:
        """The DKIM key record (RFC 6376, 3.6.2.2), in dkimpy's manner."""
        found = self.texts(name.decode("ascii", "replace").rstrip("."))
        return next((one for one in found if one.lstrip().lower().startswith(b"v=dkim1")), found[0] if found else None)

    def _may_ask(self, name: str) -> bool:
        if time.monotonic() > self._until:
            raise NamesUnavailable(name=name, reason="TooLate")
        # Senders choose selectors: a name too long to ask for must not look like a silent name server.
        return len(name) <= 253 and name.isascii() and _NAME.fullmatch(name) is not None


def examine(
    raw: bytes,
    *,
    author: str,
    envelope_from: str | None,
    origin: Origin | None,
    resolver: Resolver,
    until: float,
    trusted: Trusted = NOBODY_TRUSTED,
) -> Evidence:
    """What can be found out about a mail whose From has the domain `author`; asks no names after `until` (monotonic seconds). Never raises.

    Without an `origin` SPF is not judged, so DMARC can pass but not fail.
    """
    names = Names(resolver, until=until)
    try:
        policy = policy_of(author, names)
    except NamesUnavailable:
        return Evidence((Finding("dmarc", Result.TEMPERROR, author),))
    strict_dkim, strict_spf = (policy.strict_dkim, policy.strict_spf) if policy is not None else (False, False)
    signed, others = signatures(raw, author=author, strict=strict_dkim, names=names)
    sent = sender(envelope_from, origin, author=author, strict=strict_spf, names=names)
    findings = [*signed, *([sent] if sent is not None else [])]
    findings.append(Finding("dmarc", _dmarc(policy, signed, sent), author))
    wanted = policy.wanted if policy is not None else ""
    evidence = Evidence(tuple(findings), policy=wanted, strict_dkim=strict_dkim, strict_spf=strict_spf, signatures=others)
    if any(one.result is Result.FAIL for one in findings) and (chain := arc(raw, trusted, names)) is not None:
        vouched = vouching(top_headers(raw), trusted, author) if chain.result is Result.PASS else ""
        evidence = replace(evidence, findings=(*evidence.findings, chain), vouched=vouched)
    return evidence


def policy_of(author: str, names: Names) -> Policy | None:
    """The DMARC policy for mail of a domain: its own, else that of its organisational domain (RFC 7489, 6.6.3). Raises `NamesUnavailable`.

    Several records are none, and a record without a usable policy is none unless it wants reports, which makes it "none".
    """
    organisation = organisational(author)
    for domain in dict.fromkeys((author, organisation)):
        records = [record for record in names.texts(f"_dmarc.{domain}") if _DMARC.match(record)]
        if len(records) > 1:
            return None
        if records:
            return _policy(_tags(records[0]), below=domain != author)
    return None


def signatures(raw: bytes, *, author: str, strict: bool, names: Names) -> tuple[list[Finding], tuple[str, ...]]:
    """(the signatures that speak for the author, checked; domains of the others). One finding "none" where there is no signature."""
    mine: list[tuple[int, str]] = []
    others: list[str] = []
    written = [value for name, value in top_headers(raw) if name == "dkim-signature"]
    for place, value in enumerate(written):
        domain = domain_of(_tags(value).get("d", ""))
        if aligned(domain, author, strict=strict):
            mine.append((place, domain))
        elif domain:
            others.append(domain)
    if not mine:
        return ([Finding("dkim", Result.NONE)] if not others else []), tuple(others[:_SIGNATURES])
    return [Finding("dkim", _signature(raw, place, names), domain) for place, domain in mine[:_SIGNATURES]], tuple(others[:_SIGNATURES])


def sender(envelope_from: str | None, origin: Origin | None, *, author: str, strict: bool, names: Names) -> Finding | None:
    """SPF (RFC 7208) of the envelope's domain, of the greeting's where the envelope is empty; None where the client was not seen.

    "Neutral" without asking where that domain is not aligned with the author's: it may pass and proves nothing.
    """
    if origin is None or envelope_from is None or not origin.is_public:
        return None
    address = envelope_from.strip("<> ")
    domain = domain_of(address) if address else domain_of(origin.helo)
    if not domain:
        return Finding("spf", Result.NONE)
    if not aligned(domain, author, strict=strict):
        return Finding("spf", Result.NEUTRAL, domain)
    local = address.rpartition("@")[0] or "postmaster"
    try:
        found, _code, _words = _Query(names, i=origin.address, s=f"{local}@{domain}", h=origin.helo or domain).check()
        return Finding("spf", Result(found), domain)
    except Exception:  # noqa: BLE001 - whatever a record does to the library, the mail goes on
        return Finding("spf", Result.PERMERROR, domain)


def arc(raw: bytes, trusted: Trusted, names: Names) -> Finding | None:
    """The chain (RFC 8617, 5.2); None where its last sealer is not trusted, so that a stranger's chain costs nothing."""
    sealed = sealers(top_headers(raw))
    last = sealed.get(max(sealed, default=0), "")
    if last not in trusted.sealers:
        return None
    try:
        found, _results, _words = dkim.ARC(raw, logger=_SILENT).verify(dnsfunc=names.key)
    except NamesUnavailable:
        return Finding("arc", Result.TEMPERROR, last)
    except Exception:  # noqa: BLE001 - the headers are a stranger's, and the library trips over many
        return Finding("arc", Result.PERMERROR, last)
    return Finding("arc", Result.PASS if found == dkim.CV_Pass else Result.FAIL, last)


def _signature(raw: bytes, place: int, names: Names) -> Result:
    mail = dkim.DKIM(logger=_SILENT)
    try:
        mail.set_message(raw)
        holds = mail.verify(idx=place, dnsfunc=names.key)
    except NamesUnavailable:
        return Result.TEMPERROR
    except dkim.ValidationError:  # the body was changed, the signature has expired
        return Result.FAIL
    except Exception:  # noqa: BLE001 - the header is a stranger's, and the library trips over many
        return Result.PERMERROR
    if not holds:
        return Result.FAIL
    return Result.PASS if _covers(mail) else Result.PERMERROR


def _covers(mail: Any) -> bool:
    """Whether a good signature is about this whole mail (RFC 6376, 5.4 and 8.2; RFC 8301, 3.1)."""
    tags = mail.signature_fields
    if b"from" not in mail.include_headers or tags[b"a"] == b"rsa-sha1":
        return False
    if b"l" not in tags:
        return True
    body = CanonicalizationPolicy.from_c_value(tags.get(b"c", b"simple/simple")).canonicalize_body(mail.body)
    return len(body) <= int(tags[b"l"])


def _dmarc(policy: Policy | None, signed: Sequence[Finding], sent: Finding | None) -> Result:
    found = {one.result for one in (*signed, *([sent] if sent is not None else ()))}
    if policy is None:
        return Result.NONE
    if Result.PASS in found:
        return Result.PASS
    if Result.TEMPERROR in found:
        return Result.TEMPERROR
    return Result.FAIL if sent is not None else Result.NEUTRAL


def _policy(tags: dict[str, str], *, below: bool) -> Policy | None:
    wanted = tags.get("p", "").lower()
    if wanted not in _POLICIES:
        if "rua" not in tags:
            return None
        wanted = "none"
    if below and tags.get("sp", "").lower() in _POLICIES:
        wanted = tags["sp"].lower()
    if tags.get("pct") == "0" or tags.get("t", "").lower() == "y":  # on trial: the next weaker one is meant
        wanted = _POLICIES[max(0, _POLICIES.index(wanted) - 1)]
    return Policy(wanted, tags.get("adkim", "").lower() == "s", tags.get("aspf", "").lower() == "s")


def _tags(value: bytes) -> dict[str, str]:
    """`a=b; c=d`; nothing where the list is broken."""
    try:
        return {key.decode("ascii").lower(): text.decode("latin-1") for key, text in parse_tag_value(value).items()}
    except (InvalidTagValueList, UnicodeDecodeError):
        return {}


class _Query(spf.query):  # type: ignore[misc]  # pyspf has no types
    """pyspf over our resolver."""

    def __init__(self, names: Names, *, i: str, s: str, h: str) -> None:
        self._names = names
        super().__init__(i=i, s=s, h=h)

    def dns(self, name: object, qtype: str, cnames: object = None, ignore_void: bool = False) -> list[Any]:  # noqa: FBT001, FBT002 - pyspf's
        wanted = str(name).rstrip(".").lower()
        try:
            found = self._records(wanted, qtype)
        except NamesUnavailable as error:
            raise spf.TempError(error.code) from error
        if not found and not ignore_void:
            self.void_lookups += 1
            if self.void_lookups > spf.MAX_VOID_LOOKUPS:  # RFC 7208, 4.6.4
                raise spf.PermError(f"more than {spf.MAX_VOID_LOOKUPS} names without records")
        return found

    def dns_ptr(self, i: str) -> list[str]:
        # RFC 7208, 5.5: where this look-up fails the mechanism does not match. The client owns these records and may well be slow.
        try:
            return [name.rstrip(".").lower() for name in self._names.names(self.c)]
        except NamesUnavailable:
            return []

    def _records(self, name: str, kind: str) -> list[Any]:
        match kind:
            case "TXT":
                return [(text,) for text in self._names.texts(name)]
            case "MX":
                return list(self._names.mail_servers(name))
            case "A" | "AAAA":
                return [one for one in self._names.addresses(name) if (":" in one) == (kind == "AAAA")]
            case _:
                return []
