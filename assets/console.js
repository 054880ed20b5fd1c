// What must never enter a State happens here: passwords and the secret of a new key go between this page and our own
// routes. The rest is what a browser does best by itself: dialogs, copying, telling other tabs about a sign-out.
(() => {
  "use strict";

  const SIGNED_OUT = "onetoken-signed-out";

  // What a route answers; without its own answer (the line broke, a proxy answered for it) nobody here knows whether it
  // was done.
  const UNANSWERED = { isGood: false, status: 0, code: "unanswered" };
  const ask = async (route, request) => {
    try {
      const answer = await fetch(`/account/${route}`, { method: "POST", credentials: "same-origin", ...request });
      return { isGood: answer.ok, status: answer.status, ...(await answer.json()) };
    } catch {
      return UNANSWERED;
    }
  };

  const post = (route, body) =>
    ask(route, { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

  // A tab's State belongs to the person who was signed in; the next one begins with a new State.
  const leaveFor = (address) => {
    try {
      sessionStorage.clear();
    } catch {
      // storage may be blocked
    }
    location.replace(address);
  };

  const nextAddress = () => {
    // The browser's own parser decides where an address leads: it drops tabs and line breaks that a pattern overlooks.
    const next = new URLSearchParams(location.search).get("next") || "/overview";
    const leads = URL.canParse(next, location.origin) ? new URL(next, location.origin) : null;
    const isPlaceHere = leads && leads.origin === location.origin && !leads.pathname.startsWith("/sign-in");
    return isPlaceHere ? leads.pathname.replace(/^\/+/, "/") + leads.search : "/overview";
  };

  const show = (form, code, seconds) => {
    const known = form.querySelector(`[data-when="${CSS.escape(code)}"]`);
    const shown = known || form.querySelector('[data-when="failed"]');
    for (const words of form.querySelectorAll("[data-when]")) words.classList.toggle("is-shown", words === shown);
    const count = shown && shown.querySelector("[data-seconds]");
    if (count && seconds) countDown(count, shown, seconds);
  };

  const clear = (form) => {
    for (const words of form.querySelectorAll("[data-when]")) words.classList.remove("is-shown", "is-afloat");
    for (const field of form.querySelectorAll("[aria-invalid]")) untie(field);
  };

  // Who does not see a refusal beside its field hears both together.
  const tie = (field, words) => {
    words.id ||= `words-${++tied}`;
    field.setAttribute("aria-invalid", "true");
    field.setAttribute("aria-describedby", words.id);
    field.focus({ preventScroll: true });
    field.scrollIntoView({ block: "center" }); // at the edge of the window the words themselves would lie over it
    const { top, bottom } = words.getBoundingClientRect();
    words.classList.toggle("is-afloat", top < 0 || bottom > innerHeight); // of a long form they stand far below
  };
  let tied = 0;

  const untie = (field) => {
    field.removeAttribute("aria-invalid");
    field.removeAttribute("aria-describedby");
  };

  // Of a form that an event took, the server names the field that it refused.
  let lastForm = null;
  const markRefused = () => {
    const words = document.getElementById("refusal");
    for (const field of document.querySelectorAll('[aria-describedby="refusal"]')) {
      if (field.name !== words?.dataset.field) untie(field);
    }
    if (!words?.dataset.field || !lastForm?.isConnected) return;
    const field = lastForm.querySelector(`[name="${CSS.escape(words.dataset.field)}"]:not([type="hidden"])`);
    if (field && field.getAttribute("aria-describedby") !== words.id) tie(field, words);
  };

  const countDown = (count, shown, seconds) => {
    count.textContent = String(seconds);
    clearInterval(count.timer);
    count.timer = setInterval(() => {
      seconds -= 1;
      count.textContent = String(seconds);
      if (seconds > 0) return;
      clearInterval(count.timer);
      shown.classList.remove("is-shown");
    }, 1000);
  };

  const signIn = async (form) => {
    const fields = new FormData(form);
    const answer = await post("sign-in", { email: fields.get("email"), password: fields.get("password") });
    if (answer.isGood) return leaveFor(nextAddress());
    const password = form.querySelector('[name="password"]');
    show(form, answer.code || "failed", answer.seconds);
    if (answer === UNANSWERED) return;
    password.value = "";
    tie(password, form.querySelector("[data-when].is-shown"));
  };

  const mintKey = async (form) => {
    const fields = new FormData(form);
    const days = fields.get("expires_in_days");
    const answer = await post("keys", {
      organization_id: fields.get("organization_id"),
      name: fields.get("name"),
      project_id: fields.get("project_id") || null,
      expires_in_days: days ? Number(days) : null,
      model_ids: fields.get("scope") === "listed" ? fields.getAll("model_ids") : null,
    });
    if (answer.status === 401) return leaveFor("/sign-in?next=/keys");
    const dialog = form.closest("dialog");
    if (answer === UNANSWERED) dialog.querySelector("[data-after-close]").click();
    if (!answer.isGood) return refuse(form, { ...answer, parameter: answer.code === "conflict" ? "name" : "" });
    const place = document.getElementById(form.dataset.fills);
    place.textContent = answer.secret;
    dialog.classList.add("is-minted");
    dialog.querySelector(".when-minted .copy").focus();
  };

  // The address keeps no secret of a mailed link: link.js took it out before anything else ran.
  const linkSecret = () => (window.onetokenLinkSecret ? window.onetokenLinkSecret() : "");

  const refuse = (form, answer) => {
    show(form, answer.code || "failed", answer.seconds);
    // What may have been done shows on the page behind the form.
    if (answer === UNANSWERED) form.querySelector("[data-after-post]")?.click();
    const field = answer.parameter && form.querySelector(`[name="${CSS.escape(answer.parameter)}"]`);
    if (field) tie(field, form.querySelector("[data-when].is-shown"));
  };

  const askForMail = async (form) => {
    const answer = await post(form.dataset.posts, Object.fromEntries(new FormData(form)));
    if (!answer.isGood) return refuse(form, answer);
    form.classList.add("is-done");
    const words = form.querySelector(".when-done");
    words.tabIndex = -1;
    words.focus(); // the button that had the focus is gone
  };

  const signed = (form) => {
    const fields = new FormData(form);
    const boxes = [...form.querySelectorAll("[data-accepts]:checked")];
    return {
      ...Object.fromEntries(fields),
      acts_with_authority: fields.has("acts_with_authority"),
      accepted: Object.fromEntries(boxes.map((box) => [box.dataset.accepts, box.value])),
    };
  };

  const completeSignUp = async (form) => {
    const answer = await post("sign-up/complete", {
      ...signed(form),
      secret: linkSecret(),
      scenarios: new FormData(form).getAll("scenarios"),
      time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    });
    if (!answer.isGood) return refuse(form, answer);
    leaveFor("/overview");
  };

  // Parts of a form that are for some only; switched off, they neither show nor count.
  const fit = (form, facts) => {
    const isFor = {
      new: !facts.is_known_person,
      known: facts.is_known_person && !facts.is_signed_in,
      unnamed: !facts.is_named,
      [`role-${facts.role}`]: true,
    };
    for (const part of form.querySelectorAll("[data-for]")) {
      part.hidden = part.disabled = !isFor[part.dataset.for];
    }
    for (const place of form.querySelectorAll("[data-fills-in]")) place.textContent = facts[place.dataset.fillsIn] || "";
  };

  const acceptInvitation = async (form) => {
    const { current_password: password, ...joining } = signed(form);
    if (password !== undefined) {
      const email = form.querySelector("[data-email]").textContent;
      const answer = await post("sign-in", { email, password });
      if (!answer.isGood) return refuse(form, answer);
      await look(form);
    }
    const answer = await post("invitations/accept", { ...joining, secret: linkSecret() });
    if (!answer.isGood) return refuse(form, answer);
    leaveFor("/overview");
  };

  const invite = async (form) => {
    const answer = await post("invitations", Object.fromEntries(new FormData(form)));
    if (answer.status === 401) return leaveFor("/sign-in?next=/members");
    if (!answer.isGood) return refuse(form, answer);
    form.closest("dialog").close();
    form.querySelector("[data-after-post]").click();
  };

  const acceptTexts = async (form) => {
    const answer = await post("agreements/accept", signed(form));
    if (answer.status === 401) return leaveFor("/sign-in?next=/agreements");
    if (!answer.isGood) return refuse(form, answer);
    form.querySelector("[data-after-post]").click();
  };

  const resetPassword = async (form) => {
    const answer = await post("password/reset", { secret: linkSecret(), password: new FormData(form).get("password") });
    if (!answer.isGood) return refuse(form, answer);
    leaveFor("/sign-in");
  };

  const upload = async (form, place, page, named) => {
    const fields = new FormData(form);
    const file = fields.get("file");
    const headers = {
      "Content-Type": file.type || "application/octet-stream",
      "X-Document-Name": encodeURIComponent(file.name),
    };
    for (const [header, field] of Object.entries(named)) headers[header] = fields.get(field);
    const answer = await ask(place, { headers, body: file });
    if (answer.status === 401) return leaveFor(`/sign-in?next=${page}`);
    if (!answer.isGood) return refuse(form, answer);
    form.querySelector('[type="file"]').value = "";
    form.querySelector("[data-file-name]").textContent = "";
    form.querySelector("[data-after-post]").click();
  };

  const uploadDocument = (form) =>
    upload(form, "documents", "/verification", { "X-Organization-Id": "organization_id", "X-Document-Kind": "kind" });

  const uploadInvoiceFile = (form) =>
    upload(form, "invoice-files", "/staff/invoices", { "X-Invoice-Id": "invoice_id", "X-Paper-Id": "paper_id" });

  const POSTS = {
    "sign-in": signIn,
    keys: mintKey,
    documents: uploadDocument,
    "invoice-files": uploadInvoiceFile,
    invitations: invite,
    "invitations/accept": acceptInvitation,
    "agreements/accept": acceptTexts,
    "sign-up": askForMail,
    "sign-up/complete": completeSignUp,
    "password/forgotten": askForMail,
    "password/reset": resetPassword,
  };

  // A form that a mailed link leads to says at once whose it is, or that the link is worth nothing any more.
  const LOOKS_AGAIN_MS = 2000;
  const looked = new WeakSet();
  const look = async (form) => {
    looked.add(form);
    const answer = await post(form.dataset.looks, { secret: linkSecret() });
    if (answer === UNANSWERED) {
      setTimeout(() => form.isConnected && look(form), LOOKS_AGAIN_MS);
    } else if (answer.isGood) {
      form.querySelector("[data-email]").textContent = answer.email;
      fit(form, answer);
    } else {
      form.classList.add("is-lost");
      refuse(form, answer);
    }
  };
  // On a narrow screen the menu is a row that scrolls; the place where one is would often be out of sight.
  let current = null;
  const showCurrent = () => {
    const entry = document.querySelector(".is-ready .menu-entry[aria-current]");
    if (!entry || entry === current) return;
    current = entry;
    const menu = entry.closest(".menu, .public-menu");
    const [place, frame] = [entry.getBoundingClientRect(), menu.getBoundingClientRect()];
    menu.scrollLeft += place.left - frame.left - (frame.width - place.width) / 2;
  };

  const arrive = () => {
    for (const form of document.querySelectorAll(".is-ready [data-looks]")) if (!looked.has(form)) look(form);
    showCurrent();
    markRefused();
  };
  document.addEventListener("focusin", (event) => {
    event.target.closest(".menu-entry")?.scrollIntoView({ block: "nearest", inline: "center" });
  });
  addEventListener("resize", () => {
    current = null;
    showCurrent();
  });
  new MutationObserver(arrive).observe(document.documentElement, {
    childList: true,
    subtree: true,
    attributeFilter: ["class", "aria-current"],
  });
  arrive(); // a page may be whole before this script comes

  const signOut = async () => {
    const answer = await post("sign-out", {});
    if (answer === UNANSWERED) return; // still signed in, and the frame says that the connection is lost
    try {
      localStorage.setItem(SIGNED_OUT, String(Date.now()));
    } catch {
      // other tabs find out at their next event
    }
    leaveFor("/sign-in");
  };

  // A page on which something waits for somebody else asks for news while it is seen: every few seconds while the person
  // is there, seldom on a screen that was left alone, never in a tab that is hidden.
  const OFTEN_MS = 4000;
  const SELDOM_MS = 30_000;
  const IS_THERE_MS = 300_000;
  let touchedAt = Date.now();
  let askedAt = Date.now();
  const askForNews = () => {
    const now = Date.now();
    const every = now - touchedAt < IS_THERE_MS ? OFTEN_MS : SELDOM_MS;
    if (document.visibilityState !== "visible" || now - askedAt < every) return;
    askedAt = now;
    for (const button of document.querySelectorAll(".is-ready [data-asks-for-news]")) button.click();
  };
  setInterval(askForNews, 1000);
  const touch = () => {
    touchedAt = Date.now();
  };
  for (const kind of ["pointerdown", "pointermove", "keydown", "focus"]) {
    addEventListener(kind, touch, { capture: true, passive: true });
  }
  document.addEventListener("visibilitychange", () => {
    touch();
    askForNews();
  });

  const copy = async (button) => {
    const words = document.getElementById(button.dataset.copies).textContent;
    try {
      await navigator.clipboard.writeText(words);
    } catch {
      // without permission the text is selected, ready for the keyboard
      getSelection().selectAllChildren(document.getElementById(button.dataset.copies));
      return;
    }
    button.classList.add("is-done");
    setTimeout(() => button.classList.remove("is-done"), 2000);
  };

  // What a row opens may still be on its way from the server.
  const bringIntoView = (place) => {
    const go = () => {
      place.scrollIntoView({ block: "start" });
      place.focus({ preventScroll: true });
    };
    if (place.childElementCount) return go();
    new MutationObserver((_changes, observer) => {
      observer.disconnect();
      go();
    }).observe(place, { childList: true });
  };

  // Emptied however the dialog closes: by its button, by Escape, by leaving the page.
  const forget = (dialog) => {
    for (const place of dialog.querySelectorAll("[data-secret]")) place.textContent = "";
    for (const form of dialog.querySelectorAll("form")) {
      form.reset();
      clear(form);
    }
    const wasMinted = dialog.classList.contains("is-minted");
    dialog.classList.remove("is-minted");
    const after = dialog.querySelector("[data-after-close]");
    if (wasMinted && after) after.click();
  };

  document.addEventListener("change", (event) => {
    const name = event.target.matches('[type="file"]') && event.target.parentElement.querySelector("[data-file-name]");
    if (name) name.textContent = event.target.files[0]?.name || "";
  });

  document.addEventListener("submit", (event) => (lastForm = event.target), true);

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    const handle = POSTS[form.dataset.posts];
    if (!handle) return;
    event.preventDefault();
    if (form.dataset.busy) return;
    form.dataset.busy = "yes";
    clear(form);
    try {
      await handle(form);
    } catch {
      show(form, "failed");
    } finally {
      delete form.dataset.busy;
    }
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-opens],[data-closes],[data-copies],[data-shows],[data-signs-out]");
    if (!button) {
      // the dialog element itself is hit only beside its content; a secret on screen is not lost by a slip
      if (event.target.matches("dialog") && !event.target.classList.contains("is-minted")) event.target.close();
      return;
    }
    if (button.dataset.opens) document.getElementById(button.dataset.opens).showModal();
    if (button.dataset.closes !== undefined) button.closest("dialog").close();
    if (button.dataset.copies) copy(button);
    if (button.dataset.shows) bringIntoView(document.getElementById(button.dataset.shows));
    if (button.dataset.signsOut !== undefined) signOut();
  });

  document.addEventListener("close", (event) => event.target.matches("dialog") && forget(event.target), true);
  document.addEventListener("cancel", (event) => {
    if (event.target.classList.contains("is-minted")) event.preventDefault();
  }, true);

  addEventListener("storage", (event) => {
    if (event.key === SIGNED_OUT) leaveFor("/sign-in");
  });
  addEventListener("pagehide", () => {
    for (const place of document.querySelectorAll("[data-secret]")) place.textContent = "";
  });
})();
