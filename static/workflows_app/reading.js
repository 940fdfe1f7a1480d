// How the log is read: which time its lines show, whether long ones wrap, and copying what is in the page.
// The choices are kept in this browser.

const SECONDS = { hour: 3600, minute: 60 };
const AGO_EVERY = 10_000; // milliseconds

const log = document.getElementById("log");
const time = document.getElementById("log-time");
const wrap = document.getElementById("log-wrap");
const copy = document.getElementById("log-copy");
const clock = new Intl.DateTimeFormat("sv-SE", { timeStyle: "medium" });
const exact = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "long" });
const start = Date.parse(log.dataset.start);

/** How long ago, as short as it can be said. */
function ago(seconds) {
  if (seconds < SECONDS.minute) {
    return `${seconds} s ago`;
  }
  if (seconds < SECONDS.hour) {
    return `${Math.floor(seconds / SECONDS.minute)} min ago`;
  }
  const hours = Math.floor(seconds / SECONDS.hour);
  return hours < 48 ? `${hours} h ago` : `${Math.floor(hours / 24)} d ago`;
}

/** Time since the run's start: `+0:01:12`. */
function elapsed(seconds) {
  const [hours, minutes] = [Math.floor(seconds / SECONDS.hour), Math.floor(seconds / SECONDS.minute) % 60];
  return `+${hours}:${String(minutes).padStart(2, "0")}:${String(seconds % 60).padStart(2, "0")}`;
}

const WORDS = {
  clock: (when) => clock.format(when),
  ago: (when) => ago(Math.max(0, Math.floor((Date.now() - when) / 1000))),
  elapsed: (when) => elapsed(Math.max(0, Math.round((when - start) / 1000))),
};

/** Write the times of the lines that `selector` finds. */
function write(selector) {
  for (const element of log.querySelectorAll(selector)) {
    const when = Date.parse(element.dateTime);
    element.dataset.local = "";
    element.title = exact.format(when);
    element.textContent = WORDS[time.value](when);
  }
}

/** Show the times that are chosen. */
function chooseTime() {
  localStorage.setItem("log-time", time.value);
  log.dataset.time = time.value;
  write(".lines time");
}

/** Wrap long lines, or let them run on. */
function chooseWrap(on) {
  localStorage.setItem("log-wrap", on ? "on" : "off");
  log.dataset.wrap = on ? "on" : "off";
  wrap.setAttribute("aria-pressed", String(on));
}

/** The lines of the page as text. */
function text() {
  return [...log.querySelectorAll(".lines > li")]
    .map((line) => ["time", "b", "bdi"].map((part) => line.querySelector(part).textContent).join("  "))
    .join("\n");
}

time.value = localStorage.getItem("log-time") in WORDS ? localStorage.getItem("log-time") : "clock";
time.hidden = wrap.hidden = false;
chooseTime();
chooseWrap(localStorage.getItem("log-wrap") !== "off");
time.addEventListener("change", chooseTime);
wrap.addEventListener("click", () => chooseWrap(log.dataset.wrap === "off"));
for (const change of ["htmx:wsAfterMessage", "log:changed"]) {
  document.addEventListener(change, () => write(".lines time:not([data-local])"));
}
setInterval(() => time.value === "ago" && write(".lines time"), AGO_EVERY);

if (navigator.clipboard) {
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(text());
    copy.querySelector("span").textContent = "Copied";
    setTimeout(() => {
      copy.querySelector("span").textContent = "Copy";
    }, 2000);
  });
}
