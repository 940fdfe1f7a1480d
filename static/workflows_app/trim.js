// Keeps the page light: at most 2,000 lines are in it, and links lead to those between and before them.
// A section has its last lines, and before them, where the reader asked for one, a window of earlier lines.

const FOLLOWED = 1000; // lines while the log follows its end
const READ = 2000; // while somebody reads further up
const ROUND = 500; // lines that stay on either side of where they read
const LAST = 500; // and at the end of that section

const log = document.getElementById("log");

/** Take the children `from` up to `to` out of a list and answer them. */
function take(lines, from, to) {
  const range = document.createRange();
  if (to > from) {
    range.setStartBefore(lines.children[from]);
    range.setEndAfter(lines.children[to - 1]);
  }
  return range.collapsed ? new DocumentFragment() : range.extractContents();
}

/** Take lines out from the first section on until `surplus` are gone; each keeps its very last line. */
function shave(surplus, spared) {
  for (const lines of log.querySelectorAll(".lines")) {
    const least = lines.id.startsWith("window-") ? 0 : 1;
    const gone = lines === spared ? 0 : Math.min(surplus, Math.max(0, lines.children.length - least));
    take(lines, 0, gone);
    surplus -= gone;
  }
  return surplus;
}

/** The line in the middle of what is seen, if there is one. */
function seen() {
  const box = log.getBoundingClientRect();
  const there = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
  return there?.closest(".lines > li") ?? null;
}

/** Keep what is around `line`, the end of its section, and as much of the others as there is room for. */
function keepAround(line, surplus) {
  const lines = line.parentElement;
  if (shave(surplus, lines) <= 0) {
    return;
  }
  const at = [...lines.children].indexOf(line);
  const from = Math.max(0, at - ROUND);
  const end = lines.children.length - LAST;
  if (lines.id.startsWith("window-")) {
    take(lines, at + ROUND, lines.children.length);
    take(lines, 0, from);
    return;
  }
  if (at >= end) {
    take(lines, 0, from);
    return;
  }
  const to = Math.min(end, at + ROUND);
  take(lines, to, end);
  const kept = take(lines, from, to);
  take(lines, 0, from);
  const early = document.getElementById(lines.id.replace("lines-", "window-"));
  early.append(kept);
  early.hidden = false;
}

/** Let a link ask for the lines that `query` says, or hide it; how many there are is known without a filter. */
function offer(gap, query, count) {
  const link = gap.querySelector("a");
  const asked = new URLSearchParams(link.search);
  for (const [name, value] of Object.entries(query)) {
    asked.set(name, value);
  }
  link.search = asked;
  link.querySelector("span").textContent = log.dataset.only ? "" : String(count);
  gap.hidden = count <= 0;
}

/** Bring the links of a section up to date with the lines that it has. */
function join(section) {
  const place = `${section.dataset.step}-${section.dataset.attempt}`;
  const [early, late] = ["window", "lines"].map((name) => document.getElementById(`${name}-${place}`).children);
  const first = Number((early[0] ?? late[0])?.dataset.seq ?? 1);
  offer(document.getElementById(`earlier-${place}`), { before: first }, first - Number(section.dataset.first));
  document.getElementById(`window-${place}`).hidden = !early.length;
  const after = Number(early[early.length - 1]?.dataset.seq ?? 0);
  const before = Number(late[0]?.dataset.seq ?? 1);
  offer(
    document.getElementById(`between-${place}`),
    { after, before },
    early.length ? before - after - 1 : 0,
  );
}

/** Take out what is too much; whoever reads keeps their place on the screen. */
function trim() {
  const following = log.dataset.follow === "on";
  const surplus = log.querySelectorAll(".lines > li").length - (following ? FOLLOWED : READ);
  if (surplus > 0) {
    const line = following ? null : seen();
    const top = line?.getBoundingClientRect().top;
    if (line) {
      keepAround(line, surplus);
      log.scrollTop += line.getBoundingClientRect().top - top;
    } else {
      shave(surplus);
    }
  }
  return surplus > 0;
}

document.body.addEventListener("htmx:wsAfterMessage", () => {
  if (trim()) {
    log.querySelectorAll(".log-section").forEach(join);
  }
});
document.addEventListener("log:changed", () => {
  trim();
  log.querySelectorAll(".log-section").forEach(join);
});
