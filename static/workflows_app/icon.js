// The icon in the browser's tab: a colour and a mark that say whether something runs, waits or failed.

const ICONS = {
  running: ["#2a5bd0", '<circle cx="16" cy="16" r="7"/>'],
  complete: ["#17753f", '<path d="M9 17l5 5 9-11"/>'],
  person: ["#8a5200", '<path d="M16 8v10M16 23v1"/>'],
  error: ["#b81c2b", '<path d="M10 10l12 12M22 10L10 22"/>'],
};
const KINDS = {
  terminated: "error",
  "timed out": "error",
  "waiting for a person": "person",
};

const link = document.querySelector("link[rel=icon]");
const plain = link.href;
let shown = "";

/** What the page says of its run, or of all runs. */
function kind() {
  const list = document.getElementById("list-status");
  const status = document.getElementById("run-header")?.dataset.status;
  const said = list ? list.dataset.icon : (KINDS[status] ?? status);
  return said in ICONS ? said : "";
}

/** The icon of a kind as an address. */
function draw([colour, mark]) {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">
    <rect width="32" height="32" rx="7" fill="${colour}"/>
    <g fill="none" stroke="#fff" stroke-width="4" stroke-linecap="round" stroke-linejoin="round">${mark}</g></svg>`;
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}

/** Bring the icon up to date. */
function update() {
  const now = kind();
  if (now !== shown) {
    shown = now;
    link.href = now ? draw(ICONS[now]) : plain;
  }
}

update();
document.body.addEventListener("htmx:wsAfterMessage", update);
