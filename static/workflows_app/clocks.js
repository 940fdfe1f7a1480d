// Times as the viewer's clock has them, and durations that tick. The server's text stands until then.

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86400;

const exact = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "medium" });
const clock = new Intl.DateTimeFormat("sv-SE", { timeStyle: "medium" });
const zone = new Intl.DateTimeFormat("en", { timeZoneName: "short" });

/** A duration in seconds as people say it: the wording of the server's `duration`. */
function duration(seconds) {
  if (seconds < MINUTE) {
    return `${seconds} s`;
  }
  if (seconds < HOUR) {
    return `${Math.floor(seconds / MINUTE)} m ${seconds % MINUTE} s`;
  }
  if (seconds < DAY) {
    return `${Math.floor(seconds / HOUR)} h ${Math.floor((seconds % HOUR) / MINUTE)} m`;
  }
  return `${Math.floor(seconds / DAY)} d ${Math.floor((seconds % DAY) / HOUR)} h`;
}

/** How long ago: the wording of the server's `ago`. */
function ago(seconds, when) {
  if (seconds < 5) {
    return "just now";
  }
  if (seconds < MINUTE) {
    return `${seconds} s ago`;
  }
  if (seconds < HOUR) {
    return `${Math.floor(seconds / MINUTE)} min ago`;
  }
  if (seconds < DAY) {
    return `${Math.floor(seconds / HOUR)} h ago`;
  }
  return seconds < 30 * DAY ? `${Math.floor(seconds / DAY)} d ago` : exact.format(when).slice(0, 10);
}

/** The short name of the viewer's zone at that moment. */
function zoneName(when) {
  return zone.formatToParts(when).find((part) => part.type === "timeZoneName").value;
}

/** Whole seconds since a moment. */
function since(moment) {
  return Math.max(0, Math.floor((Date.now() - moment) / 1000));
}

/** Set text only where it differs: nothing is laid out again without need. */
function write(element, text) {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}

/** Put fixed times into the viewer's zone, once each; those of the log are reading.js's. */
function localize() {
  for (const element of document.querySelectorAll("time:not([data-local], .lines time)")) {
    const when = new Date(element.dateTime);
    const full = `${exact.format(when)} ${zoneName(when)}`;
    element.dataset.local = "";
    if (element.dataset.time === "exact") {
      write(element, full);
    } else if (element.dataset.time === "ago") {
      element.title = full;
    } else if (element.dataset.time === "minute") {
      element.title = full;
      write(element, exact.format(when).slice(0, 16));
    } else {
      write(element, clock.format(when));
    }
  }
}

/** Move every running clock and every relative time on. */
function tick() {
  for (const element of document.querySelectorAll("[data-since]")) {
    write(element, duration(since(Date.parse(element.dataset.since))));
  }
  for (const element of document.querySelectorAll('time[data-time="ago"]')) {
    const when = new Date(element.dateTime);
    write(element, ago(since(when), when));
  }
}

localize();
setInterval(tick, 1000);
for (const change of ["htmx:wsAfterMessage", "htmx:afterSwap"]) {
  document.body.addEventListener(change, () => {
    localize();
    tick();
  });
}
