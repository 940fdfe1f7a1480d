// The socket of a page that lists runs: tells the server what the page shows, and the reader whether it is live.

const RECONNECTING = new Set([1006, 1011, 1012, 1013]); // on which the ws extension comes back by itself
const WORDS = {
  live: "live",
  waiting: "reconnecting",
  off: "not live: reload to refresh",
};

const page = document.getElementById("lists");
const badge = document.getElementById("live");
let focused = null;

/** Show how the connection is. */
function show(state) {
  if (badge.dataset.state !== state) {
    badge.dataset.state = state;
    badge.textContent = WORDS[state];
  }
}

/** The numbers of the runs in the rows that `selector` finds. */
function numbers(selector) {
  return [...page.querySelectorAll(selector)].map((row) => Number(row.id.slice("run-".length)));
}

/** Where the focus is, in words that still fit when that part of the page has been replaced. */
function address() {
  const element = document.activeElement;
  if (!page.contains(element)) {
    return null;
  }
  const goal = element.getAttribute("href") ?? element.form?.getAttribute("action");
  return { id: element.id, around: element.closest("[id]")?.id, goal };
}

/** Give the focus back to what had it. */
function refocus() {
  if (!focused || page.contains(document.activeElement)) {
    return;
  }
  const { id, around, goal } = focused;
  const where = document.getElementById(around) ?? page;
  const same = [...where.querySelectorAll("a[href], button")].find(
    (element) => goal && (element.getAttribute("href") ?? element.form?.getAttribute("action")) === goal,
  );
  (document.getElementById(id) ?? same)?.focus({ preventScroll: true });
}

// What the socket sends is the same for many people; the token of a form is one's own.
page.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method === "post" && !form.elements.csrfmiddlewaretoken) {
    const token = JSON.parse(document.body.getAttribute("hx-headers"))["x-csrftoken"];
    form.append(Object.assign(document.createElement("input"), {
      type: "hidden",
      name: "csrfmiddlewaretoken",
      value: token,
    }));
  }
});

page.addEventListener("htmx:wsConnecting", () => show("waiting"));
page.addEventListener("htmx:wsError", () => show("waiting"));
page.addEventListener("htmx:wsOpen", (event) => {
  const hello = {
    page: page.dataset.page,
    query: location.search,
    rows: numbers("tr[id^='run-']"),
    open: numbers("tr[id^='run-'][data-open]"),
    newest: Number(page.dataset.newest ?? 0),
  };
  event.detail.socketWrapper.send(JSON.stringify(hello));
  show("live");
});
page.addEventListener("htmx:wsClose", (event) => {
  show(RECONNECTING.has(event.detail.event.code) ? "waiting" : "off");
});
page.addEventListener("htmx:wsBeforeMessage", () => {
  focused = address();
});
page.addEventListener("htmx:wsAfterMessage", () => {
  refocus();
  const title = `${document.getElementById("list-status").dataset.title}${page.dataset.heading} · Fossul`;
  if (document.title !== title) {
    document.title = title;
  }
});
