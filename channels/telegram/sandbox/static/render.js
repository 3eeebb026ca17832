// From messages to elements. Text only ever becomes text nodes; what a bot formats comes as entities, never as HTML.

export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "class") made.className = value;
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

const TAGS = {
  bold: "b",
  italic: "i",
  underline: "u",
  strikethrough: "s",
  code: "code",
  pre: "pre",
  blockquote: "blockquote",
  expandable_blockquote: "blockquote",
};

function safeLink(url) {
  try {
    const parsed = new URL(url, "https://invalid.invalid");
    return ["http:", "https:", "mailto:", "tel:", "tg:"].includes(parsed.protocol) && /^[a-z]+:/i.test(url) ? url : null;
  } catch {
    return null;
  }
}

function wrapped(entity, text, onCommand) {
  if (TAGS[entity.type]) return element(TAGS[entity.type]);
  if (entity.type === "spoiler") {
    const spoiler = element("span", { class: "spoiler", tabindex: "0" });
    spoiler.addEventListener("click", () => spoiler.classList.add("shown"));
    spoiler.addEventListener("focus", () => spoiler.classList.add("shown"));
    return spoiler;
  }
  if (entity.type === "bot_command") {
    return element("button", { type: "button", class: "command", onclick: () => onCommand(text) });
  }
  const address = { text_link: entity.url, url: text, email: `mailto:${text}`, phone_number: `tel:${text.replace(/[^\d+]/g, "")}` }[entity.type];
  const href = address && safeLink(address);
  if (href) return element("a", { href, target: "_blank", rel: "noopener noreferrer" });
  return element("span", { class: "mark" });
}

/* Text with entities (offsets in UTF-16 units, as JavaScript counts) as nodes; entities may be nested. */
export function formatted(text, entities = [], onCommand = () => {}) {
  const sorted = [...entities].sort((a, b) => a.offset - b.offset || b.length - a.length);
  function between(start, end, inside) {
    const nodes = [];
    let at = start;
    let rest = inside;
    while (rest.length) {
      const [entity, ...others] = rest;
      const stop = Math.min(entity.offset + entity.length, end);
      if (entity.offset < at || stop <= entity.offset) {
        rest = others;
        continue;
      }
      if (entity.offset > at) nodes.push(document.createTextNode(text.slice(at, entity.offset)));
      const holder = wrapped(entity, text.slice(entity.offset, stop), onCommand);
      holder.append(...between(entity.offset, stop, others.filter((other) => other.offset < stop)));
      nodes.push(holder);
      rest = others.filter((other) => other.offset >= stop);
      // A block ends its own line, so the line break after it would show as an empty line.
      const block = ["PRE", "BLOCKQUOTE"].includes(holder.tagName);
      at = block && text[stop] === "\n" && stop < end ? stop + 1 : stop;
    }
    if (at < end) nodes.push(document.createTextNode(text.slice(at, end)));
    return nodes;
  }
  return between(0, text.length, sorted);
}

/* A message in a few words, for previews, replies and screen readers. */
export function summary(message, say) {
  const text = message.text || message.caption;
  if (text) return text;
  const told = service(message, say);
  if (told) return told;
  for (const kind of ["photo", "voice", "document", "contact", "location"]) if (message[kind]) return say[kind];
  return say.other;
}

export function clock(seconds, language) {
  return new Date(seconds * 1000).toLocaleTimeString(language, { hour: "2-digit", minute: "2-digit" });
}

export function day(seconds, language, say) {
  const date = new Date(seconds * 1000);
  const today = new Date();
  const yesterday = new Date(today.getFullYear(), today.getMonth(), today.getDate() - 1);
  if (date.toDateString() === today.toDateString()) return say.today;
  if (date.toDateString() === yesterday.toDateString()) return say.yesterday;
  return date.toLocaleDateString(language, { day: "numeric", month: "long" });
}

export function size(bytes, language) {
  const units = language === "ru" ? ["Б", "КБ", "МБ"] : ["B", "KB", "MB"];
  let unit = 0;
  let value = bytes;
  while (value >= 1024 && unit < 2) {
    value /= 1024;
    unit += 1;
  }
  return `${value.toLocaleString(language, { maximumFractionDigits: 1 })} ${units[unit]}`;
}

/* What a chat tells of itself, in words; nothing for what somebody said. */
function service(message, say) {
  const begun = message.forum_topic_created || message.forum_topic_edited;
  if (begun) return begun.name ? `${say.topic}: ${begun.name}` : say.topic;
  if (message.new_chat_members) return `${say.joined}: ${message.new_chat_members.map((one) => one.first_name).join(", ")}`;
  const turned = ["forum_topic_closed", "forum_topic_reopened"].find((kind) => message[kind]);
  return turned ? say[turned] : "";
}

function media(message, { client, say, language }) {
  if (message.photo) {
    const largest = message.photo[message.photo.length - 1];
    const url = client.fileUrl(largest.file_id);
    const alt = message.caption ? `${say.photo}: ${message.caption}` : say.photo;
    const picture = element("img", { src: url, alt, width: largest.width, height: largest.height, loading: "lazy" });
    return element("a", { class: "photo", href: url, target: "_blank", rel: "noopener" }, picture);
  }
  if (message.voice) {
    return element("audio", { controls: true, preload: "none", src: client.fileUrl(message.voice.file_id), "aria-label": say.voice });
  }
  const file = message.document || message.audio || message.video;
  if (file) {
    const name = file.file_name || say.document;
    const link = { class: "file", href: client.fileUrl(file.file_id), download: name, "aria-label": `${say.save}: ${name}` };
    const words = element("span", {}, element("strong", {}, name), element("small", {}, size(file.file_size, language)));
    return element("a", link, element("span", { class: "file-icon" }, icon("file")), words);
  }
  if (message.contact) {
    const name = [message.contact.first_name, message.contact.last_name].filter(Boolean).join(" ");
    return element("p", { class: "card" }, element("strong", {}, `${say.contact}: ${name}`), element("span", {}, message.contact.phone_number));
  }
  if (message.location) {
    const { latitude, longitude } = message.location;
    return element("p", { class: "card" }, element("strong", {}, say.location), element("span", {}, `${latitude}, ${longitude}`));
  }
  const told = service(message, say);
  if (told) return element("p", { class: "card" }, told);
  return message.text ? null : element("p", { class: "card" }, say.other);
}

function inlineKeyboard(message, { onPress, onCopy }) {
  const rows = message.reply_markup?.inline_keyboard || [];
  if (!rows.length) return null;
  const made = rows.map((row) =>
    element(
      "div",
      { class: "row" },
      ...row.map((button) => {
        if (button.url) {
          const href = safeLink(button.url);
          return element("a", { class: "key", href, target: "_blank", rel: "noopener noreferrer" }, `${button.text} ↗`);
        }
        const press = (event) => {
          if (button.copy_text) onCopy(button.copy_text.text);
          else if (button.callback_data) onPress(message, button.callback_data, event.currentTarget);
        };
        return element("button", { type: "button", class: `key ${button.style || ""}`.trim(), onclick: press }, button.text);
      }),
    ),
  );
  return element("div", { class: "inline-keyboard" }, ...made);
}

/* One message as a row of the log. `ui` holds the client, the words and what to do on each press. */
export function bubble(message, ui) {
  const { say, language } = ui;
  const mine = ui.isMine(message);
  const text = message.text || message.caption;
  const entities = message.entities || message.caption_entities;
  const reactions = Object.entries(message.reactions || {});
  const body = element("div", { class: "bubble" });
  const author = ui.isGroup() && !mine ? "author" : "visually-hidden";
  body.append(element("span", { class: author }, mine ? say.you : message.from.first_name, element("span", { class: "visually-hidden" }, ": ")));
  const answered = message.reply_to_message;
  // In a topic everything answers the message that began it; that is no answer to anybody.
  if (answered && !service(answered, say)) {
    const who = ui.isMine(answered) ? say.you : answered.from.first_name;
    const quote = element("button", { type: "button", class: "answered", onclick: () => ui.onShow(answered.message_id) });
    quote.append(element("strong", {}, who), element("span", {}, summary(answered, say)));
    body.append(quote);
  }
  const carried = media(message, ui);
  if (carried) body.append(carried);
  if (text) body.append(element("div", { class: "text" }, ...formatted(text, entities, ui.onCommand)));
  const foot = element("div", { class: "foot" });
  for (const [who, emoji] of reactions) {
    const name = who === "user" ? say.you : message.from.is_bot ? say.bot : ui.botName();
    const chip = { type: "button", class: `reaction ${who}`, "aria-label": `${emoji} ${name}`, title: name };
    foot.append(element("button", { ...chip, onclick: () => who === "user" && ui.onReact(message, null) }, emoji));
  }
  const when = new Date(message.date * 1000);
  if (message.edit_date) foot.append(element("span", { class: "edited" }, say.edited));
  foot.append(element("time", { datetime: when.toISOString(), title: when.toLocaleString(language) }, clock(message.date, language)));
  body.append(foot);
  const more = element(
    "button",
    { type: "button", class: "icon-button more", "aria-haspopup": "menu", "aria-label": say.message_actions },
    icon("more"),
  );
  more.addEventListener("click", () => ui.onMore(message, more));
  const row = element("div", { class: `message ${mine ? "mine" : "theirs"}`, "data-id": message.message_id });
  if (message.media_group_id) row.dataset.album = message.media_group_id;
  row.append(element("div", { class: "with-actions" }, body, more));
  const keys = inlineKeyboard(message, ui);
  if (keys) row.append(keys);
  return row;
}
