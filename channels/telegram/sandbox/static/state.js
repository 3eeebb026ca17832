// What the page knows: who I am, which chat is open, what stands in it.

import { Client } from "./client.js";

export const app = document.getElementById("app");
export const say = JSON.parse(app.dataset.texts);
export const language = app.dataset.language;
export const client = new Client(app.dataset.api);
export const part = (name) => document.querySelector(`[data-${name}]`);

export const state = {
  bots: [],
  users: [],
  groups: [],
  bot: null,
  user: null,
  group: null,
  topics: [],
  topic: null,
  messages: new Map(),
  last: new Map(),
  unread: new Map(),
  unreadTopics: new Map(),
  blocked: false,
  keyboard: null,
  commands: [],
  description: "",
  context: null,
  files: [],
  listening: null,
  typingUntil: null,
  follow: true,
};

/* The id of the open chat: a group's, or the person's own with the bot. */
export function chatId() {
  return state.group?.id ?? state.user?.id;
}

export function isMine(message) {
  return message.from.id === state.user?.id;
}

/* Whether a message belongs to what is shown now: a topic shows its own, the space outside all topics the rest. */
export function isShown(message) {
  return !state.topics.length || (message.message_thread_id ?? null) === state.topic;
}

export function fullName(user) {
  return [user.first_name, user.last_name].filter(Boolean).join(" ");
}

export function initials(name) {
  return name
    .split(/\s+/)
    .slice(0, 2)
    .map((word) => [...word][0] || "")
    .join("");
}
