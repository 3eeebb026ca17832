"""What a mail server's certificate says of itself, what to do where it is not believed, and how a failed connection is told."""

import os
from dataclasses import dataclass
from datetime import datetime, timedelta

SOON = timedelta(days=14)
_SELF_SIGNED, _EXPIRED, _OTHER_NAMES = frozenset({18, 19}), 10, frozenset({62, 64})  # OpenSSL's numbers: X509_V_ERR_*
_UNKNOWN_ISSUER = frozenset({2, 20, 21, 27})


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a certificate says of itself, and the TLS version it was shown in."""

    names: tuple[str, ...]
    issuer: str
    until: datetime
    version: str

    @classmethod
    def of(cls, der: bytes, version: str) -> "Certificate":
        from cryptography import x509
        from cryptography.x509.oid import NameOID

        read = x509.load_der_x509_certificate(der)
        try:
            listed = read.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            names = tuple(str(name) for name in (*listed.get_values_for_type(x509.DNSName), *listed.get_values_for_type(x509.IPAddress)))
        except x509.ExtensionNotFound:
            names = tuple(str(name.value) for name in read.subject.get_attributes_for_oid(NameOID.COMMON_NAME))
        return cls(names, read.issuer.rfc4514_string(), read.not_valid_after_utc, version)

    def __str__(self) -> str:
        return f"{self.version}, {', '.join(self.names[:5])}, {self.issuer}, {self.until:%Y-%m-%d}"


def plainly(error: OSError) -> str:
    """What the system says of a failed connection, without the addresses that asyncio puts into it."""
    if isinstance(error, ConnectionError) and error.errno:
        return os.strerror(error.errno)
    return error.strerror or str(error)


def certificate_advice(code: int) -> str:
    """The advice for what OpenSSL found wrong."""
    if code in _SELF_SIGNED:
        return "cert_self_signed"
    if code in _UNKNOWN_ISSUER:
        return "cert_unknown"
    if code in _OTHER_NAMES:
        return "cert_names"
    return "cert_expired" if code == _EXPIRED else "tls"
