"""The question that is open in a state, as replies with buttons: asked once, and again only after something else was said."""

from collections.abc import Iterable, Sequence

from desk_core.kit.i18n import translate
from nlu import forms, labels
from nlu.scene import CATEGORY, PROBLEM, Buttons, Scene, shortened
from nlu.turn import Action, Button, DialogueState, OpenRequest, Phase, Say, Turn
from nlu.understood import Hit, Intent, SlotDef

CATEGORY_CHOICES = 5
CARD_STORY = 600
PASSAGE = 1_500


def present(scene: Scene, state: DialogueState) -> tuple[Say, ...]:
    """The question a person is expected to answer now; nothing when the dialogue is idle."""
    match state.phase:
        case Phase.PROBLEM:
            return (ask_problem(scene, state),)
        case Phase.ARTICLES:
            return (ask_helped(scene, state),)
        case Phase.FORM:
            return (open_question(scene, state),)
        case Phase.SUMMARY:
            return (edit_menu(scene, state),) if state.editing else (summary(scene, state),)
        case Phase.CHOOSING:
            return (ask_about(scene, state),)
        case Phase.ADDING:
            return (ask_addition(scene),)
        case Phase.RATING_COMMENT:
            return (ask_comment(scene),)
        case Phase.IDLE | Phase.RATING:  # stars are an offer, which stands where it was made
            return ()


def again(scene: Scene, state: DialogueState) -> tuple[Say, ...]:
    """The open question once more, after a side answer."""
    question = present(scene, state)
    return (scene.say("resume"), *question) if question else ()


def aside(
    scene: Scene, *replies: Say, state: DialogueState | None = None, actions: Iterable[Action] = (), intent: Intent | None = None
) -> Turn:
    """Answer something on the way and come back to the open question."""
    kept = scene.state if state is None else state
    return scene.turn(kept, *replies, *again(scene, kept), actions=actions, intent=intent)


# --- the questions -----------------------------------------------------------------------------------------------------


def ask_problem(scene: Scene, state: DialogueState) -> Say:
    if state.editing:
        return scene.own("ask_edited_problem", labels.ASK_EDITED_PROBLEM, buttons=[[scene.button("back"), scene.button("cancel")]])
    return scene.say("ask_problem", buttons=[[scene.button("human"), scene.button("cancel")]])


def open_question(scene: Scene, state: DialogueState) -> Say:
    """The open slot's question; a vanished slot (the form was changed meanwhile) falls back to the story."""
    if state.pending == PROBLEM:
        return ask_problem(scene, state)
    if state.pending == CATEGORY:
        return ask_category(scene, state)
    form = scene.form(state)
    slot = forms.slot_named(form, state.pending)
    if form is None or slot is None:
        return ask_problem(scene, state)
    return ask_slot(scene, form.key, slot)


def ask_slot(scene: Scene, form_key: str, slot: SlotDef) -> Say:
    question = slot.questions.get(scene.language) or next(iter(slot.questions.values()), "")
    return scene.say(
        f"ask_{form_key}_{slot.name}",
        text=question or f"{forms.title(slot, scene.language)}?",
        buttons=slot_buttons(scene, slot),
    )


def slot_buttons(scene: Scene, slot: SlotDef) -> Buttons:
    """Choices in rows of two (long ones alone), then the ways out."""
    choices = [
        Button(label=forms.choice_title(slot, value, scene.language), action="slot", value={"slot": slot.name, "value": value})
        for value, _ in slot.choices
    ]
    return (*rows(choices), (scene.button("skip"), scene.button("back"), scene.button("cancel")))


def rows(buttons: Sequence[Button]) -> Buttons:
    """Two short buttons to a row, a long one alone."""
    made: list[tuple[Button, ...]] = []
    for button in buttons:
        if made and len(made[-1]) == 1 and len(button.label) <= 18 and len(made[-1][0].label) <= 18:
            made[-1] = (*made[-1], button)
        else:
            made.append((button,))
    return tuple(made)


def category_buttons(scene: Scene, state: DialogueState) -> Buttons:
    choices = []
    for guess in state.alternatives[:CATEGORY_CHOICES]:
        category = scene.tools.category(str(guess.get("label", "")))
        if category is not None:
            choices.append(Button(label=scene.titled(category.titles, category.key), action="category", value={"key": category.key}))
    return (*rows(choices), (scene.button("skip"), scene.button("back"), scene.button("cancel")))


def ask_category(scene: Scene, state: DialogueState) -> Say:
    return scene.own("ask_category", labels.ASK_CATEGORY, buttons=category_buttons(scene, state))


def summary(scene: Scene, state: DialogueState) -> Say:
    """The card itself; the words before it are the desk's `summary_intro`."""
    return scene.say(
        "summary",
        text=card(scene, state),
        buttons=[[scene.button("send"), scene.button("edit"), scene.button("cancel")]],
    )


def card(scene: Scene, state: DialogueState) -> str:
    """The lines a person checks before sending: topic, story, answers, files."""
    category = scene.tools.category(state.category)
    lines = [scene.titled(category.titles, category.key)] if category else []
    if state.text:
        lines.append(shortened(state.text, CARD_STORY))
    lines.extend(forms.summary_lines(scene.form(state), state, language=scene.language))
    if state.attachments:
        lines.append(f"{labels.label(scene.language, 'files')}: {state.attachments}")
    return "\n".join(lines)


def edit_menu(scene: Scene, state: DialogueState) -> Say:
    form = scene.form(state)
    choices = [
        Button(label=labels.label(scene.language, "problem"), action="edit_slot", value={"slot": PROBLEM}),
        Button(label=labels.label(scene.language, "category"), action="edit_slot", value={"slot": CATEGORY}),
        *(
            Button(label=forms.title(slot, scene.language), action="edit_slot", value={"slot": slot.name})
            for slot in (form.slots if form else ())
        ),
    ]
    return scene.own(
        "ask_edit", labels.ASK_EDIT, buttons=(*rows(choices), (scene.button("send"), scene.button("back"), scene.button("cancel")))
    )


def ask_helped(scene: Scene, state: DialogueState) -> Say:
    return scene.own("ask_helped", labels.ASK_HELPED, buttons=article_buttons(scene, state.shown[-1] if state.shown else ""))


def article_buttons(scene: Scene, article_id: str, others: Sequence[Hit] = ()) -> Buttons:
    """Other articles by title, then helped / not it / a person."""
    return (
        *((article_button(hit),) for hit in others),
        (scene.button("helped", article=article_id), scene.button("not_it")),
        (scene.button("human"),),
    )


def article_button(hit: Hit) -> Button:
    return Button(label=shortened(hit.title, 60), action="article", value={"id": hit.article_id})


def show_article(scene: Scene, hit: Hit, others: Sequence[Hit] = ()) -> Say:
    passage = shortened(hit.passage.strip(), PASSAGE) if hit.passage.count("\n") == 0 else hit.passage.strip()[:PASSAGE]
    text = f"{hit.title}\n\n{passage}" if passage else hit.title
    if hit.language != scene.language and hit.language in labels.ONLY_IN:
        text = f"{translate(scene.language, labels.ONLY_IN[hit.language])}\n\n{text}"
    whole = [[Button(label=labels.label(scene.language, "whole"), action="article", value={"id": hit.article_id, "page": 0})]]
    buttons = article_buttons(scene, hit.article_id, others)
    return scene.say("article", text=text, buttons=(*(whole if len(hit.pages) > 1 else ()), *buttons))


def show_page(scene: Scene, hit: Hit, page: int) -> Say:
    """One page of a long article, with the way to the others."""
    turning = [
        Button(label=labels.label(scene.language, name), action="article", value={"id": hit.article_id, "page": at})
        for name, at in (("back", page - 1), ("further", page + 1))
        if 0 <= at < len(hit.pages)
    ]
    text = f"{hit.title} ({page + 1}/{len(hit.pages)})\n\n{hit.pages[page]}"
    return scene.say("article", text=text, buttons=(tuple(turning), *article_buttons(scene, hit.article_id)))


def ask_about(scene: Scene, state: DialogueState) -> Say:
    if state.ticket_id is None:
        return scene.own("ask_split", labels.ASK_SPLIT, buttons=[[scene.button("apart"), scene.button("together")]])
    found = [request for ident in choices(scene, state) if (request := request_of(scene, ident)) is not None]
    about = [
        Button(label=translate(scene.language, labels.ABOUT, number=request.number), action="add", value={"ticket": request.ticket_id})
        for request in found
    ]
    if len(found) > 1:
        lines = "\n".join(f"- #{request.number} · {request.subject}" for request in found)
        return scene.own("ask_which", labels.ASK_WHICH, buttons=[about, [scene.button("new")]], requests=lines)
    number = found[0].number if found else ""
    return scene.own("ask_about", labels.ASK_ABOUT, buttons=[[*about, scene.button("new")]], number=number)


def choices(scene: Scene, state: DialogueState) -> tuple[str, ...]:
    """The requests that waiting words may belong to: the one they sound like, and the active one."""
    if state.phase is not Phase.CHOOSING or state.ticket_id is None:
        return ()
    active = scene.snapshot.active
    others = (active.ticket_id,) if active is not None and active.ticket_id != state.ticket_id else ()
    return (state.ticket_id, *others)


def ask_addition(scene: Scene) -> Say:
    return scene.own("ask_addition", labels.ASK_ADDITION, buttons=[[scene.button("cancel")]])


def ask_rating(scene: Scene, state: DialogueState) -> Say:
    request = request_of(scene, state.ticket_id)
    stars = tuple(Button(label=str(score), action="rate", value={"ticket": state.ticket_id or "", "score": score}) for score in range(1, 6))
    return scene.say("rate", number=request.number if request else "", buttons=[stars])


def ask_comment(scene: Scene) -> Say:
    return scene.say("rate_comment", buttons=[[scene.button("skip")]])


def ask_language(scene: Scene) -> Say:
    choices = [
        Button(label=labels.LANGUAGE_NAMES.get(language, language), action="lang", value={"language": language})
        for language in scene.snapshot.languages
    ]
    return scene.own("ask_language", labels.ASK_LANGUAGE, buttons=rows(choices))


def request_of(scene: Scene, ticket_id: str | None) -> OpenRequest | None:
    """A request of this person by its id, among those the snapshot holds."""
    known = (scene.snapshot.active, scene.snapshot.resolved, *scene.snapshot.requests)
    return next((request for request in known if request is not None and request.ticket_id == ticket_id), None)


def main_buttons(scene: Scene) -> Buttons:
    """What a person can start from."""
    return ((scene.button("new"), scene.button("mine", offset=0)), (scene.button("faq"),))
