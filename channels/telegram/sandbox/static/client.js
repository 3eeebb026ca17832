// The people's side of the sandbox over HTTP: one function a wish, and the stream of events as a long poll.

export class Refused extends Error {
  constructor(status, description) {
    super(description);
    this.status = status;
  }
}

export class Client {
  constructor(api) {
    this.api = api;
  }

  async call(verb, path, body) {
    const options = { method: verb, headers: {} };
    if (body instanceof FormData) {
      options.body = body;
    } else if (body !== undefined) {
      options.headers["Content-Type"] = "application/json";
      options.body = JSON.stringify(body);
    }
    const response = await fetch(this.api + path, options);
    const answer = await response.json().catch(() => ({}));
    if (!response.ok) throw new Refused(response.status, answer.description || String(response.status));
    return answer;
  }

  world() {
    return this.call("GET", "/world");
  }

  addUser(name, language) {
    return this.call("POST", "/users", { first_name: name, language_code: language });
  }

  changeBot(bot, switches) {
    return this.call("PUT", `/bots/${bot}`, switches);
  }

  addGroup(bot, group) {
    return this.call("POST", `/groups/${bot}`, group);
  }

  /* In the person's chat with the bot, or in a group; those go by their ids without the minus. */
  inChat(verb, { bot, user, group }, path, body) {
    const seat = group ? `/groups/${bot.id}/${-group.id}/${user.id}` : `/chats/${bot.id}/${user.id}`;
    return this.call(verb, seat + path, body);
  }

  fileUrl(fileId) {
    return `${this.api}/files/${encodeURIComponent(fileId)}`;
  }

  /* Hands every page of events to `onPage` until `signal` is aborted; `onLost` and `onBack` tell of the connection. */
  async listen({ after, bot, signal, onPage, onLost, onBack }) {
    let lost = false;
    while (!signal.aborted) {
      try {
        const query = new URLSearchParams({ after: String(after), wait: "20", bot: String(bot) });
        const response = await fetch(`${this.api}/events?${query}`, { signal });
        if (!response.ok) throw new Refused(response.status, "");
        const page = await response.json();
        if (lost) onBack();
        lost = false;
        const restarted = page.seq < after;
        after = page.seq;
        await onPage(page.events, restarted);
      } catch (error) {
        if (signal.aborted) return;
        lost = true;
        onLost(error);
        await new Promise((resolve) => setTimeout(resolve, 2000));
      }
    }
  }
}
