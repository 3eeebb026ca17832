"""A story becomes a request: articles first, each once, then the questions of its form. Pure."""

from dataclasses import replace

from desk_core.kit.i18n import translate
from nlu import labels, lexicon, policy_form, questions, splitting
from nlu.scene import JUDGED_LENGTH, MAX_QUESTIONS, PROBLEM, Scene, hand_over, judged, opened, told
from nlu.turn import Action, ArticleFeedback, DialogueState, Looked, OpenTicket, Phase, Say, Turn
from nlu.understood import Band, Hit, Intent, KnownIncident

ARTICLES_AT_ONCE = 3
# After this many articles a person wants a person, not a library.
ARTICLES_IN_ALL = 5
FAQ_LENGTH = 5
ASIDE_SCORE = 0.35


def report(scene: Scene, state: DialogueState, *before: Say, intent: Intent | None = None) -> Turn:
    """Take the text as (another part of) the story and go on from there."""
    state = told(
        replace(state, phase=Phase.PROBLEM, pending=None, editing=False, ticket_id=None), scene.text, attachments=scene.heard.attachments
    )
    triage = scene.judge(state.text)
    if triage.band is not Band.ASK or state.category is None:
        state = judged(state, triage, category=scene.tools.category(triage.category))
    category = scene.tools.category(state.category)
    if triage.human_now or (category is not None and category.human_now):
        return hand_over(scene, state, reason="human_now", intent=intent or triage.intent)
    if (incident := scene.tools.incident(state.text[:JUDGED_LENGTH], language=scene.language, category=state.category)) is not None:
        return joined(scene, state, incident, *before, intent=intent or triage.intent)
    if is_vague(state.text, triage.band) and PROBLEM not in state.asked and len(state.asked) < MAX_QUESTIONS:
        state = replace(state, phase=Phase.PROBLEM, asked=(*state.asked, PROBLEM), failures=0)
        # Somebody who was just asked for the story and told too little needs to see what a story looks like.
        key = "example" if scene.state.phase is Phase.PROBLEM else "ask_problem"
        ask = scene.say(key, example=scene.example(), buttons=[[scene.button("human"), scene.button("cancel")]])
        return scene.turn(state, *before, ask, intent=intent or triage.intent)
    hits = unseen(scene, state)
    # What is looked for again while more of one story is told is no question of its own.
    looked = None if state.shown else Looked(state.text[:JUDGED_LENGTH], state.category, tuple(hit.article_id for hit in hits))
    if hits:
        return replace(offer(scene, state, hits, *before, intent=intent or triage.intent), looked=looked)
    if triage.intent is Intent.ASK and not state.shown:
        before = (*before, scene.say("articles_none"))
    return replace(policy_form.proceed(scene, state, *before, intent=intent or triage.intent), looked=looked)


def joined(scene: Scene, state: DialogueState, incident: KnownIncident, *before: Say, intent: Intent | None = None) -> Turn:
    """Trouble that is known already: how it stands, and a request at once that is told when it is over; nothing needs to be asked."""
    said = scene.say("known_incident", text=known_words(scene, incident))
    ticket = opened(state, form=scene.form(state), language=scene.language, tags=(incident_tag(incident),))
    return scene.turn(DialogueState(), *before, said, actions=(ticket,), intent=intent)


def known_words(scene: Scene, incident: KnownIncident) -> str:
    return translate(scene.language, labels.KNOWN_INCIDENT, title=incident.title, status=incident.status)


def incident_tag(incident: KnownIncident) -> str:
    """By this tag a request is one of those that a mass incident's updates go to."""
    return f"mass:{incident.id}"


def two_topics(scene: Scene, text: str | None = None) -> tuple[str, str] | None:
    """The two halves of a text (this turn's, where none is given) that tells of two surely different things; None where it does not."""
    said = scene.text if text is None else text
    if scene.judge(said).human_now:
        return None
    cut = splitting.two_stories(said, judge=scene.judge, glance=scene.tools.glance, category=scene.tools.category)
    return (cut.first, cut.second) if cut is not None else None


def ask_split(scene: Scene) -> Turn | None:
    """ "One request or two?", where a text tells of two things; None where it does not."""
    if two_topics(scene) is None:
        return None
    state = told(DialogueState(phase=Phase.CHOOSING, attachments=scene.state.attachments), scene.text, attachments=scene.heard.attachments)
    return scene.turn(state, questions.ask_about(scene, state), intent=Intent.REPORT)


def together(scene: Scene) -> Turn:
    """The text that waited is one story."""
    return report(wordless(scene), scene.state, intent=Intent.CONFIRM)


def apart(scene: Scene) -> Turn:
    """The second story is a request at once, with what it tells; the first goes on as any other."""
    halves = two_topics(scene, scene.state.text)
    if halves is None:
        return together(scene)
    first, second = halves
    ticket = second_request(scene, second)
    turn = report(wordless(scene), DialogueState(text=first, attachments=scene.state.attachments), intent=Intent.CONFIRM)
    return replace(turn, actions=(ticket, *turn.actions))


def second_request(scene: Scene, story: str) -> OpenTicket:
    """The second of two problems as a request of its own, with what its words tell."""
    triage = scene.judge(story)
    other = judged(told(DialogueState(), story), triage, category=scene.tools.category(triage.category))
    other = policy_form.collected(scene, other)
    return opened(other, form=scene.form(other), language=scene.language)


def wordless(scene: Scene) -> Scene:
    """The scene without this turn's words, which answered a question and are no part of a story."""
    return replace(scene, heard=replace(scene.heard, text="", attachments=0))


def is_vague(text: str, band: Band) -> bool:
    """Whether a story says nothing to work with ("не работает")."""
    return lexicon.is_vague(text) or (band is Band.ASK and lexicon.word_count(text) < 3)


def unseen(scene: Scene, state: DialogueState) -> tuple[Hit, ...]:
    """The best articles this person has not been shown for this request."""
    if len(state.shown) >= ARTICLES_IN_ALL:
        return ()
    found = scene.tools.search(state.text[:JUDGED_LENGTH], language=scene.language, category=state.category, limit=ARTICLES_AT_ONCE)
    fresh: dict[str, Hit] = {}
    for hit in found:
        if hit.article_id not in state.shown:
            fresh.setdefault(hit.article_id, hit)
    return tuple(fresh.values())[:ARTICLES_AT_ONCE]


def offer(scene: Scene, state: DialogueState, hits: tuple[Hit, ...], *before: Say, intent: Intent | None = None) -> Turn:
    """Show the best article's passage and the titles of the others."""
    ids = tuple(hit.article_id for hit in hits)
    # The article on the screen stands last, so that "did this help?" asks about it.
    state = replace(
        state, phase=Phase.ARTICLES, pending=None, failures=0, shown=(*state.shown, *ids[1:], ids[0]), read=(*state.read, ids[0])
    )
    return scene.turn(
        state,
        *before,
        scene.say("article_intro"),
        questions.show_article(scene, hits[0], hits[1:]),
        actions=tuple(ArticleFeedback(article_id=one, verdict="shown") for one in ids),
        intent=intent,
    )


def helped(scene: Scene, article_id: str | None, *, intent: Intent | None = None) -> Turn | None:
    """An article helped: nothing is opened. None when it was not on offer."""
    state = scene.state
    chosen = article_id or (state.shown[-1] if state.shown else None)
    if state.phase is not Phase.ARTICLES or chosen not in state.shown or chosen is None:
        return None
    return scene.turn(
        DialogueState(), scene.say("article_helped"), actions=(ArticleFeedback(article_id=chosen, verdict="helped"),), intent=intent
    )


def not_it(scene: Scene, *, intent: Intent | None = None) -> Turn | None:
    """No article fits: go on to the questions, or ask for the story where an article was opened without one."""
    state = scene.state
    if state.phase is not Phase.ARTICLES:
        return None
    # A title that nobody opened was not refused.
    fresh = tuple(one for one in state.read if one not in state.refused)
    feedback: tuple[Action, ...] = tuple(ArticleFeedback(article_id=one, verdict="refused") for one in fresh)
    state = replace(state, refused=(*state.refused, *fresh))
    if not state.text:
        state = replace(state, phase=Phase.PROBLEM)
        return scene.turn(state, questions.ask_problem(scene, state), actions=feedback, intent=intent)
    turn = policy_form.proceed(scene, state, intent=intent)
    return replace(turn, actions=(*feedback, *turn.actions))


def more_words(scene: Scene) -> Turn:
    """Words instead of a button while articles are on the screen."""
    intent = lexicon.intent_of(scene.text)
    if intent in {Intent.CONFIRM, Intent.THANKS} or lexicon.says_solved(scene.text):
        answered = helped(scene, None, intent=intent or Intent.CONFIRM)
    elif intent in {Intent.DENY, Intent.SKIP}:
        answered = not_it(scene, intent=intent)
    else:
        answered = None
    return answered or report(scene, scene.state)


def show(scene: Scene, article_id: str, *, page: object = None) -> Turn | None:
    """An article asked for by its title, or the next page of one; None when there is none by that id."""
    hit = scene.tools.article(article_id, language=scene.language)
    if hit is None:
        return None
    if isinstance(page, int) and 0 <= page < len(hit.pages) and scene.state.phase is Phase.ARTICLES and hit.article_id in scene.state.shown:
        return scene.turn(scene.state, questions.show_page(scene, hit, page))
    feedback = (ArticleFeedback(article_id=hit.article_id, verdict="shown"),)
    state = scene.state
    if state.phase in {Phase.IDLE, Phase.PROBLEM, Phase.ARTICLES}:
        shown = (*(one for one in state.shown if one != hit.article_id), hit.article_id)
        read = (*(one for one in state.read if one != hit.article_id), hit.article_id)
        state = replace(state, phase=Phase.ARTICLES, shown=shown, read=read)
        return scene.turn(state, questions.show_article(scene, hit), actions=feedback)
    return questions.aside(scene, scene.say("article", text=f"{hit.title}\n\n{hit.passage}".strip()), actions=feedback)


def side_answer(scene: Scene) -> Turn | None:
    """A question in the middle of a form, answered from the articles; None when there is no good answer."""
    if not lexicon.is_question(scene.text):
        return None
    found = scene.tools.search(scene.text[:JUDGED_LENGTH], language=scene.language, category=None, limit=1)
    hit = next((hit for hit in found if hit.score >= ASIDE_SCORE), None)
    if hit is None:
        return None
    passage = scene.say("article", text=f"{hit.title}\n\n{hit.passage[: questions.PASSAGE]}".strip())
    shown = (ArticleFeedback(article_id=hit.article_id, verdict="shown"),)
    return questions.aside(scene, scene.say("side_answer"), passage, actions=shown, intent=Intent.ASK)


def faq(scene: Scene) -> Turn:
    """Titles of the articles people ask for most."""
    hits = scene.tools.faq(language=scene.language, limit=FAQ_LENGTH)
    if not hits:
        return questions.aside(scene, scene.say("articles_none"))
    buttons = [[questions.article_button(hit)] for hit in hits]
    return scene.turn(scene.state, scene.say("faq_intro", buttons=buttons))
