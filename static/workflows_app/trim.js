// Keeps the page light: of each section only the last lines stay, and the rest is behind "earlier lines".

const FOLLOWED = 1000; // lines of a section while the log follows its end
const READ = 3000; // while somebody reads further up

/** Take the first lines of a section away until `most` are left. */
function trim(lines, most) {
  const surplus = lines.children.length - most;
  if (surplus <= 0) {
    return;
  }
  const range = document.createRange();
  range.setStartBefore(lines.children[0]);
  range.setEndAfter(lines.children[surplus - 1]);
  range.deleteContents();
  offer(lines);
}

/** Let the section's link ask for the lines before the first one in the page. */
function offer(lines) {
  const first = Number(lines.children[0].dataset.seq);
  const earlier = document.getElementById(lines.id.replace("lines-", "earlier-"));
  const link = earlier.querySelector("a");
  link.search = `?before=${first}`;
  link.setAttribute("hx-vals", JSON.stringify({ before: first }));
  link.querySelector("span").textContent = String(first - 1);
  earlier.hidden = false;
}

document.body.addEventListener("htmx:wsAfterMessage", () => {
  const log = document.getElementById("log");
  const most = log.dataset.follow === "on" ? FOLLOWED : READ;
  for (const lines of log.querySelectorAll(".lines")) {
    trim(lines, most);
  }
});
