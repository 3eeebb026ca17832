"""Hops 4 to 6: read the situation, let the dialogue think, apply what it decided in one transaction."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import structlog

from channels.webform.upload_links import UploadLinks
from desk_core.context import Context
from desk_core.conversations import arrivals
from desk_core.conversations import repository as conversations
from desk_core.conversations.entities import RawInbound
from desk_core.conversations.files import NewFile, safe_name, store_file, stored_file
from desk_core.conversations.ports import Channel, InboundFile, InboundKind, InboundMessage, Refused, RetryLater
from desk_core.conversations.service import Baton, Close
from desk_core.kit.beside import Beside
from desk_core.kit.blobs import DirectoryBlobs, human_size
from desk_core.kit.db import Database, ReadSession, UnitOfWork
from desk_core.kit.errors import NotFound, TooLarge
from desk_core.kit.i18n import translate
from desk_core.lanes import queue
from desk_core.lanes.queue import Work
from desk_core.lanes.worker import Plan, Postpone
from gateway.flows import amending, as_it_stands, filing, in_groups, passing_on, proving
from gateway.flows.filed import Filed
from gateway.flows.reading import Situation, is_burst, situation, snapshot, with_invitation
from gateway.flows.speaking import stands_over
from gateway.flows.turning import apply_turn
from gateway.one_time import OneTime
from nlu import labels
from nlu.dialogue import advance
from nlu.turn import DialogueState, Edited, Heard, OpenTicket, Phase, Press, Turn
from nlu.understood import Tools

log = structlog.get_logger()

BURST = 20
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Decision:
    """What converse will write: the messages with their files, and the bot's turn where it has one."""

    situation: Situation
    ctx: Context
    files: tuple[tuple[NewFile, ...], ...]  # per message
    beside: tuple[NewFile, ...] = ()  # of a colleague who passes the letter on, for colleagues
    too_large: tuple[str, ...] = ()
    over_quota: tuple[str, ...] = ()  # names of files that this person may not add today
    quota_notice: bool = False
    turn: Turn | None = None
    stale_press: bool = False
    used_card: str | None = None  # the message whose buttons count no more
    flooded: bool = False
    topics: bool = False  # a request that is opened in this turn gets a topic of its own
    notes: tuple[str, ...] = field(default=())  # reply keys that are due besides the turn


class Converse:
    """The handler of inbound messages."""

    max_attempts = 6

    def __init__(
        self,
        database: Database,
        *,
        context: Callable[[str], Awaitable[Context]],
        tools: Callable[[], Awaitable[Tools]],
        channel: Callable[[str], Awaitable[Channel | None]],
        blobs: DirectoryBlobs,
        allow: Callable[[Situation], Awaitable[str]],
        attachment_limit: int,
        daily_limit: int,
        uploads: UploadLinks,
        one_time: OneTime,
    ) -> None:
        self._database, self._context, self._tools, self._channel = database, context, tools, channel
        self._one_time = one_time
        self._uploads = uploads
        self._courtesies = Beside()
        self._blobs, self._allow, self._limit, self._daily_limit = blobs, allow, attachment_limit, daily_limit

    async def decide(self, work: Work) -> Plan:
        ctx = await self._context(str(work.payload.get("request_id", "")))
        async with self._database.glance() as session:
            raws, also = await self._burst(session, work)
            now = await self._without_secrets(session, await situation(session, raws), ctx)
            now = await proving.with_address(session, now, ctx)
            room, told = await self._room(session, now, ctx)
            # A code that stands in the place of other words was typed to prove something, and told nothing anew.
            asked = await proving.has_asked(session, now, ctx) or (bool(now.codes) and now.first.kind is InboundKind.EDIT)
        if now.first.kind is InboundKind.PRESS:
            return Plan(await self._press(now, ctx))
        files, too_large, over = await self._fetch(now, room)
        beside = [await self._fetch_one(now, file, self._limit) for file in passing_on.files_beside(now)]
        decision = Decision(
            situation=now, ctx=ctx, files=files, beside=tuple(file for file in beside if file is not None), too_large=too_large,
            over_quota=over, quota_notice=bool(over) and not told,
        )  # fmt: skip
        amends = filing.may_amend(now)
        if (not filing.wants_turn(now) and not amends) or asked:
            return Plan(replace(decision, notes=filing.polite_words(now)), also=also)
        verdict = "ok" if now.joined_by in ("released", "apart") else await self._allow(now)
        if verdict != "ok":
            return Plan(
                replace(decision, flooded=True, notes=("flood",) if verdict == "notice" and not amends and not now.participant else ()),
                also=also,
            )
        heard = self._heard_anew(now) if amends else self._heard(now)
        turn = advance(snapshot(now, ctx), heard, await self._tools())
        if now.participant:
            turn = filing.of_participant(now, turn)
        log.info("converse.turn", intent=turn.intent, phase=turn.state.phase, actions=[type(action).__name__ for action in turn.actions])
        return Plan(replace(decision, turn=turn, topics=await self._topics(now, turn)), also=also)

    async def apply(self, uow: UnitOfWork, work: Work, plan: Plan) -> None:
        decision: Decision = plan.data
        missing = (*decision.too_large, *decision.over_quota)
        filed = await filing.file(uow, decision.ctx, decision.situation, decision.files, too_large=missing)
        filed.topics = decision.topics
        if decision.used_card is not None:
            filed.courtesies.append(Close(decision.used_card))
        if decision.stale_press:
            await filing.answer_stale(uow, decision.ctx, filed)
        if decision.flooded and decision.situation.inbox.channel == "email":
            filing.hold(filed, verdict="flood")
        filed.one_time = self._one_time
        if not decision.flooded:
            await proving.try_codes(uow, decision.ctx, filed)  # before the question that the turn puts once more
        if decision.turn is not None:
            await apply_turn(uow, decision.ctx, filed, decision.turn)
        if not decision.flooded:
            await self._prove(uow, decision, filed)
        if decision.situation.joined_by == "apart":
            await as_it_stands.keep_apart(uow, decision.ctx, filed)
        await filing.keep_participants(uow, decision.ctx, filed)
        await passing_on.keep_covering(uow, decision.ctx, filed, files=decision.beside)
        for key in decision.notes:
            await filing.say_key(uow, decision.ctx, filed, key)
        silent = decision.situation.first.held or decision.situation.participant
        for name in decision.too_large if not silent else ():
            # The status page takes no more than a chat does.
            chat = filed.conversation.channel == "telegram"
            link = self._uploads.url(filed.conversation.id, now=decision.ctx.now) if chat else filed.link(decision.ctx)
            await filing.say_key(uow, decision.ctx, filed, "file_too_big", limit=human_size(self._limit), link=link, name=name)
        if decision.quota_notice and not silent:
            await filing.say_key(uow, decision.ctx, filed, "quota_full", limit=human_size(self._daily_limit))
        await filing.finish(uow, decision.ctx, filed)

    @staticmethod
    async def _prove(uow: UnitOfWork, decision: Decision, filed: Filed) -> None:
        """What proves something about the person is done whoever speaks."""
        now = decision.situation
        if (phone := proving.own_phone(now)) is not None:
            await proving.prove_phone(uow, decision.ctx, filed, phone)
        if now.baton == Baton.AGENT and now.first.command == proving.EMAIL and proving.in_own_chat(now):
            await proving.ask_code(uow, decision.ctx, filed, str(now.first.card.get("args", "")))

    async def _without_secrets(self, session: ReadSession, now: Situation, ctx: Context) -> Situation:
        """The situation with what its secrets open, and without the secrets."""
        return await proving.with_codes(session, await with_invitation(session, now, ctx), ctx, self._one_time)

    async def buried(self, uow: UnitOfWork, work: Work, dead_id: str, reason: str) -> None:
        """The message is kept as far as it can be read, and its conversation goes to a person with the reason."""
        ctx = await self._context(str(work.payload.get("request_id", "")))
        async with self._database.glance() as session:
            raws = await arrivals.raw_inbound(session, [str(work.payload["raw_id"])])
            if not raws:
                return
            now = await self._without_secrets(session, await situation(session, raws), ctx)
        if raws[0].state != "done":
            filed = await filing.file(uow, ctx, now, ((),), too_large=())
            if not now.forged:  # that one waits among the held ones; nobody is answered, nothing opens in a name that is not its own
                await as_it_stands.hand_to_people(uow, ctx, filed, reason=reason, dead_id=dead_id)
            if now.joined_by == "apart":
                await as_it_stands.keep_apart(uow, ctx, filed)
            await filing.finish(uow, ctx, filed)

    async def _topics(self, now: Situation, turn: Turn) -> bool:
        """Whether this turn opens a request where requests have topics; asked of the channel only then."""
        if not any(isinstance(action, OpenTicket) for action in turn.actions) or now.first.thread_key is None:
            return False
        channel = await self._channel(now.inbox.id)
        return channel is not None and await channel.has_topics(now.first.thread_key)

    async def _burst(self, session: Any, work: Work) -> tuple[list[RawInbound], tuple[int, ...]]:
        """The head message and those behind it that belong to the same breath."""
        first = next(iter(await arrivals.raw_inbound(session, [str(work.payload["raw_id"])])), None)
        if first is None:
            raise NotFound(raw=work.payload["raw_id"])
        taken, also = [first], []
        opening = InboundMessage.from_json(first.body)
        if is_burst(opening):
            heads = await queue.head(session, work.lane, limit=BURST)
            inbox = await conversations.inbox_by_id(session, first.inbox_id)
            ids = [str(item.payload["raw_id"]) for item in heads[1:] if item.kind == work.kind]
            rows = {row.id: row for row in await arrivals.raw_inbound(session, ids)} if ids else {}
            for item in heads[1:]:
                row = rows.get(str(item.payload.get("raw_id")))
                message = InboundMessage.from_json(row.body) if row else None
                if row is None or message is None or not is_burst(message) or message.thread_key != opening.thread_key:
                    break
                if message.reply_to and message.reply_to != opening.reply_to:
                    break  # it answers something else
                if not in_groups.joins(opening, message, inbox.config):
                    break
                taken.append(row)
                also.append(item.id)
        return taken, tuple(also)

    async def _press(self, now: Situation, ctx: Context) -> Decision:
        """A button: answered at once, acted on when it is fresh, ours, and unused."""
        channel = await self._channel(now.inbox.id)
        button, conversation = now.button, now.conversation
        fresh = (
            button is not None
            and conversation is not None
            and button.conversation_id == conversation.id
            and button.used_at is None
            and button.expires_at > ctx.now
        )
        if channel is not None and now.first.callback_id:
            language = (conversation.language if conversation else None) or now.inbox.language
            # The client shows at once that the press came in; the turn goes on meanwhile.
            self._courtesies.start(channel.answer_press(now.first.callback_id, None if fresh else _stands(now, ctx, language)))
            mine = button is None or (conversation is not None and button.conversation_id == conversation.id)
            old = not fresh and mine and (button is None or button.action not in filing.REUSABLE)
            if old and now.first.reply_to and now.first.thread_key:
                await channel.close_buttons(now.first.thread_key, now.first.reply_to)
        decision = Decision(situation=now, ctx=ctx, files=((),))
        if not fresh or button is None or conversation is None:
            return replace(decision, stale_press=conversation is not None and conversation.baton != "agent")
        silent = conversation.baton == "agent" and button.action not in ("rate", "leave")
        turn = None if silent else advance(snapshot(now, ctx), Heard(press=Press(button.action, button.value)), await self._tools())
        kept = button.action in filing.REUSABLE or (turn is not None and stands_over(now, turn))
        # Where an operator speaks, what was pressed is in the timeline and the bot stays silent.
        return replace(decision, turn=turn, used_card=None if kept else button.message_id)

    async def _room(self, session: Any, now: Situation, ctx: Context) -> tuple[int | None, bool]:
        """How many bytes this person may still send today (None: any number), and whether they heard that it is none."""
        if not self._daily_limit or now.inbox.channel != "telegram" or not any(message.files for message in now.messages):
            return None, False
        since = ctx.now - DAY
        used = await conversations.bytes_since(session, now.contact.id, since) if now.contact is not None else 0
        known = now.conversation
        told = known is not None and await conversations.has_told(session, known.id, "quota_full", since=since)
        return max(0, self._daily_limit - used), told

    async def _fetch(self, now: Situation, room: int | None) -> tuple[tuple[tuple[NewFile, ...], ...], tuple[str, ...], tuple[str, ...]]:
        """Bring the files of every message into the blob store; what is too large or too much for a day is named instead."""
        stored: list[tuple[NewFile, ...]] = []
        too_large: list[str] = []
        over: list[str] = []
        known = {kept.get("unique_id") for kept in amending.kept_files(now.known_message).values()}
        for message in now.messages:
            mine: list[NewFile] = []
            for file in message.files:
                if file.unique_id is not None and file.unique_id in known:
                    continue  # an edit of the words brings the same picture along
                if room is not None and (room <= 0 or (file.size or 0) > room) and (file.size or 0) <= self._limit:
                    over.append(safe_name(file.name))
                    continue
                limit = self._limit if room is None else min(self._limit, room)
                try:
                    kept = await self._fetch_one(now, file, limit)
                except (TooLarge, Refused):
                    (over if limit < self._limit else too_large).append(safe_name(file.name))
                    continue
                except RetryLater as error:
                    raise Postpone(error.reason, after=error.after) from error
                if kept is None:
                    too_large.append(safe_name(file.name))
                    continue
                mine.append(kept)
                room = room - kept.size if room is not None else None
            stored.append(tuple(mine))
        return tuple(stored), tuple(too_large), tuple(over)

    async def _fetch_one(self, now: Situation, file: InboundFile, limit: int) -> NewFile | None:
        if file.sha256 is not None:
            return await stored_file(
                self._blobs, name=file.name, sha256=file.sha256, size=file.size, declared=file.declared_type, inline=file.inline
            )
        if file.remote_id is None or (file.size or 0) > self._limit:
            return None
        channel = await self._channel(now.inbox.id)
        if channel is None:
            raise Postpone("the inbox is not connected")
        kept = await store_file(
            self._blobs, name=file.name, content=channel.fetch(file.remote_id), limit=limit, declared=file.declared_type
        )
        return replace(kept, remote_id=file.remote_id, unique_id=file.unique_id)

    @staticmethod
    def _heard_anew(now: Situation) -> Heard:
        """Changed words, and what stood in their place."""
        known, first = now.known_message, now.first
        parts = known.meta.get("album_parts", {}) if known is not None else {}
        text = parts[first.edits]["text"] if first.edits in parts else known.text if known is not None else ""
        before = _told(now, replace(first, text=text, command=None))
        return Heard(text=_told(now, replace(first, command=None)), edited=Edited(before, is_last=now.edits_last))

    @staticmethod
    def _heard(now: Situation) -> Heard:
        # The timeline keeps "/new printer" as written; the dialogue hears the command, and "printer" as what was said.
        said = [_told(now, message) for message in proving.said_besides(now)]
        texts = [text.strip() for text in said if text.strip()]
        slots: dict[str, str] = {}
        for message in now.messages:
            slots.update(message.slots)
        return Heard(
            text="\n".join(texts),
            command=now.first.command,
            attachments=sum(len(message.files) for message in now.messages),
            subject=now.first.subject,
            slots=slots,
            category=now.first.category,
            pointed=now.pointed,
            sealed="" if any(texts) else next(filter(None, map(_encrypted, now.messages)), ""),
        )


def _encrypted(message: InboundMessage) -> str:
    sealed = message.card.get("sealed") or {}
    return str(sealed.get("by", "")) if sealed.get("how") == "encrypted" else ""


def _told(now: Situation, message: InboundMessage) -> str:
    if now.in_group:
        opens = now.active is None and (now.conversation is None or not now.conversation.dialogue)
        return in_groups.words(message, now.inbox.config, opens=opens)
    return str(message.card.get("args", message.text)) if message.command else message.text


def _stands(now: Situation, ctx: Context, language: str) -> str:
    """What a button of another time is answered with: that it is one, and how things stand now. A client shows 200 characters."""
    in_group = now.first.card.get("chat_type") in in_groups.GROUPS
    if in_group and now.button is not None and (now.conversation is None or now.button.conversation_id != now.conversation.id):
        return translate(language, in_groups.NOT_YOURS)[:190]
    said = ctx.config.reply("stale_button", language)
    phase = DialogueState.from_json(now.conversation.dialogue).phase if now.conversation is not None else Phase.IDLE
    if phase is not Phase.IDLE:
        now_is = translate(language, labels.LAST_MESSAGE)
    elif now.active is not None:
        state = labels.STATES.get(now.active.status)
        now_is = f"#{now.active.number}: {translate(language, state) if state else now.active.status}"
    else:
        now_is = ""
    return f"{said} {now_is}".strip()[:190]
