// The timeline of an open run grows between two messages: its scale shrinks, and what goes on reaches the edge.

const SCALE = 1000;

let drawn = null; // the picture that the server sent last
let since = 0;

/** Let the picture be as long as the run is now. */
function grow() {
  const picture = document.getElementById("run-timeline");
  if (picture !== drawn) {
    drawn = picture;
    since = performance.now();
  }
  const seconds = Number(picture?.dataset.seconds);
  if (!seconds || !("open" in picture.dataset)) {
    return;
  }
  const end = Math.round(SCALE * (1 + (performance.now() - since) / 1000 / seconds));
  for (const row of picture.querySelectorAll("svg[viewBox$=' 20']")) {
    row.setAttribute("viewBox", `0 0 ${end} 20`);
  }
  for (const part of picture.querySelectorAll("path[data-x]")) {
    part.setAttribute("d", `M${part.dataset.x} 10H${end}`);
  }
}

// Whether it is open is kept in this browser.
const box = document.getElementById("timeline");
box.open = localStorage.getItem("timeline") !== "closed";
box.addEventListener("toggle", () => localStorage.setItem("timeline", box.open ? "open" : "closed"));

grow();
setInterval(grow, 1000);
document.body.addEventListener("htmx:wsAfterMessage", grow);
