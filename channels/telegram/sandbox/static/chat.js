// The chat page: what stands in the open chat, and what I do there. All it knows comes from the people's side of the sandbox.

import { act, copy, inChat, press, write } from "./acts.js";
import { draftKey, drawFiles, grow, setContext } from "./composer.js";
import { closeMenu, item, openMenu, toast } from "./floating.js";
import { atEnd, rowOf, toEnd } from "./log.js";
import { drawBots, drawPeople, drawTopics } from "./places.js";
import { bubble, day, element } from "./render.js";
import { app, chatId, client, fullName, initials, isMine, isShown, language, part, say, state } from "./state.js";

const address = new URL(window.location.href);
const REACTIONS = ["👍", "❤", "🔥", "👏", "😁", "🤔", "👎", "🙏"];

// The chat

const ui = {
  client,
  say,
  language,
  botName: () => state.bot?.name || say.bot,
  isMine,
  isGroup: () => Boolean(state.group),
  onCommand: (text) => act(() => write({ text })),
  onPress: press,
  onCopy: (text) => copy(text),
  onReact: (message, emoji) => act(() => inChat("POST", `/messages/${message.message_id}/reaction`, { emoji })),
  onMore: messageMenu,
  onShow: (id) => {
    const row = rowOf(id);
    if (!row) return;
    row.scrollIntoView({ block: "center" });
    row.classList.add("shown");
    setTimeout(() => row.classList.remove("shown"), 1200);
  },
};

function addRow(message) {
  const log = part("log");
  const title = day(message.date, language, say);
  const days = log.querySelectorAll(".day");
  if (!days.length || days[days.length - 1].textContent !== title) log.append(element("p", { class: "day" }, title));
  const row = bubble(message, ui);
  if (message.media_group_id && log.lastElementChild?.dataset.album === message.media_group_id) row.classList.add("joined");
  log.append(row);
}

function drawChat() {
  const log = part("log");
  log.replaceChildren();
  if (![...state.messages.values()].some(isShown)) {
    const what = state.group || state.topic ? say.empty_topic : state.bot ? state.description || say.empty_chat : say.no_bots;
    log.append(element("p", { class: "empty" }, state.user ? what : state.bot ? say.pick : say.no_bots));
  }
  for (const message of state.messages.values()) if (isShown(message)) addRow(message);
  drawTopics(openTopic);
  drawAround();
  toEnd();
}

function drawAround() {
  const { bot, user } = state;
  const name = state.group?.title || bot?.name;
  part("bot-name").textContent = name || say.bot;
  part("bot-avatar").textContent = name ? initials(name) : "";
  part("as-whom").textContent = user ? fullName(user) : "";
  part("chat-menu").hidden = !(bot && user);
  drawStatus();
  const ready = Boolean(bot && user);
  const start = ready && !state.group && !state.messages.size && !state.blocked;
  part("start-bar").hidden = !(start || (ready && state.blocked));
  part("start").textContent = state.blocked ? say.unblock : say.start;
  part("composer").hidden = !ready || start || state.blocked;
  part("commands").hidden = !state.commands.length;
  banner(state.blocked ? say.blocked : "");
  const keyboard = part("reply-keyboard");
  const rows = state.keyboard?.keyboard || [];
  keyboard.hidden = !rows.length || part("composer").hidden;
  keyboard.replaceChildren(
    ...rows.map((row) => element("div", { class: "row" }, ...row.map((button) => replyKey(button)))),
  );
}

function replyKey(button) {
  const press = () =>
    act(() => {
      if (button.request_contact) return write({ contact: {} });
      if (button.request_location) return write({ location: MOSCOW });
      return write({ text: button.text });
    });
  return element("button", { type: "button", class: "key", onclick: press }, button.text);
}

const MOSCOW = { latitude: 55.7558, longitude: 37.6173 };

function drawStatus(action) {
  const status = part("status");
  clearTimeout(state.typingUntil);
  if (action) {
    status.textContent = action.startsWith("upload") ? say.sending_file : say.typing;
    state.typingUntil = setTimeout(() => drawStatus(), 5000);
  } else {
    status.textContent = !state.bot ? "" : state.group ? `${say.group} · @${state.bot.username}` : `${say.bot} · @${state.bot.username}`;
  }
}

function banner(text) {
  const shown = part("banner");
  shown.textContent = text;
  shown.hidden = !text;
}

// What happens

function onPage(events, restarted) {
  if (restarted) return refresh();
  for (const event of events) {
    const here = event.chat === chatId();
    if (event.kind === "message") {
      state.last.set(event.chat, event.message);
      if (!here && event.message.from.is_bot) count(state.unread, event.chat);
    }
    if (here) happen(event);
  }
  if (events.some((event) => event.kind === "message")) drawPeople(become);
  const known = new Set([...state.users, ...state.groups].map((one) => one.id));
  if (events.some((event) => event.kind === "members" || !known.has(event.chat))) return loadWorld().then(() => drawPeople(become));
  return undefined;
}

function count(map, key) {
  map.set(key, (map.get(key) || 0) + 1);
}

function openTopic(id) {
  state.topic = id;
  state.unreadTopics.delete(id);
  setContext(null);
  drawChat();
}

function happen(event) {
  const { kind, message } = event;
  if (kind === "message") {
    if (state.messages.has(message.message_id)) return;
    const stay = !atEnd() && !isMine(message);
    const first = ![...state.messages.values()].some(isShown);
    state.messages.set(message.message_id, message);
    if (!isShown(message)) {
      if (!isMine(message)) count(state.unreadTopics, message.message_thread_id ?? null);
      drawTopics(openTopic);
      return;
    }
    if (first) part("log").replaceChildren();
    addRow(message);
    if (!stay) toEnd();
    if (message.from.is_bot) refreshAround();
    else drawAround();
  } else if (kind === "edited" || kind === "reaction") {
    const end = atEnd();
    state.messages.set(message.message_id, message);
    const row = rowOf(message.message_id);
    if (row) {
      const fresh = bubble(message, ui);
      if (row.classList.contains("joined")) fresh.classList.add("joined");
      const held = row.contains(document.activeElement);
      row.replaceWith(fresh);
      if (held) fresh.querySelector("button, a")?.focus();
    }
    if (end) toEnd();
  } else if (kind === "deleted") {
    state.messages.delete(event.message_id);
    rowOf(event.message_id)?.remove();
  } else if (kind === "action") {
    drawStatus(event.action);
  } else if (kind === "callback_answer") {
    answered(event);
  } else if (["blocked", "unblocked", "cleared", "commands", "topics", "members"].includes(kind)) {
    refresh();
  }
}

function answered(event) {
  for (const key of document.querySelectorAll(".key.waiting")) {
    key.classList.remove("waiting");
    key.removeAttribute("aria-busy");
  }
  if (!event.text) return;
  if (event.show_alert) {
    part("alert-text").textContent = event.text;
    part("alert").showModal();
  } else {
    toast(event.text);
  }
}

// Menus

function messageMenu(message, anchor) {
  const mine = isMine(message);
  const emoji = element("div", { class: "emoji", role: "none" });
  for (const each of REACTIONS) {
    const chosen = message.reactions?.user === each;
    const key = item(each, () => ui.onReact(message, chosen ? null : each));
    key.setAttribute("aria-label", chosen ? say.take_back : `${say.react} ${each}`);
    if (chosen) key.classList.add("chosen");
    emoji.append(key);
  }
  const items = [emoji, item(say.reply, () => setContext({ kind: "reply", message }))];
  const text = message.text || message.caption;
  if (mine && (text || message.photo || message.document)) items.push(item(say.edit, () => setContext({ kind: "edit", message })));
  if (text) items.push(item(say.copy, () => copy(text)));
  openMenu(anchor, items);
}

part("chat-menu").addEventListener("click", (event) => {
  const block = () => act(() => inChat("POST", "/block", { blocked: !state.blocked }));
  const topics = () => act(switchTopics);
  const items = [
    item(state.bot.has_topics_enabled ? say.topics_off : say.topics_on, topics),
    item(say.new_group, () => act(foundGroup)),
  ];
  if (!state.group) items.push(item(state.blocked ? say.unblock : say.block, block));
  openMenu(event.currentTarget, items);
});

/* What the owner of a bot does at BotFather. */
async function switchTopics() {
  await client.changeBot(state.bot.id, { has_topics_enabled: !state.bot.has_topics_enabled });
  await loadWorld();
  await refresh();
}

/* A group with topics, everybody of this page and the bot in it; the bot may do what a desk needs of it. */
async function foundGroup() {
  const members = state.users.filter((user) => user.id !== state.user.id).map((user) => user.key);
  const title = say.group_title.replace("%(number)s", String(state.groups.length + 1));
  const made = { owner: state.user.key, title, is_forum: true, members, administrator: true, rights: ["can_manage_topics"] };
  const group = await client.addGroup(state.bot.id, made);
  await loadWorld();
  await become(state.user, group);
}

part("commands").addEventListener("click", (event) => {
  const items = state.commands.map(({ command, description }) => item(`/${command} — ${description}`, () => act(() => write({ text: `/${command}` }))));
  openMenu(event.currentTarget, items);
});

part("attach").addEventListener("click", (event) => {
  const acts = {
    file: () => part("file-input").click(),
    contact: () => act(() => write({ contact: {} })),
    location: () => act(() => write({ location: MOSCOW })),
  };
  const menu = part("attach-menu").content.cloneNode(true);
  openMenu(event.currentTarget, [...menu.children].map((each) => item(each.textContent, acts[each.dataset.act])));
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  if (closeMenu({ refocus: true })) return;
  if (state.context) setContext(null);
  else if (app.dataset.pane === "chat" && window.innerWidth < 720) app.dataset.pane = "people";
});

// Buttons around the chat

part("back").addEventListener("click", () => {
  app.dataset.pane = "people";
  part("people").querySelector('[aria-current="true"]')?.focus();
});

part("start").addEventListener("click", async () => {
  if (state.blocked) {
    await act(() => inChat("POST", "/block", { blocked: false }));
    return;
  }
  const payload = address.searchParams.get("start");
  address.searchParams.delete("start");
  keepAddress();
  await act(() => inChat("POST", "/messages", { text: payload ? `/start ${payload}` : "/start" }));
  part("text").focus();
});

part("new-person").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.currentTarget;
  const { name, language: spoken } = Object.fromEntries(new FormData(form));
  await act(async () => {
    const user = await client.addUser(String(name), String(spoken));
    form.reset();
    await loadWorld();
    await become(user);
  });
});

part("bots").addEventListener("change", async (event) => {
  state.bot = state.bots.find((bot) => String(bot.id) === event.target.value);
  await loadWorld();
  listen();
  await refresh();
});

// Coming and going

function keepAddress() {
  if (state.user) address.searchParams.set("user", state.user.key);
  if (state.group) address.searchParams.set("group", String(state.group.id));
  else address.searchParams.delete("group");
  if (state.bot && state.bots.length > 1) address.searchParams.set("bot", state.bot.username);
  window.history.replaceState(null, "", address);
  const other = new URL(address);
  other.searchParams.set("lang", language === "ru" ? "en" : "ru");
  part("language-switch").href = other;
}

async function become(user, group = null) {
  state.user = user;
  state.group = group;
  state.topic = null;
  state.unreadTopics = new Map();
  state.unread.delete(chatId());
  state.context = null;
  state.files = [];
  part("context").hidden = true;
  drawFiles();
  app.dataset.pane = "chat";
  keepAddress();
  await refresh();
  drawPeople(become);
  part("text").value = sessionStorage.getItem(draftKey() || "") || "";
  grow();
  (part("composer").hidden ? part("start") : part("text")).focus();
}

async function load() {
  const chat = await client.inChat("GET", state, "");
  state.blocked = chat.blocked;
  state.keyboard = chat.keyboard;
  state.commands = chat.commands;
  // What is said in a group's topic "General" (1) carries no topic.
  state.topics = chat.topics.filter((topic) => topic.message_thread_id !== 1);
  if (!chat.topics.some((topic) => topic.message_thread_id === state.topic)) state.topic = null;
  state.description = chat.description;
  return chat;
}

async function refreshAround() {
  if (!state.bot || !state.user) return;
  const where = chatId();
  await act(load);
  if (where === chatId()) drawAround();
}

async function refresh() {
  if (!state.bot || !state.user) {
    drawChat();
    return;
  }
  const where = chatId();
  await act(async () => {
    const chat = await load();
    if (where !== chatId()) return;
    state.messages = new Map(chat.messages.map((message) => [message.message_id, message]));
    drawChat();
  });
}

async function loadWorld() {
  const world = await client.world();
  state.bots = world.bots;
  state.users = world.users;
  state.groups = world.groups;
  state.bot = world.bots.find((bot) => bot.id === state.bot?.id) || state.bot || null;
  state.group = world.groups.find((group) => group.id === state.group?.id) || null;
  state.last = new Map(world.chats.filter((chat) => chat.bot === state.bot?.id).map((chat) => [chat.user, chat.last]));
  return world;
}

function listen(after = 0) {
  state.listening?.abort();
  state.listening = new AbortController();
  client.listen({
    after,
    bot: state.bot.id,
    signal: state.listening.signal,
    onPage,
    onLost: () => banner(say.offline),
    onBack: () => refresh(),
  });
}

async function begin() {
  try {
    let world = await loadWorld();
    const wanted = address.searchParams.get("bot");
    state.bot = world.bots.find((bot) => wanted && (bot.username === wanted || String(bot.id) === wanted)) || world.bots[0] || null;
    drawBots();
    drawPeople(become);
    if (!state.bot) {
      drawChat();
      setTimeout(begin, 3000);
      return;
    }
    world = await loadWorld();
    drawPeople(become);
    listen(world.seq);
    const name = address.searchParams.get("user");
    const me = name && world.users.find((user) => [user.key, user.username, String(user.id)].includes(name));
    const group = world.groups.find((one) => String(one.id) === address.searchParams.get("group")) || null;
    if (me) await become(me, group);
    else drawChat();
  } catch {
    banner(say.offline);
    setTimeout(begin, 3000);
  }
}

begin();
