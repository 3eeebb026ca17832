// Where one can be: people, the groups of the person one is, and the topics of the chat that is open.

import { clock, element, summary } from "./render.js";
import { chatId, fullName, initials, language, part, say, state } from "./state.js";

function aside(chat) {
  const last = state.last.get(chat);
  const unread = state.unread.get(chat) || 0;
  const made = element("span", { class: "aside" });
  if (last) made.append(element("time", {}, clock(last.date, language)));
  if (unread) made.append(element("span", { class: "unread" }, String(unread)));
  return made;
}

function entry(chat, { name, small, preview, hue, become }) {
  const last = state.last.get(chat);
  const words = element(
    "span",
    { class: "words" },
    element("span", { class: "name" }, name, small ? element("small", {}, small) : null),
    element("span", { class: "preview" }, last ? summary(last, say) : preview),
  );
  const choose = { type: "button", class: "person", "aria-current": chatId() === chat ? "true" : undefined, onclick: become };
  const avatar = element("span", { class: `avatar hue-${hue}`, "aria-hidden": "true" }, initials(name));
  return element("button", choose, avatar, words, aside(chat));
}

function groupsOf(user) {
  return state.groups.filter(
    (group) =>
      group.bot === state.bot?.id && group.members.some(({ id, status }) => id === user.id && !["left", "kicked"].includes(status)),
  );
}

/* The people, and below the one I am their groups. `become` is called with a person and a group or nothing. */
export function drawPeople(become) {
  const rows = state.users.map((user) => {
    const person = { name: fullName(user), small: user.language_code || "", preview: user.username ? `@${user.username}` : "" };
    const row = element("li", {}, entry(user.id, { ...person, hue: user.id % 6, become: () => become(user, null) }));
    const groups = state.user?.id === user.id ? groupsOf(user) : [];
    if (groups.length) {
      const inside = groups.map((group) =>
        element("li", {}, entry(group.id, { name: group.title, preview: say.group, hue: 5, become: () => become(user, group) })),
      );
      row.append(element("ul", { class: "groups", "aria-label": say.groups }, ...inside));
    }
    return row;
  });
  const list = part("people");
  const keys = () => [...list.querySelectorAll("button")];
  const focused = keys().indexOf(document.activeElement);
  list.replaceChildren(...rows);
  if (focused >= 0) keys()[focused]?.focus();
}

export function drawBots() {
  part("bot-choice").hidden = state.bots.length < 2;
  part("bots").replaceChildren(
    ...state.bots.map((bot) => element("option", { value: bot.id, selected: bot.id === state.bot?.id }, `${bot.name} (@${bot.username})`)),
  );
}

/* The topics of the chat, and before them the space outside all of them. */
export function drawTopics(choose) {
  const strip = part("topics");
  strip.hidden = !state.topics.length;
  const all = [{ message_thread_id: null, name: say.no_topic }, ...state.topics];
  const focused = [...strip.children].indexOf(document.activeElement);
  strip.replaceChildren(
    ...all.map((topic) => {
      const id = topic.message_thread_id;
      const unread = state.unreadTopics.get(id) || 0;
      const key = { type: "button", class: "topic", "aria-pressed": String(state.topic === id), onclick: () => choose(id) };
      return element(
        "button",
        key,
        topic.icon ? element("span", { "aria-hidden": "true" }, `${topic.icon} `) : null,
        element("span", { class: "topic-name" }, topic.name),
        topic.closed ? element("small", {}, say.closed) : null,
        unread ? element("span", { class: "unread" }, String(unread)) : null,
      );
    }),
  );
  if (focused >= 0) strip.children[focused]?.focus();
}
