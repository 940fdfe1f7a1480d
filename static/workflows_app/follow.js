// The log follows its end until the reader scrolls up, and again once they are back at the end or say so.

const SLACK = 24; // pixels that still count as "at the end"

const log = document.getElementById("log");
const button = document.getElementById("follow");

/** Whether the log's end is in view. */
function atEnd() {
  return log.scrollHeight - log.scrollTop - log.clientHeight < SLACK;
}

/** Follow the end from now on, or stop. `data-follow` on the log tells the other modules. */
function follow(on) {
  log.dataset.follow = on ? "on" : "off";
  button.hidden = on;
}

/** Go to the end, if that is what the reader wants. */
function keepUp() {
  if (log.dataset.follow === "on") {
    log.scrollTop = log.scrollHeight;
  }
}

if (log && button) {
  follow(!location.hash);
  keepUp();
  log.addEventListener("scroll", () => follow(atEnd()));
  button.addEventListener("click", () => {
    follow(true);
    keepUp();
    log.focus({ preventScroll: true });
  });
  // Lines may come quicker than scroll events: whoever has left the end by now has scrolled.
  document.body.addEventListener("htmx:wsBeforeMessage", () => {
    if (log.dataset.follow === "on" && !atEnd()) {
      follow(false);
    }
  });
  document.body.addEventListener("htmx:wsAfterMessage", keepUp);
  new ResizeObserver(keepUp).observe(log);
}
