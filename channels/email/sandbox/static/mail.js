/* A letter that comes appears by itself, and times are those of the clock at hand. Everything else is plain pages and forms. */
(() => {
  "use strict";
  const LIVE = ["mailboxes", "thread", "letters-part", "arrival"];
  const main = document.querySelector("main");
  const box = main.dataset.box;
  const newest = `/sandbox/mail/api/newest${box ? `?box=${encodeURIComponent(box)}` : ""}`;
  let known = main.dataset.newest;

  function local(root) {
    const shown = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
    for (const time of root.querySelectorAll("time")) time.textContent = shown.format(new Date(time.dateTime));
  }

  async function look() {
    if (document.hidden) return;
    const answer = await fetch(newest).catch(() => null);
    if (!answer?.ok) return;
    const id = await answer.text();
    if (id === known) return;
    const page = await fetch(location.href).catch(() => null);
    if (!page?.ok) return;
    const fresh = new DOMParser().parseFromString(await page.text(), "text/html");
    known = id;
    local(fresh);
    for (const part of LIVE) {
      const [shown, next] = [document.getElementById(part), fresh.getElementById(part)];
      if (!shown || !next) continue;
      const at = shown.contains(document.activeElement) && document.activeElement.getAttribute("href");
      if (part === "arrival") next.hidden = false;
      shown.replaceWith(next);
      if (part === "mailboxes") sees();
      if (at) [...next.querySelectorAll("a")].find((link) => link.getAttribute("href") === at)?.focus();
    }
  }

  // The mailbox one reads is in sight, however many stand before it.
  function sees() {
    const [row, here] = [document.querySelector("#mailboxes ul"), document.querySelector("#mailboxes [aria-current]")];
    if (row && here) row.scrollTo(Math.max(0, here.offsetLeft - 24), Math.max(0, here.offsetTop - 24));
  }

  local(document);
  sees();
  setInterval(look, 2000);
})();
