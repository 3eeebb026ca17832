// The composer: words, files, what is answered or edited, and the draft of each chat.

import { act, inChat, write } from "./acts.js";
import { toast } from "./floating.js";
import { toEnd } from "./log.js";
import { element, icon, size, summary } from "./render.js";
import { chatId, isMine, isShown, language, part, say, state } from "./state.js";

const LARGEST_FILE = 50 * 1024 * 1024;

async function send() {
  const field = part("text");
  const text = field.value.trim();
  const context = state.context;
  const files = state.files;
  if (!text && !files.length) return;
  const sent = await act(async () => {
    if (context?.kind === "edit") {
      await inChat("PUT", `/messages/${context.message.message_id}`, { text });
    } else if (files.length) {
      const form = new FormData();
      for (const { file, kind } of files) {
        form.append("file", file, file.name);
        form.append("kind", kind);
      }
      form.append("caption", text);
      if (state.topic) form.append("topic", String(state.topic));
      if (context) form.append("reply_to", String(context.message.message_id));
      await inChat("POST", "/files", form);
    } else {
      await write({ text });
    }
  });
  if (!sent) return;
  field.value = "";
  state.files = [];
  setContext(null);
  drawFiles();
  keepDraft();
  grow();
  toEnd();
  field.focus();
}

export function setContext(context) {
  const before = state.context;
  state.context = context;
  part("context").hidden = !context;
  if (before?.kind === "edit" && !context) part("text").value = "";
  if (!context) return;
  const who = isMine(context.message) ? say.you : context.message.from.first_name;
  part("context-title").textContent = context.kind === "edit" ? say.editing : `${say.replying} ${who}`;
  part("context-text").textContent = summary(context.message, say);
  if (context.kind === "edit") part("text").value = context.message.text || context.message.caption || "";
  grow();
  part("text").focus();
}

export function addFiles(list) {
  for (const file of list) {
    if (file.size > LARGEST_FILE) {
      toast(say.too_big);
      continue;
    }
    const picture = /^image\/(png|jpeg|webp|gif)$/.test(file.type) && file.size <= 10 * 1024 * 1024;
    const voice = /^audio\/(ogg|opus)$/.test(file.type) || /\.(ogg|oga|opus)$/i.test(file.name);
    if (state.files.length < 10) state.files.push({ file, kind: picture ? "photo" : voice ? "voice" : "document" });
  }
  drawFiles();
  part("text").focus();
}

export function drawFiles() {
  const list = part("files");
  list.hidden = !state.files.length;
  list.replaceChildren(
    ...state.files.map((entry) => {
      const drop = () => {
        state.files = state.files.filter((other) => other !== entry);
        drawFiles();
      };
      const label = { type: "button", class: "icon-button", "aria-label": `${say.remove_file}: ${entry.file.name}`, onclick: drop };
      const words = `${entry.file.name} · ${size(entry.file.size, language)}`;
      return element("li", {}, element("span", {}, words), element("button", label, icon("close")));
    }),
  );
}

export function draftKey() {
  return state.bot && state.user ? `priyom-sandbox:${state.bot.id}:${state.user.id}:${chatId()}` : null;
}

export function keepDraft() {
  const key = draftKey();
  if (!key || state.context?.kind === "edit") return;
  if (part("text").value) sessionStorage.setItem(key, part("text").value);
  else sessionStorage.removeItem(key);
}

export function grow() {
  const field = part("text");
  field.style.setProperty("height", "auto");
  // Hidden it measures nothing, and would open as a sliver.
  if (field.scrollHeight) field.style.setProperty("height", `${Math.min(field.scrollHeight, 160)}px`);
}

part("text").addEventListener("input", () => {
  grow();
  keepDraft();
});

part("text").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    send();
  } else if (event.key === "ArrowUp" && !part("text").value && !state.context) {
    const mine = [...state.messages.values()].filter((message) => isMine(message) && isShown(message) && message.text);
    if (!mine.length) return;
    event.preventDefault();
    setContext({ kind: "edit", message: mine[mine.length - 1] });
  }
});

part("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  send();
});

part("text").addEventListener("paste", (event) => {
  if (event.clipboardData?.files.length) {
    event.preventDefault();
    addFiles(event.clipboardData.files);
  }
});

part("chat").addEventListener("dragover", (event) => event.preventDefault());
part("chat").addEventListener("drop", (event) => {
  event.preventDefault();
  if (event.dataTransfer?.files.length && state.user) addFiles(event.dataTransfer.files);
});

part("file-input").addEventListener("change", (event) => {
  addFiles(event.target.files);
  event.target.value = "";
});

part("context-close").addEventListener("click", () => setContext(null));
