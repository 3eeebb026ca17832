/* The palette: everything that a page offers, by its words; a number opens a request, other words are searched for. */
(() => {
  "use strict";
  const { words, one, all, fill } = priyom;

  let offers = [];
  let at = 0;

  function palette() {
    const dialog = one("#palette");
    if (dialog.open) { dialog.close(); return; }
    one("#palette-input").value = "";
    offer();
    dialog.showModal();
    one("#palette-input").focus();
  }

  function offer() {
    const asked = one("#palette-input").value.trim();
    const low = asked.toLowerCase();
    offers = all("[data-command]")
      .filter((element) => element.dataset.command.toLowerCase().includes(low))
      .map((element) => ({ words: element.dataset.command, key: element.dataset.key, go: () => run(element) }));
    const number = /^#?(\d{1,9})$/.exec(asked);
    if (number) offers.unshift({ words: fill(words.open_number, { n: number[1] }), go: () => { location.href = `/console/tickets/${number[1]}`; } });
    else if (asked) offers.push({ words: fill(words.search_for, { q: asked }), go: () => { location.href = `/console?q=${encodeURIComponent(asked)}`; } });
    at = 0;
    draw();
  }

  function run(element) {
    if (element.tagName === "SUMMARY") {
      element.parentElement.open = true;
      const pop = one(".pop button, .pop select, select", element.parentElement);
      pop?.focus();
    } else element.click();
    if (element.tagName === "LABEL") one(`#${element.htmlFor.replace("tab-", "")}-text`)?.focus();
  }

  function draw() {
    const list = one("#palette-list");
    list.replaceChildren(...offers.map((item, index) => {
      const line = document.createElement("li");
      line.id = `palette-${index}`;
      line.setAttribute("role", "option");
      line.setAttribute("aria-selected", String(index === at));
      line.append(item.words);
      if (item.key) { const key = document.createElement("kbd"); key.textContent = item.key; line.append(key); }
      line.addEventListener("click", () => choose(index));
      return line;
    }));
    if (!offers.length) { const none = document.createElement("li"); none.className = "muted"; none.textContent = words.nothing; list.append(none); }
    one("#palette-input").setAttribute("aria-activedescendant", offers.length ? `palette-${at}` : "");
    list.children[at]?.scrollIntoView({ block: "nearest" });
  }

  function choose(index) {
    one("#palette").close();
    offers[index]?.go();
  }

  one("#palette-input")?.addEventListener("input", offer);
  one("#palette-input")?.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      at = (at + (event.key === "ArrowDown" ? 1 : -1) + offers.length) % (offers.length || 1);
      draw();
    } else if (event.key === "Enter") { event.preventDefault(); choose(at); }
  });

  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.code !== "KeyK") return;
    event.preventDefault();
    palette();
  });
})();
