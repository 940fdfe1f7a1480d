// Goes to a line by its address, and brings the lines that are not in the page: a window around the line, what
// the links between the lines offer, and all of a line that is cut.

const ADDRESS = /^step-(\d+)-attempt-(\d+)-L(\d+)$/;

const log = document.getElementById("log");

/** Fetch lines into `target`; `kept` stays where it is on the screen. */
async function bring(address, target, swap, kept) {
  const top = kept?.getBoundingClientRect().top;
  await htmx.ajax("GET", address, { target, swap });
  if (kept) {
    log.scrollTop += kept.getBoundingClientRect().top - top;
  }
  document.dispatchEvent(new CustomEvent("log:changed"));
}

/** Bring the window around a line that is not in the page; answer whether the page has its section. */
async function open(step, attempt, seq) {
  const place = `${step}-${attempt}`;
  const tail = document.getElementById(`lines-${place}`);
  if (!tail) {
    return false;
  }
  const before = Number(tail.children[0]?.dataset.seq ?? 0);
  if (before && seq >= before && log.dataset.only) {
    location.assign(`${location.pathname}#step-${place.replace("-", "-attempt-")}-L${seq}`); // not of these levels
    return false;
  }
  const address = new URL(document.querySelector(`#earlier-${place} a`).href);
  address.searchParams.set("around", seq);
  if (before) {
    address.searchParams.set("before", before);
  }
  await bring(address.pathname + address.search, `#window-${place}`, "innerHTML");
  return true;
}

/** Show a line and mark it as the one that the address names. */
async function reveal(address) {
  const [, step, attempt, seq] = ADDRESS.exec(address) ?? [];
  if (!seq) {
    return;
  }
  if (!document.getElementById(address) && !(await open(step, attempt, Number(seq)))) {
    return;
  }
  const line = document.getElementById(address);
  if (line) {
    line.closest("details").open = true;
    location.replace(`#${address}`);
    line.scrollIntoView({ block: "center" });
  }
}

/** Where what a link in the log brings goes to: target, swap, the line that stays; null for other links. */
function offered(link) {
  const gap = link.parentElement;
  if (link.matches(".rest")) {
    return [gap, "outerHTML"];
  }
  if (!gap.matches(".gap")) {
    return null;
  }
  const early = document.getElementById(gap.id.replace(/^(earlier|between)/, "window"));
  const late = document.getElementById(gap.id.replace(/^(earlier|between)/, "lines"));
  if (gap.id.startsWith("between")) {
    return [early, "beforeend", early.lastElementChild];
  }
  const first = early.hidden ? late : early;
  return [first, "afterbegin", first.firstElementChild];
}

log.addEventListener("click", (event) => {
  const link = event.target.closest("a");
  const what = link && !event.ctrlKey && !event.metaKey && !event.shiftKey ? offered(link) : null;
  if (what) {
    event.preventDefault();
    bring(link.getAttribute("href"), ...what);
  }
});
addEventListener("hashchange", () => reveal(location.hash.slice(1)));
document.addEventListener("log:goto", (event) => reveal(event.detail));
reveal(location.hash.slice(1));
