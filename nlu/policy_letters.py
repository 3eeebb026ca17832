"""One turn a letter or a filled page: the request opens at once, and what is missing is asked in one list. Pure."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from desk_core.kit.i18n import translate
from nlu import forms, labels, lexicon, policy_articles, policy_form, policy_requests, questions
from nlu.scene import JUDGED_LENGTH, MAX_QUESTIONS, SPLIT, TWO_TOPICS, Scene, classified, judged, opened, subject_of, told
from nlu.text import SENTENCE_END, bare_subject
from nlu.turn import AddToTicket, ArticleFeedback, ConfirmSolved, DialogueState, FillSlots, HandOver, Looked, OpenTicket, Say, Turn
from nlu.understood import Band, FormDef, Intent, Triage

LETTER_ARTICLES = 2
SHORT_ANSWER = 200
COURTESY_WORDS = 12
COURTESIES = frozenset({Intent.GREET, Intent.THANKS, Intent.SMALLTALK, Intent.CONFIRM, Intent.DENY})
SPLIT_WORDS = 5  # of a line that says no more than "two, please"
_KNOWN_WORDS = 0.5  # the share of them that the models have to have seen before they call a letter courtesy
_NUMBERED = re.compile(r"^\s*(\d{1,2})\s*[.):\-–—]\s*(.+)$")
_QUOTED = re.compile(r"^\s{0,3}>[> ]*(.*)$")
_ANSWERS = re.compile(r"^\s*(?:re|aw|ответ|отв)\s*(?:\[\d+\])?\s*:", re.IGNORECASE)


def mail(scene: Scene) -> Turn:
    """One letter. What it quotes tells what the words under it answer, and is nothing that the person says."""
    text, under = between_the_lines(scene.heard.text)
    scene = replace(scene, heard=replace(scene.heard, text=text, under=under))
    snapshot = scene.snapshot
    if scene.heard.sealed:
        return sealed(scene)
    resolved = snapshot.resolved
    intent = letter_intent(scene)
    if resolved is not None:
        if intent is Intent.CONFIRM:
            return scene.turn(scene.state, actions=(ConfirmSolved(ticket_id=resolved.ticket_id, solved=True),), intent=intent)
        if intent in {Intent.THANKS, Intent.GREET, Intent.SMALLTALK} or not (scene.text or scene.heard.attachments):
            return scene.turn(scene.state, intent=intent)
        reopened = (ConfirmSolved(ticket_id=resolved.ticket_id, solved=False), *add(scene, resolved.ticket_id))
        return with_person(scene, scene.turn(scene.state, actions=reopened, intent=intent), intent)
    if snapshot.active is not None:
        if lexicon.reports_success(scene.text) and not scene.heard.attachments:
            # An article of the acknowledgement helped, or it went away: the person closes their own request, a reply opens it again.
            own_word = (*add(scene, snapshot.active.ticket_id), ConfirmSolved(ticket_id=snapshot.active.ticket_id, solved=True))
            return scene.turn(scene.state, actions=own_word, intent=Intent.CONFIRM)
        return with_person(scene, add_to_active(scene, snapshot.active.ticket_id, intent), intent)
    if intent is Intent.STATUS and snapshot.requests:
        return policy_requests.status(scene)
    if intent in COURTESIES and not scene.heard.attachments:
        # Who only greets, or sends an empty letter by mistake, waits for an answer; thanks need none.
        asked = (scene.say("greet" if scene.text else "ask_problem"),) if intent is Intent.GREET else ()
        return scene.turn(scene.state, *asked, intent=intent)
    return open_letter(scene, intent)


def sealed(scene: Scene) -> Turn:
    """A letter that nobody here can read: it is filed like any other, and its sender is told so and asked for the words."""
    known = scene.snapshot.active or scene.snapshot.resolved
    if known is None:
        return open_letter(scene, Intent.REPORT)
    return scene.turn(scene.state, encrypted(scene), actions=add(scene, known.ticket_id), intent=Intent.UNKNOWN)


def encrypted(scene: Scene) -> Say:
    return scene.own("encrypted", labels.ENCRYPTED, by=scene.heard.sealed)


def between_the_lines(text: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """(the person's own words, each quoted line that something stands under with these words)."""
    own: list[str] = []
    under: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if quoted := _QUOTED.match(line):
            under.append((quoted[1].strip(), []))
            continue
        own.append(line)
        if under and line.strip():
            under[-1][1].append(line.strip())
    return "\n".join(own).strip(), tuple((quoted, " ".join(words)) for quoted, words in under if words)


def subject_line(scene: Scene) -> str:
    """The subject without "Re:" and our own tag."""
    return bare_subject(scene.heard.subject or "")


def story_of(scene: Scene) -> str:
    """Subject and body as one story; a subject that the body repeats is not told twice."""
    subject, body = subject_line(scene), scene.text
    if not subject or lexicon.plain(subject) in lexicon.plain(body[:JUDGED_LENGTH]):
        return body
    return f"{subject}\n{body}".strip()


def letter_intent(scene: Scene) -> Intent:
    """What a letter is; a body of pure courtesy under a telling subject still asks for something."""
    body = scene.text
    if scene.snapshot.resolved is not None or scene.snapshot.active is not None:
        if scene.snapshot.resolved is not None and lexicon.says_solved(body):
            return Intent.CONFIRM
        return lexicon.intent_of(body) or (scene.triage.intent if body else Intent.UNKNOWN)
    courteous = lexicon.intent_of(body) if body else Intent.GREET
    if courteous in {*COURTESIES, Intent.SKIP, Intent.BACK}:
        subject = subject_line(scene)
        # Under "Re:" the subject is of the letter that is answered; thanks for it ask for nothing.
        if not subject or lexicon.intent_of(subject) is not None or _ANSWERS.match(scene.heard.subject or ""):
            return Intent.GREET if courteous in {Intent.SKIP, Intent.BACK} else courteous
        intent = lexicon.intent_of(subject) or scene.judge(subject).intent
        return intent if scene.judge(subject).intent_confidence >= policy_form.STEERS else Intent.REPORT
    if courteous is not None:
        return courteous
    triage = scene.triage
    if triage.intent not in COURTESIES:
        return triage.intent
    # A letter of more than a few words is not mere courtesy, whatever the model says: losing a request is worse than one too many.
    brief = lexicon.word_count(body) <= COURTESY_WORDS
    return triage.intent if brief and _seems_courtesy(triage) and _seems_courtesy(scene.judge(_besides_courtesy(body))) else Intent.REPORT


def _seems_courtesy(triage: Triage) -> bool:
    """Whether the model surely takes a text for courtesy, and knows its words."""
    return triage.intent in COURTESIES and triage.intent_confidence >= policy_form.STEERS and triage.familiarity >= _KNOWN_WORDS


def _besides_courtesy(text: str) -> str:
    """A text without its sentences of pure courtesy, whose known words would speak for all the others; the whole where it has no others."""
    told = [sentence for sentence in SENTENCE_END.split(text) if sentence.strip() and lexicon.intent_of(sentence) is None]
    return "\n".join(told) or text


def add(scene: Scene, ticket_id: str) -> tuple[Any, ...]:
    return (AddToTicket(ticket_id=ticket_id),) if scene.text or scene.heard.attachments or scene.heard.subject else ()


def with_person(scene: Scene, turn: Turn, intent: Intent) -> Turn:
    """A letter that asks for a person, or must not wait, also gives the baton to people."""
    if intent is Intent.HUMAN:
        return replace(turn, actions=(*turn.actions, HandOver(reason="person_asked")))
    if scene.text and scene.triage.human_now:
        return replace(turn, actions=(*turn.actions, HandOver(reason="human_now")))
    return turn


def add_to_active(scene: Scene, ticket_id: str, intent: Intent) -> Turn:
    """File a letter under its request and take the answers out of it."""
    actions = add(scene, ticket_id)
    state = scene.state
    if SPLIT in state.asked and (answer := wishes_two(scene, state)) is not None:
        wish, line = answer
        # What answers this question answers no other one.
        scene = replace(scene, heard=replace(scene.heard, text=scene.text.replace(line, "", 1)))
        halves = policy_articles.two_topics(scene, state.text) if wish else None
        # The second request is opened before the letter is filed, so that the letter stays with the first.
        actions = (*((policy_articles.second_request(scene, halves[1]),) if halves else ()), *actions)
        state = replace(state, text="", asked=tuple(name for name in state.asked if name != SPLIT))
    answers = answers_in(scene, scene.form(state), state)
    if answers:
        actions = (*actions, FillSlots(ticket_id=ticket_id, slots=answers))
        state = replace(state, slots={**state.slots, **answers})
    return scene.turn(state, actions=actions, intent=intent)


def open_letter(scene: Scene, intent: Intent) -> Turn:
    """Open the request at once; the acknowledgement carries what is missing and up to two articles."""
    story = story_of(scene)
    state = told(DialogueState(), story, attachments=scene.heard.attachments)
    triage = scene.judge(story)
    category = scene.tools.category(triage.category)
    state = judged(state, triage, category=category)
    unread = bool(scene.heard.sealed)  # of a subject alone, nothing is asked and offered
    subject = subject_line(scene) or scene.text
    if unread and not lexicon.word_count(subject):  # what encrypts a letter often leaves "..." in the place of its subject
        subject = translate(scene.language, labels.SUBJECT_ENCRYPTED)
    state = policy_form.collected(scene, replace(state, subject=subject_of(subject)))
    form = scene.form(state)
    person = intent is Intent.HUMAN or triage.human_now or (state.category is not None and category is not None and category.human_now)
    incident = scene.tools.incident(story[:JUDGED_LENGTH], language=scene.language, category=state.category)
    open_slots: tuple[str, ...] = ()
    hits: tuple[str, ...] = ()
    tags = ("complaint",) if intent is Intent.COMPLAINT else ()
    if policy_articles.two_topics(scene) is not None:
        tags, open_slots = (*tags, TWO_TOPICS), (SPLIT,)
    if person or incident is not None or unread:
        open_slots = ()  # somebody looks, or nothing needs to be known, or all of it: no letter of questions
    else:
        open_slots = (*(slot.name for slot in forms.missing(form, state)[:MAX_QUESTIONS]), *open_slots)
        found = scene.tools.search(story[:JUDGED_LENGTH], language=scene.language, category=state.category, limit=LETTER_ARTICLES)
        hits = tuple(dict.fromkeys(hit.article_id for hit in found))[:LETTER_ARTICLES]
    state = replace(state, shown=hits, asked=open_slots)
    ticket = opened(state, form=form, language=scene.language, tags=tags, questions=open_slots, articles=hits)
    if incident is not None:
        ticket = replace(ticket, tags=(policy_articles.incident_tag(incident), *tags), notice=policy_articles.known_words(scene, incident))
    if unread:
        ticket = replace(ticket, notice="\n\n".join(filter(None, (encrypted(scene).text, ticket.notice))))
    actions: tuple[Any, ...] = (ticket, *(ArticleFeedback(article_id=one, verdict="shown") for one in hits))
    if person:
        actions = (*actions, HandOver(reason="person_asked" if intent is Intent.HUMAN else "human_now"))
    # What was asked stays in the state, so that the answer's "1." and "2." find their questions; the story is in the request now.
    kept = DialogueState(category=state.category, slots=state.slots, asked=open_slots, text=scene.text if SPLIT in open_slots else "")
    turn = scene.turn(kept, actions=actions, intent=intent)
    searched = story and not person and not unread and incident is None
    return replace(turn, looked=Looked(story[:JUDGED_LENGTH], state.category, hits)) if searched else turn


def wishes_two(scene: Scene, state: DialogueState) -> tuple[bool, str] | None:
    """What a letter answers to "one request or two?", and the line that says so: by the question's number, or in words that say which.

    None where it says nothing of it.
    """
    place = str(state.asked.index(SPLIT) + 1)
    for line in scene.text[:JUDGED_LENGTH].splitlines():
        numbered = _NUMBERED.match(line)
        words = numbered[2] if numbered and numbered[1] == place else line
        if numbered is not None and numbered[1] != place:
            continue
        if (count := lexicon.one_or_two(words)) is not None and (numbered or lexicon.word_count(words) <= SPLIT_WORDS):
            return count == 2, line
        if numbered and (intent := lexicon.intent_of(words)) in {Intent.CONFIRM, Intent.DENY}:
            return intent is Intent.CONFIRM, line
    return None


# --- answers in a letter -----------------------------------------------------------------------------------------------


def answers_in(scene: Scene, form: FormDef | None, state: DialogueState) -> dict[str, str]:
    """Answers to the questions of the acknowledgement: numbered, by title, one a line, or anywhere in the text."""
    open_names = [name for name in state.asked if not state.slots.get(name) and forms.slot_named(form, name) is not None]
    if form is None or not open_names or not scene.text:
        return {}
    answers: dict[str, str] = {}
    loose: list[str] = []
    used: set[str] = set()
    for question, words in scene.heard.under:
        name = asked_in(form, state, question)
        if name is not None and (value := valid(scene, form, name, words, {**state.slots, **answers})):
            answers.setdefault(name, value)
            used.add(words)
    for line in scene.text[:JUDGED_LENGTH].splitlines():
        if not line.strip() or line.strip() in used:
            continue
        name, words = named_answer(form, state, line)
        if name is None:
            loose.append(line.strip())
        elif value := valid(scene, form, name, words, {**state.slots, **answers}):
            answers.setdefault(name, value)
        else:
            loose.append(words)
    found = scene.tools.extract(scene.text[:JUDGED_LENGTH], form=form, now=scene.snapshot.now)
    for name in open_names:
        if name not in answers and found.get(name):
            answers[name] = found[name]
    left = [name for name in open_names if name not in answers]
    short = [line for line in loose if len(line) <= SHORT_ANSWER and lexicon.intent_of(line) not in {Intent.GREET, Intent.THANKS}]
    # One line a question, in their order, is how people answer a list without numbering it.
    if left and len(short) == len(left):
        for name, line in zip(left, short, strict=True):
            if value := valid(scene, form, name, line, {**state.slots, **answers}):
                answers[name] = value
    for name in [name for name in left if name not in answers]:
        slot = forms.slot_named(form, name)
        if slot is not None and slot.kind not in {"text", "person", "device", "location"}:
            value = next((value for line in short if (value := valid(scene, form, name, line, {**state.slots, **answers}))), None)
            if value:
                answers[name] = value
    return {name: value for name, value in answers.items() if state.slots.get(name) != value}


def asked_in(form: FormDef, state: DialogueState, quoted: str) -> str | None:
    """The slot that a line of ours, which a letter quotes, asks for: by its number, else by its words."""
    if (numbered := _NUMBERED.match(quoted)) and 0 < int(numbered[1]) <= len(state.asked):
        return state.asked[int(numbered[1]) - 1]
    said = lexicon.plain(quoted)
    return next((slot.name for slot in form.slots if said and any(lexicon.plain(one) == said for one in slot.questions.values())), None)


def named_answer(form: FormDef, state: DialogueState, line: str) -> tuple[str | None, str]:
    """ "2) third floor" or "Location: third floor" as the slot it answers."""
    if numbered := _NUMBERED.match(line):
        place = int(numbered[1]) - 1
        if 0 <= place < len(state.asked):
            return state.asked[place], numbered[2].strip()
    head, colon, rest = line.partition(":")
    if colon and rest.strip():
        for slot in form.slots:
            if any(lexicon.plain(head) == lexicon.plain(title) for title in slot.titles.values()):
                return slot.name, rest.strip()
    return None, line


def valid(scene: Scene, form: FormDef, name: str, words: str, slots: Mapping[str, str]) -> str | None:
    slot = forms.slot_named(form, name)
    if slot is None:
        return None
    return scene.tools.validate(slot, words, language=scene.language, slots=slots).value


# --- a filled page -----------------------------------------------------------------------------------------------------


def form(scene: Scene) -> Turn:
    """A page: topic, fields and story in one; with a request already open the words go there."""
    current = scene.snapshot.active or scene.snapshot.resolved
    if current is not None and scene.heard.category is None:
        return page_reply(scene, current.ticket_id)
    heard = scene.heard
    story = story_of(scene)
    state = replace(told(DialogueState(), story, attachments=heard.attachments), slots={k: v for k, v in heard.slots.items() if v})
    triage = scene.judge(story)
    chosen = scene.tools.category(heard.category)
    state = judged(state, triage, category=scene.tools.category(triage.category))
    if chosen is not None:
        state = classified(state, chosen)
    state = replace(state, subject=subject_of(subject_line(scene) or story))
    # A page is answered by a page: nothing more can be asked, so people are told that it may be two.
    tags = (TWO_TOPICS,) if policy_articles.two_topics(scene) else ()
    ticket: OpenTicket = opened(state, form=scene.form(state), language=scene.language, tags=tags)
    if not ticket.text and chosen is not None:
        ticket = replace(ticket, subject=scene.titled(chosen.titles, chosen.key))
    human_now = (chosen is not None and chosen.human_now) or (triage.human_now and triage.band is not Band.ASK)
    handed = (HandOver(reason="human_now"),) if human_now else ()
    return scene.turn(DialogueState(), actions=(ticket, *handed), intent=triage.intent)


def page_reply(scene: Scene, ticket_id: str) -> Turn:
    """Words from the status page."""
    if not scene.text and not scene.heard.attachments:
        return scene.turn(scene.state)
    request = questions.request_of(scene, ticket_id)
    reply = scene.say("added", number=request.number if request else "")
    return scene.turn(scene.state, reply, actions=(AddToTicket(ticket_id=ticket_id),), intent=Intent.ADD_DETAILS)
