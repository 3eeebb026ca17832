"""Whether two mail addresses are one mailbox: case, plus and the spelling of the domain make no difference. Pure."""

from collections.abc import Iterable


def without_plus(address: str) -> str:
    """`support+anything@x` -> `support@x`, lower case."""
    local, at, domain = address.lower().rpartition("@")
    return f"{local.partition('+')[0]}{at}{domain}"


def ascii_domain(domain: str) -> str:
    """A domain as names are asked for: lower case, `xn--` for letters beyond ASCII; as it is where it is no domain at all."""
    domain = domain.lower()
    if domain.isascii():
        return domain
    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError:
        return domain


def one_spelling(address: str) -> str:
    """The same text for every way in which an address may be written: mail servers say `xn--`, people say `.рф`."""
    local, at, domain = address.strip().lower().rpartition("@")
    return f"{local}{at}{ascii_domain(domain)}"


def spellings(addresses: Iterable[str]) -> tuple[str, ...]:
    """Each address in every way in which it may stand in a letter, in lower case."""
    found: dict[str, None] = {}
    for address in addresses:
        plain = one_spelling(address)
        local, at, domain = plain.rpartition("@")
        found |= dict.fromkeys((address.strip().lower(), plain, f"{local}{at}{_in_letters(domain)}"))
    return tuple(found)


def _in_letters(domain: str) -> str:
    if "xn--" not in domain:
        return domain
    try:
        return domain.encode("ascii").decode("idna")
    except UnicodeError:
        return domain
