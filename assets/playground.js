// A talk with a model, from this page straight to the relay. Key, questions and answers live in the form's own elements
// and nowhere else: not in a State, not in a store of the browser. They are gone when the page is left.
(() => {
  "use strict";

  const open = new WeakMap();

  const part = (form, name) => form.querySelector(`[data-${name}]`);
  const word = (form, name) => form.querySelector(`[data-word="${name}"]`).textContent;

  const addTurn = (form, role, words) => {
    const turn = document.createElement("div");
    turn.className = `turn ${role}`;
    turn.dataset.role = role;
    const who = document.createElement("p");
    who.className = "turn-who";
    who.textContent = word(form, role === "user" ? "you" : "model");
    const said = document.createElement("p");
    said.className = "turn-words";
    said.textContent = words;
    turn.append(who, said);
    part(form, "turns").append(turn);
    return said;
  };

  const said = (form) =>
    [...form.querySelectorAll(".turn")].map((turn) => ({
      role: turn.dataset.role,
      content: turn.querySelector(".turn-words").textContent,
    }));

  const refuse = (form, code, reference) => {
    const known = form.querySelector(`[data-when="${CSS.escape(code)}"]`);
    (known || form.querySelector('[data-when="failed"]')).classList.add("is-shown");
    part(form, "reference").textContent = reference;
  };

  const forgetRefusal = (form) => {
    for (const words of form.querySelectorAll("[data-when]")) words.classList.remove("is-shown");
    part(form, "reference").textContent = "";
  };

  class Refusal extends Error {
    constructor(code, reference) {
      super(code);
      this.code = code;
      this.reference = reference;
    }
  }

  const refusalOf = (error, requestId) => new Refusal(String(error.code || "failed"), [error.code, requestId].filter(Boolean).join(" · "));

  // Events end with an empty line; a piece of the stream may end anywhere, inside a character too.
  async function* events(body) {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      rest += value;
      const whole = rest.split(/\r?\n\r?\n/);
      rest = whole.pop();
      for (const event of whole) {
        const lines = event.split(/\r?\n/).filter((line) => line.startsWith("data:"));
        const content = lines.map((line) => line.slice(5).trimStart()).join("\n");
        if (content === "[DONE]") return;
        if (content) yield JSON.parse(content);
      }
    }
  }

  const ask = async (form, signal) => {
    const answer = await fetch("/v1/chat/completions", {
      method: "POST",
      credentials: "omit",
      cache: "no-store",
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${part(form, "key").value.trim()}` },
      body: JSON.stringify({
        model: part(form, "model").value,
        messages: said(form),
        stream: true,
        stream_options: { include_usage: true },
      }),
      signal,
    });
    if (answer.ok) return answer;
    const content = await answer.json().catch(() => ({}));
    throw refusalOf(content.error || {}, answer.headers.get("x-request-id"));
  };

  const receive = async (form, answer, place) => {
    const requestId = answer.headers.get("x-request-id");
    let usage = null;
    for await (const event of events(answer.body)) {
      if (event.error) throw refusalOf(event.error, requestId);
      const turns = part(form, "turns");
      const isAtEnd = turns.scrollHeight - turns.scrollTop - turns.clientHeight < 40;
      for (const choice of event.choices || []) place.textContent += (choice.delta && choice.delta.content) || "";
      if (isAtEnd) turns.scrollTop = turns.scrollHeight;
      usage = event.usage || usage;
    }
    return { usage, requestId };
  };

  const showFigures = (form, { usage, requestId }, startedAt) => {
    const figures = [`${word(form, "duration")} ${((performance.now() - startedAt) / 1000).toFixed(2)} s`];
    if (usage) {
      figures.unshift(`${word(form, "output")} ${usage.completion_tokens}`);
      figures.unshift(`${word(form, "input")} ${usage.prompt_tokens}`);
    }
    if (requestId) figures.push(requestId);
    part(form, "figures").textContent = figures.join(" · ");
  };

  const send = async (form) => {
    const question = part(form, "question");
    const words = question.value.trim();
    if (open.has(form) || !words) return;
    forgetRefusal(form);
    part(form, "figures").textContent = "";
    const asked = addTurn(form, "user", words);
    const stopper = new AbortController();
    open.set(form, stopper);
    form.dataset.busy = "yes";
    const startedAt = performance.now();
    let place = null;
    try {
      const answer = await ask(form, stopper.signal);
      question.value = "";
      place = addTurn(form, "assistant", "");
      showFigures(form, await receive(form, answer, place), startedAt);
    } catch (error) {
      if (stopper.signal.aborted) part(form, "figures").textContent = word(form, "stopped");
      else if (error instanceof Refusal) refuse(form, error.code, error.reference);
      else refuse(form, "network", "");
      // What was not answered is not asked again with the next question; its words stay in the field.
      if (place && place.textContent) return;
      asked.closest(".turn").remove();
      if (place) place.closest(".turn").remove();
      question.value = words;
    } finally {
      open.delete(form);
      delete form.dataset.busy;
    }
  };

  const stop = (form) => open.get(form) && open.get(form).abort();

  const clear = (form) => {
    stop(form);
    forgetRefusal(form);
    part(form, "turns").replaceChildren();
    part(form, "figures").textContent = "";
  };

  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-talks]")) return;
    event.preventDefault();
    send(event.target);
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-stops],[data-clears]");
    if (!button) return;
    if (button.dataset.stops !== undefined) stop(button.form);
    else clear(button.form);
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    if (event.target.matches("[data-question]")) event.target.form.requestSubmit();
  });

  addEventListener("pagehide", () => {
    for (const form of document.querySelectorAll("[data-talks]")) {
      clear(form);
      part(form, "key").value = "";
      part(form, "question").value = "";
    }
  });
})();
