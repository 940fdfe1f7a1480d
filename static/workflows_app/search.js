// The search in the whole log: the server counts and finds, the page goes there and marks the words.

const log = document.getElementById("log");
const form = document.getElementById("log-search");
const box = document.getElementById("log-query");
const found = document.getElementById("log-found");
const steps = [document.getElementById("hit-previous"), document.getElementById("hit-next")];

let asked = {}; // what is looked for
let here = ""; // the hit that was shown last

/** The levels of the filter. */
function levels() {
  return [...form.querySelectorAll("input[name=level]")].map((input) => input.value);
}

/** Mark the words in the lines of the page, where the browser can without changing them. */
function mark() {
  if (!CSS.highlights) {
    return;
  }
  const needle = (asked.q ?? "").toLowerCase();
  const ranges = [];
  const texts = document.createTreeWalker(log, NodeFilter.SHOW_TEXT);
  while (needle && texts.nextNode()) {
    const text = texts.currentNode;
    const lower = text.data.toLowerCase();
    if (!text.parentElement.closest("bdi") || lower.length !== text.data.length) {
      continue;
    }
    for (let at = lower.indexOf(needle); at >= 0; at = lower.indexOf(needle, at + needle.length)) {
      const range = document.createRange();
      range.setStart(text, at);
      range.setEnd(text, at + needle.length);
      ranges.push(range);
    }
  }
  CSS.highlights.set("hit", new Highlight(...ranges));
}

/** Go to the next hit, or to the previous one. */
async function step(go) {
  await htmx.ajax("GET", form.action, {
    target: found,
    swap: "innerHTML",
    values: { ...asked, from: here, go },
  });
  here = found.querySelector("a")?.hash.slice(1) ?? "";
  for (const button of steps) {
    button.hidden = !here;
  }
  if (here) {
    document.dispatchEvent(new CustomEvent("log:goto", { detail: here }));
  }
  mark();
}

/** Look for what stands in the box; nothing there ends the search. */
function find(go) {
  const text = box.value.trim();
  if (text && text !== asked.q) {
    asked = { q: text, level: levels() };
    here = "";
  }
  if (text || asked.level) {
    step(go);
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (box.value.trim()) {
    find("next");
  }
});
box.addEventListener("input", () => {
  if (!box.value) {
    asked = {};
    here = "";
    found.textContent = "";
    steps.forEach((button) => {
      button.hidden = true;
    });
    mark();
  }
});
document.getElementById("first-error").addEventListener("click", (event) => {
  event.preventDefault();
  box.value = "";
  asked = { level: ["ERROR"] };
  here = "";
  step("next");
});
steps[0].addEventListener("click", () => find("previous"));
steps[1].addEventListener("click", () => find("next"));
document.addEventListener("log:changed", mark);
