// The form and the status page with script: drafts, pasted and dropped files, a proof of work. Everything works without it too.
"use strict";

document.documentElement.classList.add("with-script");

const SKIPPED = new Set(["token", "work", "zone", "website", "once", "kept", "files", "consent", "step", "article"]);
const WORK_BITS = 13;

function store(act) {
  // A browser may refuse to store anything; then there is simply no draft.
  try { return act(window.localStorage); } catch { return null; }
}

function draftOf(form) {
  const values = {};
  for (const field of form.elements) {
    if (field.name && !SKIPPED.has(field.name) && field.type !== "file" && field.type !== "submit" && field.value) values[field.name] = field.value;
  }
  return values;
}

function restore(form, scope) {
  const saved = store((kept) => JSON.parse(kept.getItem(`draft:${form.dataset.form}`) || "{}")) || {};
  let found = false;
  for (const field of scope.querySelectorAll("[name]")) {
    if (SKIPPED.has(field.name) || field.value || !(field.name in saved)) continue;
    field.value = saved[field.name];
    found = true;
  }
  return found;
}

function keepDraft(form) {
  const note = form.querySelector("[data-draft-note]");
  let timer = 0;
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const kept = store((storage) => { storage.setItem(`draft:${form.dataset.form}`, JSON.stringify(draftOf(form))); return true; });
      if (note && kept) note.hidden = false;
    }, 300);
  });
}

function addFiles(form, files) {
  const input = form.querySelector('input[type="file"]');
  if (!input || !files.length) return;
  const all = new DataTransfer();
  for (const file of [...input.files, ...files]) all.items.add(file);
  input.files = all.files;
  checkFiles(form);
}

function checkFiles(form) {
  const input = form.querySelector('input[type="file"]');
  const said = form.querySelector("[data-file-error]");
  const limit = Number(form.dataset.limit);
  const fitting = new DataTransfer();
  const refused = [];
  for (const file of input.files) {
    if (limit && file.size > limit) refused.push(file.name); else fitting.items.add(file);
  }
  if (refused.length) input.files = fitting.files;
  said.textContent = refused.map((name) => input.dataset.tooLarge.replace("{name}", name)).join(" ");
  said.hidden = !refused.length;
  let list = form.querySelector(".chosen");
  if (!list) {
    list = document.createElement("p");
    list.className = "chosen";
    list.setAttribute("role", "status");
    input.after(list);
  }
  list.textContent = input.files.length > 1 ? [...input.files].map((file) => file.name).join(", ") : "";
}

function takeFiles(form) {
  const input = form.querySelector('input[type="file"]');
  if (!input) return;
  input.addEventListener("change", () => checkFiles(form));
  form.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files || [])];
    if (files.length) { event.preventDefault(); addFiles(form, files); }
  });
  for (const kind of ["dragover", "drop", "dragleave"]) {
    form.addEventListener(kind, (event) => {
      if (![...(event.dataTransfer?.types || [])].includes("Files")) return;
      event.preventDefault();
      form.querySelector("[data-drop]").classList.toggle("dropping", kind === "dragover");
      if (kind === "drop") addFiles(form, [...event.dataTransfer.files]);
    });
  }
}

async function prove(form) {
  const field = form.elements.work;
  const challenge = form.elements.token?.value;
  if (!field || !challenge || !window.crypto?.subtle) return;
  const bytes = new TextEncoder();
  for (let number = 0; number < 1_000_000; number += 1) {
    const digest = new DataView(await crypto.subtle.digest("SHA-256", bytes.encode(`${challenge}:${number}`)));
    if (digest.getUint32(0) >>> (32 - WORK_BITS) === 0) { field.value = String(number); return; }
  }
}

for (const form of document.querySelectorAll("form[data-form]")) {
  // A draft of another time does not overwrite what the page brought back.
  if (!document.querySelector('[data-clear-draft]:not([data-clear-draft=""])')) restore(form, form);
  if (form.elements.zone) form.elements.zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone || "";
  keepDraft(form);
  takeFiles(form);
  form.addEventListener("focusin", () => prove(form), { once: true });
  form.addEventListener("submit", (event) => {
    if (form.getAttribute("aria-busy") === "true") { event.preventDefault(); return; }
    form.setAttribute("aria-busy", "true");
  });
  const topic = form.elements.topic;
  // A topic that came back from the draft brings its questions, once htmx listens.
  document.addEventListener("htmx:after:init", (event) => {
    if (event.target.id !== "fields" || !topic?.value || form.querySelector("#fields [name]")) return;
    setTimeout(() => topic.dispatchEvent(new Event("change", { bubbles: true })));
  });
}
// Back from another page: the form may be sent again.
window.addEventListener("pageshow", () => document.querySelectorAll('form[aria-busy="true"]').forEach((form) => form.removeAttribute("aria-busy")));

for (const done of document.querySelectorAll("[data-clear-draft]")) {
  if (done.dataset.clearDraft) store((kept) => kept.removeItem(`draft:${done.dataset.clearDraft}`));
}
document.getElementById("errors")?.focus();

// Only the beginning of a text goes out for suggestions, under the name that the address documents.
document.addEventListener("htmx:config:request", (event) => {
  const body = event.detail?.ctx?.request?.body;
  if (!(body instanceof FormData) || !body.has("text") || event.target.id !== "suggestions") return;
  const text = String(body.get("text")).slice(0, 400);
  body.delete("text");
  body.set("q", text);
});
document.addEventListener("htmx:after:swap", (event) => {
  const form = document.querySelector("form[data-form]");
  const fields = document.getElementById("fields");
  if (form && fields && event.target !== form) restore(form, fields);
});
