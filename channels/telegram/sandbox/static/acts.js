// What I do in the open chat.

import { Refused } from "./client.js";
import { toast } from "./floating.js";
import { client, say, state } from "./state.js";

export function inChat(verb, path, body) {
  return client.inChat(verb, state, path, body);
}

export async function act(what) {
  try {
    await what();
    return true;
  } catch (error) {
    toast(error instanceof Refused && error.status !== 500 ? `${say.failed} (${error.message})` : say.failed);
    return false;
  }
}

export function write(content) {
  const reply = state.context?.kind === "reply" ? state.context.message.message_id : undefined;
  return inChat("POST", "/messages", { ...content, reply_to: reply, topic: state.topic ?? undefined });
}

export async function press(message, data, key) {
  key.classList.add("waiting");
  key.setAttribute("aria-busy", "true");
  const done = await act(() => inChat("POST", `/messages/${message.message_id}/press`, { data }));
  setTimeout(() => key.classList.remove("waiting"), done ? 15000 : 0);
}

export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    toast(say.copied);
  } catch {
    toast(text);
  }
}
