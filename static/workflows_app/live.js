// The run page's socket: tells the server which lines the page has, and the reader whether the page is live.

const RECONNECTING = new Set([1006, 1011, 1012, 1013]); // on which the ws extension comes back by itself
const WORDS = {
  live: "live",
  waiting: "reconnecting",
  ended: "ended",
  off: "not live: reload to refresh",
};

const page = document.getElementById("run");
const badge = document.getElementById("live");
let focused = "";

/** Show how the connection is. */
function show(state) {
  if (badge && badge.dataset.state !== state) {
    badge.dataset.state = state;
    badge.textContent = WORDS[state];
  }
}

/** The last line of every section that was read, by "step-attempt"; a filter may have left it out. */
function read() {
  const last = {};
  for (const section of document.querySelectorAll("#log .log-section")) {
    const line = section.querySelector("ol:last-of-type > li:last-child");
    last[`${section.dataset.step}-${section.dataset.attempt}`] = Math.max(
      Number(section.dataset.read),
      Number(line?.dataset.seq ?? 0),
    );
  }
  return last;
}

/** Say a change of status in the tab's title, and to a screen reader. */
function announce() {
  const header = document.getElementById("run-header");
  const title = `${header.dataset.title} · Fossul`;
  if (document.title !== title) {
    document.title = title;
    document.getElementById("announce").textContent = `The run is ${header.dataset.status}.`;
  }
}

if (badge) {
  page.addEventListener("htmx:wsConnecting", () => show("waiting"));
  page.addEventListener("htmx:wsError", () => show("waiting"));
  page.addEventListener("htmx:wsOpen", (event) => {
    event.detail.socketWrapper.send(JSON.stringify({ read: read() }));
    show("live");
  });
  page.addEventListener("htmx:wsClose", (event) => {
    const code = event.detail.event.code;
    show(code === 1000 ? "ended" : RECONNECTING.has(code) ? "waiting" : "off");
  });
  // Whatever has the focus keeps it when its part of the page is replaced.
  page.addEventListener("htmx:wsBeforeMessage", () => {
    focused = document.activeElement?.id ?? "";
  });
  page.addEventListener("htmx:wsAfterMessage", () => {
    if (focused && document.activeElement?.id !== focused) {
      document.getElementById(focused)?.focus({ preventScroll: true });
    }
    announce();
  });
}

document.body.addEventListener("htmx:beforeSwap", (event) => {
  const { elt, xhr, pathInfo } = event.detail;
  if (new URL(xhr.responseURL).pathname !== new URL(pathInfo.finalRequestPath, location).pathname) {
    event.detail.shouldSwap = false; // the session has ended: the login page answered
    location.reload();
  } else if (elt.matches("form")) {
    event.detail.shouldSwap = true; // a refusal is a page with words
  }
});
