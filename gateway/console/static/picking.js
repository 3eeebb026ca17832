/* Held messages are selected to be dealt with many at once. Without this script the boxes and buttons work; it counts, and keeps what was
   selected while the list changes under it. */
(() => {
  "use strict";
  const { words, one, all, fill } = priyom;
  const boxes = () => all("[data-pick]");
  const picks = new Set();

  function show() {
    const bar = one("#picked");
    const shown = boxes();
    for (const gone of [...picks].filter((id) => !shown.some((box) => box.value === id))) picks.delete(gone);
    for (const box of shown) box.checked = picks.has(box.value);
    if (!bar) return;
    const [every, count] = [one("#pick-all"), one("#pick-count")];
    every.parentElement.hidden = false;
    every.checked = picks.size > 0 && picks.size === shown.length;
    every.indeterminate = picks.size > 0 && !every.checked;
    count.textContent = picks.size ? fill(words.picked, { n: picks.size }) : count.dataset.none;
    one("#pick-release").textContent = fill(words.take_up, { n: picks.size });
    one("#pick-leave").disabled = one("#pick-release").disabled = !picks.size;
  }

  document.addEventListener("change", (event) => {
    const every = event.target.id === "pick-all";
    if (!every && !event.target.matches("[data-pick]")) return;
    for (const box of every ? boxes() : [event.target]) picks[event.target.checked ? "add" : "delete"](box.value);
    show();
  });
  document.addEventListener("priyom:rows", show);
  document.addEventListener("htmx:after:swap", show);
  show();
})();
