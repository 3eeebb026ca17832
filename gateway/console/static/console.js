/* The console's own script: live updates that never jump, keys, drafts. Everything essential works without it. */
(() => {
  "use strict";
  const { words, one, all, fill } = priyom;
  const writing = (target) => target.closest("input, textarea, select, [contenteditable]");
  const ticket = () => one("#ticket");

  /* --- toasts ---------------------------------------------------------------------------------------------------- */

  function toast(text, kind = "") {
    const box = document.createElement("div");
    box.className = `toast ${kind}`;
    box.textContent = text;
    one("#toasts").append(box);
    setTimeout(() => box.remove(), 6000);
    return box;
  }

  /* --- what must stay as it is while new content is merged in ------------------------------------------------------ */

  htmx.registerExtension("priyom", {
    // A menu that somebody has open stays open when the page is refreshed under it.
    htmx_before_morph_attr: (element, detail) => !(element.tagName === "DETAILS" && detail.attrName === "open") && undefined,
  });

  /* --- drafts: nothing typed is ever lost -------------------------------------------------------------------------- */

  const draftKey = (form) => `priyom-draft-${form.dataset.draft}`;

  function keepDraft(form) {
    const text = one("textarea", form).value;
    if (text.trim()) localStorage.setItem(draftKey(form), text);
    else localStorage.removeItem(draftKey(form));
    const state = one(".draft-state");
    if (state) state.textContent = text.trim() ? words.draft : "";
  }

  function bringDrafts() {
    for (const form of all("form[data-draft]")) {
      const kept = localStorage.getItem(draftKey(form));
      const area = one("textarea", form);
      // An answer that was taken back comes with the page; what was begun meanwhile follows it.
      if (kept && area.value.trim() && kept.trim() !== area.value.trim()) area.value = `${area.value}\n\n${kept}`;
      if (area.value.trim()) keepDraft(form);
      if (kept && !area.value) {
        area.value = kept;
        if (form.dataset.composer === "note" && !localStorage.getItem(draftKey(form).replace("-note", "-reply"))) one("#tab-note").checked = true;
      }
    }
  }

  function sent(form) {
    localStorage.removeItem(draftKey(form));
    form.reset();
    for (const list of all(".attach-words", form)) list.textContent = list.dataset.words || list.textContent;
    const state = one(".draft-state");
    if (state) state.textContent = "";
    one(".meanwhile")?.remove();
  }

  document.addEventListener("input", (event) => {
    const form = event.target.closest?.("form[data-draft]");
    if (form && event.target.tagName === "TEXTAREA") keepDraft(form);
  });

  document.addEventListener("change", (event) => {
    if (event.target.type !== "file") return;
    const label = one(".attach-words", event.target.closest("label"));
    if (!label) return;
    label.dataset.words ||= label.textContent;
    const names = [...event.target.files].map((file) => file.name);
    label.textContent = names.length ? names.join(", ").slice(0, 60) : label.dataset.words;
  });

  document.addEventListener("paste", (event) => {
    // A pasted screenshot becomes an attachment of the answer or note at hand.
    const form = event.target.closest?.("form[data-composer]");
    const files = event.clipboardData?.files;
    if (!form || !files?.length) return;
    const input = one("input[type=file]", form);
    const together = new DataTransfer();
    for (const file of [...input.files, ...files]) together.items.add(file);
    input.files = together.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });

  /* --- requests ---------------------------------------------------------------------------------------------------- */

  let submitter = null;
  document.addEventListener("submit", (event) => {
    submitter = event.submitter;
    event.target.setAttribute("aria-busy", "true");
  }, true);

  document.addEventListener("htmx:finally:request", (event) => {
    event.target.removeAttribute?.("aria-busy");
    const { response, sourceElement } = event.detail.ctx || {};
    const form = sourceElement?.closest?.("form");
    if (!form) return;
    form.removeAttribute("aria-busy");
    if (response && response.status < 400) {
      if (form.dataset.composer) sent(form);
      else if (form.matches(".copy-in")) form.reset();
      form.closest("details.menu, details.fix")?.removeAttribute("open");
      scheduleList();
    }
  });

  document.addEventListener("htmx:error", (event) => {
    const source = event.detail?.ctx?.sourceElement;
    if (!source) return;
    if (source.id === "live") unheard();
    else toast(words.failed, "danger");
  });

  let place = null;
  document.addEventListener("htmx:before:swap", (event) => {
    const talk = one("#talk");
    place = talk && {
      url: ticket()?.dataset.url,
      // What one has just sent is shown, Undo and all; the grown field of it had moved the end out of sight before.
      end: Boolean(event.detail?.ctx?.sourceElement?.dataset?.composer) || talk.scrollHeight - talk.scrollTop - talk.clientHeight < 60,
      heard: all("[data-inbound]").length,
    };
  });

  document.addEventListener("htmx:after:swap", (event) => {
    const pane = one("#pane");
    const target = event.detail?.ctx?.target;
    if (target?.id === "list") {
      opened();
      if (document.activeElement === document.body) (one(".act-notice button") || one("[data-row]"))?.focus();
    }
    if (target && target !== pane && target.id !== "pane") return;
    opened();
    const talk = one("#talk");
    if (!talk) return;
    const same = place && place.url === ticket()?.dataset.url;
    if (!same) foldPacket();
    if (!same || place.end) talk.scrollTop = talk.scrollHeight;
    const heard = all("[data-inbound]").length;
    if (same && heard > place.heard && all("form[data-composer] textarea").some((area) => area.value.trim())) meanwhile();
  });

  function meanwhile() {
    if (one(".meanwhile")) return;
    const line = document.createElement("p");
    line.className = "meanwhile";
    line.setAttribute("role", "status");
    line.textContent = words.wrote;
    one("#composer")?.prepend(line);
  }

  // In a small window what the bot hands over would leave no room for the conversation: it begins folded, and a press opens it.
  function foldPacket() {
    if (matchMedia("(max-width: 899px), (max-height: 799px)").matches) one("#packet")?.removeAttribute("open");
  }

  function opened() {
    document.dispatchEvent(new Event("priyom:rows"));
    const here = ticket();
    const desk = one(".desk");
    if (desk) desk.dataset.open = here ? "pane" : "list";
    if (here) document.title = here.dataset.title;
    for (const row of all("[data-row]")) {
      const { id, of } = row.dataset;
      if (here && (id === here.dataset.ticket || [id, of].includes(here.dataset.conversation))) {
        row.setAttribute("aria-current", "true");
        row.classList.remove("unread");
      } else row.removeAttribute("aria-current");
    }
    bringDrafts();
  }

  /* --- live: ids come, the page fetches what it shows --------------------------------------------------------------- */

  let listTimer = 0;
  let paneTimer = 0;
  const scheduleList = () => { clearTimeout(listTimer); listTimer = setTimeout(refreshList, 350); };
  const schedulePane = () => { clearTimeout(paneTimer); paneTimer = setTimeout(refreshPane, 200); };

  function refreshPane() {
    const here = ticket();
    if (!here || all("form[aria-busy]").length) return;
    htmx.ajax("GET", here.dataset.url, { target: "#pane", swap: "innerMorph" });
  }

  const seen = new Set(all("[data-row]").map((row) => row.dataset.id));
  let waiting = null;

  async function refreshList() {
    const list = one("#list");
    if (!list) return;
    const answer = await fetch(list.dataset.list, { headers: { "HX-Request": "true" } }).catch(() => null);
    if (!answer?.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    bringViews(fresh);
    const rows = all("[data-row]", fresh);
    const arrived = rows.filter((row) => !seen.has(row.dataset.id));
    const scroll = one("#rows-scroll");
    badge(arrived);
    // Whoever reads further down, or is selecting, keeps the place.
    const still = rows.length && (scroll.scrollTop >= 8 || one("[data-pick]:checked"));
    if (!still) return bringIn(fresh);
    if (!arrived.length) return update(fresh);
    waiting = fresh;
    const button = one("#arrived");
    button.hidden = false;
    button.textContent = arrived.length === 1 ? words.new_one : fill(words.new_many, { n: arrived.length });
    update(fresh);
  }

  function bringViews(fresh) {
    const [shown, next] = [one("#views"), one("#views", fresh)];
    if (!shown || !next || shown.isEqualNode(next)) return;
    const focused = shown.contains(document.activeElement) && document.activeElement.getAttribute("href");
    shown.replaceWith(next);
    if (focused) all("a", next).find((view) => view.getAttribute("href") === focused)?.focus();
  }

  function update(fresh) {
    drop(fresh);
    for (const next of all("#rows > li", fresh)) {
      const shown = document.getElementById(next.id);
      if (!shown || next.id === "more") continue;
      const focused = shown.contains(document.activeElement) && (document.activeElement.matches("[data-row]") ? "[data-row]" : "input");
      shown.replaceChildren(...next.cloneNode(true).childNodes);
      htmx.process(shown);
      if (focused) one(focused, shown)?.focus();
    }
    opened();
  }

  // What is no longer in the list goes. Of rows beyond its first page nothing is known.
  function drop(fresh) {
    const shown = all("#rows > li[id^=row-]");
    const still = (row) => one(`#${row.id}`, fresh);
    const known = one("#more", fresh) ? shown.slice(0, shown.findLastIndex(still) + 1) : shown;
    for (const row of known.filter((each) => !still(each))) {
      const next = row.contains(document.activeElement) && (row.nextElementSibling || row.previousElementSibling);
      row.remove();
      if (next) one("[data-row], a", next)?.focus();
    }
  }

  function bringIn(fresh) {
    const scroll = one("#rows-scroll");
    const focused = document.activeElement?.dataset?.id;
    const beyond = all("[data-row]", scroll).length > all("[data-row]", fresh).length;
    if (beyond && scroll.scrollTop >= 8) return;
    scroll.replaceChildren(...one("#rows-scroll", fresh).childNodes);
    htmx.process(scroll);
    for (const row of all("[data-row]", scroll)) seen.add(row.dataset.id);
    one("#arrived").hidden = true;
    waiting = null;
    opened();
    if (focused) document.getElementById(`row-${focused}`)?.firstElementChild?.focus();
  }

  let unseen = 0;
  function badge(arrived) {
    if (!document.hidden) { unseen = 0; return; }
    unseen += arrived.filter((row) => !seen.has(`told-${row.dataset.id}`)).length;
    for (const row of arrived) seen.add(`told-${row.dataset.id}`);
    const title = document.title.replace(/^\(\d+\) /, "");
    document.title = unseen ? `(${unseen}) ${title}` : title;
  }
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    unseen = 0;
    document.title = document.title.replace(/^\(\d+\) /, "");
  });

  async function copyOut(shown) {
    getSelection().selectAllChildren(shown);
    shown.select?.();
    try {
      await navigator.clipboard.writeText(shown.value ?? shown.textContent);
      toast(words.copied);
    } catch {
      // Without TLS a browser gives no clipboard to a page; what is selected can be copied by keys.
      toast(words.selected);
    }
  }

  document.addEventListener("click", (event) => {
    if (event.target.closest("#arrived")) {
      one("#rows-scroll").scrollTop = 0;
      if (waiting) bringIn(waiting);
    }
    const copy = event.target.closest("[data-copy]");
    if (copy) copyOut(one(`#${copy.dataset.copy}`));
    if (event.target.closest("[data-dismiss]")) event.target.closest("[data-toast]").remove();
    const dialog = event.target.closest("[data-open-dialog]")?.dataset.openDialog;
    if (dialog) one(`#${dialog}`).showModal();
    if (event.target.tagName === "DIALOG") event.target.close();
    for (const menu of all("details.menu[open]")) if (!menu.contains(event.target)) menu.removeAttribute("open");
  });

  // What opens under the last message would open out of sight: the conversation goes along, as far as its beginning stays to be seen.
  document.addEventListener("toggle", (event) => {
    const talk = event.target.open && event.target.closest("#talk");
    if (!talk) return;
    const [shown, top] = [talk.getBoundingClientRect(), event.target.getBoundingClientRect().top];
    const bottom = (one(".pop", event.target) || event.target).getBoundingClientRect().bottom;
    if (bottom > shown.bottom) talk.scrollTop += Math.min(bottom - shown.bottom + 12, top - shown.top - 12);
  }, true);

  const live = one("#live");
  live?.addEventListener("tickets", (event) => {
    scheduleList();
    if (event.detail.data && event.detail.data === ticket()?.dataset.ticket) schedulePane();
  });
  live?.addEventListener("conversations", (event) => {
    scheduleList();
    if (event.detail.data && event.detail.data === ticket()?.dataset.conversation) schedulePane();
  });
  let lost = null;
  let greeted = false;
  function silent() {
    delete live.dataset.connected;
    lost ||= setTimeout(() => toast(words.offline), 8000);
  }
  // A stream that broke is opened again by htmx; one that never opened is not.
  function unheard() {
    silent();
    setTimeout(() => {
      if (!live.dataset.connected) htmx.ajax("GET", live.getAttribute("hx-sse:connect"), { source: live });
    }, 2000);
  }
  live?.addEventListener("htmx:sse:error", silent);
  live?.addEventListener("hello", () => {
    clearTimeout(lost);
    lost = null;
    // Before the first greeting, and after a break, anything may have happened that nobody told us.
    scheduleList();
    if (greeted) schedulePane();
    greeted = true;
    live.dataset.connected = "yes";
  });
  setInterval(() => { if (!document.hidden) scheduleList(); }, 60000);
  setInterval(() => {
    for (const wait of all("[data-leaves-in]")) {
      const left = Math.max(0, wait.dataset.leavesIn - 1);
      wait.dataset.leavesIn = left;
      wait.textContent = wait.textContent.replace(/\d+/, left);
    }
  }, 1000);

  /* --- keys -------------------------------------------------------------------------------------------------------- */

  function move(step) {
    const rows = all("[data-row]");
    if (!rows.length) return;
    const at = rows.findIndex((row) => row === document.activeElement);
    const from = at >= 0 ? at : rows.findIndex((row) => row.hasAttribute("aria-current"));
    const next = rows[Math.max(0, Math.min(rows.length - 1, from < 0 ? 0 : from + step))];
    next.focus();
    next.scrollIntoView({ block: "nearest" });
  }

  function write(kind) {
    const tab = one(`#tab-${kind}`);
    if (!tab) return;
    tab.checked = true;
    one(`#${kind}-text`).focus();
  }

  function menu(name) {
    const details = one(`details[data-menu="${name}"]`);
    if (!details) return;
    details.open = true;
    one("button:not([type=hidden]), select, textarea", one(".pop", details))?.focus();
  }

  function escape() {
    const open = one("details.menu[open]");
    if (open) { open.open = false; one("summary", open).focus(); return; }
    if (location.hash === "#context") { location.hash = "#ticket"; return; }
    if (writing(document.activeElement)) { document.activeElement.blur(); return; }
    const row = one("[data-row][aria-current]") || one("[data-row]");
    if (innerWidth < 900 && ticket()) one(".back")?.click();
    else row?.focus();
  }

  const keys = {
    j: () => move(1), k: () => move(-1), x: () => one("[data-pick]", document.activeElement.closest("li"))?.click(),
    r: () => write("reply"), n: () => write("note"), a: () => menu("assign"), s: () => menu("status"),
    e: () => menu("escalate"), t: () => one('[data-key="t"]')?.click(), "/": () => one("#search")?.focus(), "?": () => one("#keys").showModal(),
  };
  // The same keys in the Russian layout.
  const russian = { "о": "j", "л": "k", "ч": "x", "к": "r", "т": "n", "ф": "a", "ы": "s", "у": "e", "е": "t", ".": "/", ",": "?" };

  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "Enter") {
      const form = event.target.closest?.("form[data-composer]");
      if (form) { event.preventDefault(); form.requestSubmit(one("[data-send]", form)); }
      return;
    }
    if (event.key === "Escape" && !one("dialog[open]")) { escape(); return; }
    if (event.ctrlKey || event.metaKey || event.altKey || writing(event.target) || one("dialog[open]")) return;
    let name = event.key;
    if (russian[name] && /^(Key|Slash)/.test(event.code)) name = event.code === "Slash" ? (event.shiftKey ? "?" : "/") : russian[name];
    const act = keys[name];
    if (act) { event.preventDefault(); act(); }
  });

  /* --- begin -------------------------------------------------------------------------------------------------------- */

  foldPacket();
  opened();
  // By hand, because where `scrollIntoView` scrolls a new Chromium also begins to tab: past the skip link and the search.
  const view = one(".view[aria-current]");
  if (view) view.parentElement.scrollLeft = view.offsetLeft - (view.parentElement.clientWidth - view.offsetWidth) / 2;
  const talk = one("#talk");
  if (talk) talk.scrollTop = talk.scrollHeight;
})();
