// A mailed link carries its secret behind the "#". Reflex's client would send the whole address to the server, where it
// would be kept with the page's State; so this runs before it, takes the secret out of the address, and keeps it in
// this page's memory for the one form that posts it.
(() => {
  "use strict";

  const PLACES = ["/sign-up/continue", "/password/reset", "/invitation"];
  if (!PLACES.includes(location.pathname.replace(/\/$/, "")) || location.hash.length < 2) return;
  const secret = location.hash.slice(1);
  history.replaceState(null, "", location.pathname + location.search);
  Object.defineProperty(window, "onetokenLinkSecret", { value: () => secret });
})();
