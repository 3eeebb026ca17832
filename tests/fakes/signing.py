"""Domains that sign mail: keys made once a run, and what they publish in a zone."""

import base64
from functools import cache
from typing import Any

import dkim
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from tests.fakes.zone import Zone


class OpenZone(Zone):
    """A zone whose domains publish what they sign with and what they want."""

    def __init__(self, **records: Any) -> None:
        super().__init__(**{name: dict(records.get(name, {})) for name in ("txt", "mx", "a", "ptr")})
        self.txt: dict[str, list[str]]

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
    """The mail as `domain` passes it on: with its ARC set on top, which tells these results."""
    told = f"Authentication-Results: {domain}; {results}\r\n".encode() + raw
    lines: list[bytes] = dkim.ARC(told).sign(selector.encode(), domain.encode(), pem(domain), domain.encode())
    return b"".join(lines) + raw
