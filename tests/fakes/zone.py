"""Names in memory: what the domain name system would say, and nothing leaves the machine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from channels.email.resolver import NamesUnavailable

T = TypeVar("T")


@dataclass
class Zone:
    """Implements `channels.email.resolver.Resolver`; whoever asks for a name in `silent` gets no answer. `asked` is what was asked."""

    txt: Mapping[str, Sequence[str]] = field(default_factory=dict)
    mx: Mapping[str, Sequence[tuple[int, str]]] = field(default_factory=dict)
    a: Mapping[str, Sequence[str]] = field(default_factory=dict)
    ptr: Mapping[str, Sequence[str]] = field(default_factory=dict)
    silent: frozenset[str] = frozenset()
    asked: list[str] = field(default_factory=list)

    def texts(self, name: str) -> Sequence[bytes]:
        return [text.encode() for text in self._known(name, self.txt)]

    def mail_servers(self, name: str) -> Sequence[tuple[int, str]]:
        return sorted(self._known(name, self.mx))

    def addresses(self, name: str) -> Sequence[str]:
        return self._known(name, self.a)

    def names(self, address: str) -> Sequence[str]:
        return self._known(address, self.ptr)

    def _known(self, name: str, records: Mapping[str, Sequence[T]]) -> Sequence[T]:
        self.asked.append(name)
        if name in self.silent:
            raise NamesUnavailable(name=name, reason="LifetimeTimeout")
        return records.get(name, [])
