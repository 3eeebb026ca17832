"""DKIM for what the desk sends (RFC 6376): keys, the record to publish, and the signature itself. Pure but for the machine's randomness."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from desk_core.conversations.ports import RetryLater

SIGNED = (
    b"from", b"reply-to", b"to", b"subject", b"date", b"message-id", b"in-reply-to", b"references", b"mime-version", b"content-type",
    b"auto-submitted", b"cc", b"list-unsubscribe", b"list-unsubscribe-post",
)  # fmt: skip
"""What a signature covers, where a mail has it. From once more than it is there, so that nobody can add another one (RFC 6376, 8.15)."""

_STRING = 255
"""Bytes in one string of a TXT record (RFC 1035, 3.3.14)."""


class Algorithm(StrEnum):
    """RSA is understood everywhere; Ed25519 (RFC 8463) is short, and several large services cannot check it yet."""

    RSA = "rsa"
    ED25519 = "ed25519"


@dataclass(frozen=True, slots=True)
class KeyPair:
    """`secret` as dkimpy takes it (PEM, or base64 of the seed), `public` as the record shows it."""

    algorithm: Algorithm
    secret: str = field(repr=False)
    public: str = ""


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs in the name of one domain."""

    domain: str
    selector: str
    algorithm: Algorithm
    secret: str = field(repr=False)

    def sign(self, raw: bytes) -> bytes:
        """The mail with its signature on top; takes tens of milliseconds with RSA. Raises `RetryLater` where the key cannot be used."""
        import dkim

        mail = dkim.DKIM(raw)
        present = {name.lower() for name, _ in mail.headers}
        headers = [name for name in SIGNED if name in present]
        try:
            signature: bytes = mail.sign(
                self.selector.encode(), self.domain.encode(), self.secret.encode(), canonicalize=(b"relaxed", b"relaxed"),
                signature_algorithm=f"{self.algorithm}-sha256".encode(), include_headers=[*headers, b"from"],
            )  # fmt: skip
        except dkim.DKIMException as error:
            raise RetryLater(f"DKIM {self.selector}._domainkey.{self.domain}: {type(error).__name__}") from error
        return signature + raw


def make_key(algorithm: Algorithm, *, bits: int = 2048) -> KeyPair:
    """A new pair; `bits` are those of RSA. Takes up to a second."""
    if algorithm is Algorithm.ED25519:
        edwards = Ed25519PrivateKey.generate()
        seed = edwards.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        return KeyPair(algorithm, _base64(seed), _base64(edwards.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)))
    key = generate_private_key(public_exponent=65537, key_size=bits)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
    return KeyPair(algorithm, pem, _base64(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)))


def record_name(selector: str, domain: str) -> str:
    return f"{selector}._domainkey.{domain}"


def record_value(algorithm: str, public: str) -> str:
    """The text of the record (RFC 6376, 3.6.1)."""
    return f"v=DKIM1; k={algorithm}; p={public}"


def strings(value: str) -> list[str]:
    """The text as a zone file writes it: in strings of at most 255 bytes."""
    return [value[at : at + _STRING] for at in range(0, len(value), _STRING)]


def same_key(record: bytes, *, algorithm: str, public: str) -> bool:
    """Whether a published record is the one of this key, whatever else it says and however it is spaced."""
    tags = _tags(record.decode("latin-1"))
    return tags.get("p", "") == public and tags.get("k", "rsa").lower() == algorithm


def _tags(text: str) -> Mapping[str, str]:
    pairs = (tag.partition("=") for tag in text.split(";"))
    return {name.strip().lower(): "".join(value.split()) for name, _equals, value in pairs}


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
