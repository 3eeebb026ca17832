/* What the scripts of the console share: its words, and a few ways to find things. */
const priyom = {
  words: JSON.parse(document.body.dataset.words || "{}"),
  one: (selector, root = document) => root.querySelector(selector),
  all: (selector, root = document) => [...root.querySelectorAll(selector)],
  fill: (text, values) => text.replace(/%\((\w+)\)s/g, (_, name) => values[name]),
};
