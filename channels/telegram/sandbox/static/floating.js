// What floats above the page: words for a moment, and menus.

import { element } from "./render.js";
import { part } from "./state.js";

let toastTimer = null;
export function toast(text) {
  const shown = part("toast");
  shown.textContent = text;
  shown.hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => {
    shown.hidden = true;
  }, 4000);
}

let opener = null;
export function openMenu(anchor, items) {
  const menu = part("menu");
  opener = anchor;
  menu.replaceChildren(...items);
  for (const item of menu.querySelectorAll("button")) item.setAttribute("role", "menuitem");
  menu.hidden = false;
  const box = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = menu;
  const left = Math.max(8, Math.min(box.left, window.innerWidth - width - 8));
  const top = box.bottom + height + 8 < window.innerHeight ? box.bottom + 4 : Math.max(8, box.top - height - 4);
  menu.style.setProperty("left", `${left}px`);
  menu.style.setProperty("top", `${top}px`);
  menu.querySelector("button")?.focus();
}

export function closeMenu({ refocus = false } = {}) {
  const menu = part("menu");
  if (menu.hidden) return false;
  menu.hidden = true;
  if (refocus) opener?.focus();
  return true;
}

export function item(text, what) {
  const run = () => {
    closeMenu({ refocus: true });
    what();
  };
  return element("button", { type: "button", onclick: run }, text);
}

part("menu").addEventListener("keydown", (event) => {
  const items = [...part("menu").querySelectorAll("button")];
  const at = items.indexOf(document.activeElement);
  const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  items[(at + step + items.length) % items.length].focus();
});

document.addEventListener("click", (event) => {
  if (!part("menu").hidden && !part("menu").contains(event.target) && !opener?.contains(event.target)) closeMenu();
});
