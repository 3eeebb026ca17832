"""Certificates of the tests: an authority of our own, and what it or nobody has signed."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


@dataclass(frozen=True, slots=True)
class Signed:
    """Files of a certificate and its key."""

    certificate: Path
    key: Path

    def server(self) -> ssl.SSLContext:
        """How a server shows it."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context


class Authority:
    """Signs certificates into a folder; `trust` believes them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._now = datetime.now(UTC)  # lint-skip: clock - OpenSSL looks at the machine's clock
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._certificate = self._sign(_name("Test authority"), self._key, until=timedelta(days=30), names=(), ca=True)

    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cadata=self._certificate.public_bytes(serialization.Encoding.PEM).decode())

    def signs(self, *names: str, until: timedelta = timedelta(days=29), self_signed: bool = False) -> Signed:
        """A certificate for `names` (addresses of machines as well) that ends `until` from now; a negative time has passed."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = self._sign(_name(names[0]), key, until=until, names=names, own=self_signed)
        stem = self._folder / f"{len(list(self._folder.iterdir()))}"
        signed = Signed(stem.with_suffix(".crt"), stem.with_suffix(".key"))
        signed.certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        signed.key.write_bytes(
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
        return signed

    def _sign(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        *,
        until: timedelta,
        names: tuple[str, ...],
        ca: bool = False,
        own: bool = False,
    ) -> x509.Certificate:
        issuer = subject if ca or own else self._certificate.subject
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._now - timedelta(days=60))
            .not_valid_after(self._now + until)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName([_alternative(name) for name in names]), critical=False)
        return builder.sign(key if own else self._key, hashes.SHA256())


def _alternative(name: str) -> x509.GeneralName:
    return x509.IPAddress(ip_address(name)) if name.replace(".", "").isdigit() else x509.DNSName(name)
