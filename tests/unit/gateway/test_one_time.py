"""Secrets that are computed: the same for whoever holds the key, another for each end and each id."""

import re

from desk_core.kit.ids import new_id
from gateway.one_time import OneTime


class TestOneTime:
    def test_makes_the_same_from_the_same_key_alone(self) -> None:
        ident = new_id()
        mine, same, other = OneTime(b"k" * 32), OneTime(b"k" * 32), OneTime(b"o" * 32)
        assert mine.code(ident) == same.code(ident)
        assert mine.invitation(ident) == same.invitation(ident)
        assert mine.invitation(ident) != other.invitation(ident)
        assert len({mine.code(new_id()) for _ in range(50)} | {other.code(new_id()) for _ in range(50)}) > 90

    def test_a_code_has_six_digits_whatever_they_are(self) -> None:
        made = OneTime(b"k" * 32)
        for ident in map(str, range(200)):
            assert re.fullmatch(r"[0-9]{6}", made.code(ident))
            assert made.is_code(ident, made.code(ident))
            assert not made.is_code(ident, f"{(int(made.code(ident)) + 1) % 1_000_000:06d}")
