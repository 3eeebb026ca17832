"""XOAUTH2: tokens from an authority, kept until they end, replaced once when the mail server refuses them."""

import asyncio
from typing import Any

import pytest

from channels.email import imap_mailbox as wire
from channels.email.imap_account import Account, OAuth
from channels.email.imap_mailbox import CommandRefused, MailboxFailed
from channels.email.imap_oauth import AccessTokens, TokenRefused
from tests.unit.channels.email.scripted import Authority, ScriptedImap, authority, scripted_imap

SECRETS = ("s3cret-of-client", "r3fresh")


def gives(token: str, **more: Any) -> tuple[int, Any]:
    return 200, {"access_token": token, "token_type": "Bearer", "expires_in": 3600, **more}


def oauth(at: Authority) -> OAuth:
    return OAuth(at.url, "client", *SECRETS)


def account(server: ScriptedImap, given: OAuth | None) -> Account:
    return Account.of(f"imap://me%40x.ru@127.0.0.1:{server.port}", oauth=given)


async def log_in(server: ScriptedImap, tokens: AccessTokens, given: OAuth) -> None:
    async with wire.connected(account(server, given), tokens=tokens, timeout=5) as mailbox:
        assert await asyncio.to_thread(wire.select, mailbox, "INBOX") == 7


class TestTokens:
    async def test_one_is_kept_until_shortly_before_its_end(self) -> None:
        now = [0.0]
        async with authority(gives("first"), gives("second")) as at:
            tokens = AccessTokens(oauth(at), ticks=lambda: now[0])
            assert [await tokens.token() for _ in range(3)] == ["first"] * 3
            now[0] = 3539
            assert await tokens.token() == "first"
            now[0] = 3540
            assert await tokens.token() == "second"
        assert at.asked[0] == {
            "grant_type": "refresh_token", "refresh_token": SECRETS[1], "client_id": "client", "client_secret": SECRETS[0],
        }  # fmt: skip

    async def test_a_new_refresh_token_is_stored_and_used(self) -> None:
        kept: list[str] = []

        async def keep(token: str) -> None:
            kept.append(token)

        async with authority(gives("first", refresh_token="newer"), gives("second", refresh_token="newer")) as at:
            tokens = AccessTokens(oauth(at), keep=keep)
            await tokens.token()
            tokens.forget()
            await tokens.token()
        assert kept == ["newer"]
        assert at.asked[1]["refresh_token"] == "newer"

    @pytest.mark.parametrize(
        ("answer", "words"),
        [
            ((400, {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}),
             "invalid_grant: Token has been expired or revoked."),
            ((503, b"<html>"), "503 Said"),
            ((200, {}), "200 Said"),
            ((200, []), "200 Said"),
        ],
    )  # fmt: skip
    async def test_a_refusal_is_told_in_the_authoritys_words(self, answer: tuple[int, Any], words: str) -> None:
        async with authority(answer) as at:
            with pytest.raises(TokenRefused) as refused:
                await AccessTokens(oauth(at)).token()
        assert refused.value.fields["reason"] == words

    async def test_an_authority_that_is_away_is_told_too(self) -> None:
        with pytest.raises(TokenRefused) as refused:
            await AccessTokens(OAuth("http://127.0.0.1:1/token", "client", *SECRETS)).token()
        assert not any(secret in str(refused.value) for secret in SECRETS)

    async def test_a_life_that_is_no_number_is_a_short_one(self) -> None:
        now = [0.0]
        async with authority(gives("first", expires_in="soon"), gives("second", expires_in=None)) as at:
            tokens = AccessTokens(oauth(at), ticks=lambda: now[0])
            assert await tokens.token() == "first"
            now[0] = 240
            assert await tokens.token() == "second"

    def test_secrets_are_not_shown(self) -> None:
        assert not any(secret in repr(OAuth("u", "c", *SECRETS)) for secret in SECRETS)


class TestLoggingIn:
    async def test_speaks_xoauth2(self) -> None:
        async with scripted_imap(ScriptedImap()) as server, authority(gives("good")) as at:
            await log_in(server, AccessTokens(oauth(at)), oauth(at))
        assert "user=me@x.ru\1auth=Bearer good\1\1" in server.heard

    async def test_a_token_that_was_taken_back_is_replaced_once(self) -> None:
        async with scripted_imap(ScriptedImap()) as server, authority(gives("stale"), gives("good")) as at:
            tokens = AccessTokens(oauth(at))
            await log_in(server, tokens, oauth(at))
            await log_in(server, tokens, oauth(at))
        assert len(at.asked) == 2
        assert "\r\n" in server.heard, "the error in JSON is answered with nothing"

    async def test_a_second_refusal_is_the_end_in_the_servers_words(self) -> None:
        async with scripted_imap(ScriptedImap()) as server, authority(gives("stale"), gives("stale too")) as at:
            with pytest.raises(CommandRefused) as refused:
                await log_in(server, AccessTokens(oauth(at)), oauth(at))
        assert refused.value.fields["reason"] == 'SASL authentication failed; {"status":"401","schemes":"bearer"}'

    async def test_what_the_authority_said_reaches_the_one_who_connects(self) -> None:
        async with scripted_imap(ScriptedImap()) as server, authority(gives("stale"), (400, {"error": "invalid_grant"})) as at:
            with pytest.raises(MailboxFailed) as refused:
                await log_in(server, AccessTokens(oauth(at)), oauth(at))
        assert refused.value.fields["reason"] == "invalid_grant"
