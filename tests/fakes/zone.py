"""A zone in memory, and signers for its domains."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TypeVar

import dkim
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from channels.email.resolver import NamesUnavailable

T = TypeVar("T")


@dataclass
class Zone:
    """A resolver. `silent` names are not answered; everything asked for stands in `asked`."""

    txt: dict[str, list[str]] = field(default_factory=dict)
    mx: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    a: dict[str, list[str]] = field(default_factory=dict)
    ptr: dict[str, list[str]] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    def texts(self, name: str) -> Sequence[bytes]:
        return [text.encode() for text in self._of(self.txt, name)]

    def mail_servers(self, name: str) -> Sequence[tuple[int, str]]:
        return sorted(self._of(self.mx, name))

    def addresses(self, name: str) -> Sequence[str]:
        return self._of(self.a, name)

    def names(self, address: str) -> Sequence[str]:
        return self._of(self.ptr, address)

    def _of(self, records: dict[str, list[T]], name: str) -> list[T]:
        self.asked.append(name)
        if name in self.silent or "*" in self.silent:
            raise NamesUnavailable(name=name)
        return records.get(name, [])

    def publishes_key(self, domain: str, selector: str = "s1") -> None:
        self.txt[f"{selector}._domainkey.{domain}"] = [f"v=DKIM1; k=rsa; p={public(domain)}"]

    def publishes_policy(self, domain: str, policy: str) -> None:
        self.txt[f"_dmarc.{domain}"] = [f"v=DMARC1; {policy}"]


@cache
def key_of(domain: str) -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - quick, and nobody relies on it


def pem(domain: str) -> bytes:
    return key_of(domain).private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())


def public(domain: str) -> str:
    return base64.b64encode(key_of(domain).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def signed(raw: bytes, domain: str, *, selector: str = "s1", **options: object) -> bytes:
    """The mail with a signature of this domain on top."""
    header: bytes = dkim.DKIM(raw).sign(selector.encode(), domain.encode(), pem(domain), canonicalize=(b"relaxed", b"relaxed"), **options)
    return header + raw


def sealed(raw: bytes, domain: str, results: str, *, selector: str = "s1") -> bytes:
    """The mail as `domain` passes it on: its Authentication-Results, then its ARC set, on top."""
    told = f"Authentication-Results: {domain}; {results}\r\n".encode() + raw
    lines: list[bytes] = dkim.ARC(told).sign(selector.encode(), domain.encode(), pem(domain), domain.encode())
    return b"".join(lines) + raw
