// Whoever acts for several organizations has several tabs. Each event says for which of them its screen was shown, and
// the server refuses one that would change another; a tab also keeps the choice for the time after a restart.
(() => {
  "use strict";

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

  // Reflex's client calls this with every event on its way out.
  window.__reflex_otel = {
    onEventSend: (event) => {
      event.router_data.organization_id = shown() || kept();
    },
  };
  new MutationObserver(keep).observe(document.documentElement, {
    childList: true,
    subtree: true,
    attributeFilter: ["data-organization"],
  });
})();
