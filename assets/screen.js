// Whoever acts for several organizations has several tabs. Each event says for which of them its screen was shown, and
// the server refuses one that would change another; a tab also keeps the choice for the time after a restart.
// Each event also says how many steps of the person's were sent: after a connection broke, the server can tell whether
// the last one had reached it.
//
// The browser's time zone goes with the language to the State, by the storage that Reflex's client reads at its start.
(() => {
  "use strict";

  try {
    localStorage.setItem("onetoken-time-zone", Intl.DateTimeFormat().resolvedOptions().timeZone || "");
  } catch {
    // storage may be blocked; then times of no organization are shown in UTC
  }

  const KEPT = "onetoken-organization";

  const shown = () => document.querySelector("[data-organization]")?.dataset.organization || "";

  const kept = () => {
    try {
      return sessionStorage.getItem(KEPT) || "";
    } catch {
      return "";
    }
  };

  const keep = () => {
    if (!shown() || shown() === kept()) return;
    try {
      sessionStorage.setItem(KEPT, shown());
    } catch {
      // storage may be blocked; then the tab begins with the first organization again
    }
  };

  const HURRIED_MS = 5000; // a step takes some hundredths of a second
  const IS_OURS = /onetoken_app/;
  const IS_STEP = /\.(?!load$|refresh$)\w+$/; // those only read
  let steps = 0;
  let sentAt = -Infinity;
  let isUnanswered = false;

  // Reflex's client calls these: with every event on its way out, and around each connection.
  window.__reflex_otel = {
    onEventSend: (event) => {
      if (IS_OURS.test(event.name) && IS_STEP.test(event.name)) {
        steps += 1;
        sentAt = performance.now();
      }
      event.router_data.organization_id = shown() || kept();
      event.router_data.step = steps;
      event.router_data.is_step_unanswered = isUnanswered;
    },
    onSocketDisconnect: () => {
      isUnanswered = performance.now() - sentAt < HURRIED_MS;
    },
    onSocketConnect: () => {
      isUnanswered = false;
    },
  };
  new MutationObserver(keep).observe(document.documentElement, {
    childList: true,
    subtree: true,
    attributeFilter: ["data-organization"],
  });
})();
