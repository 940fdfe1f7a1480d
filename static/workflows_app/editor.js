// The editor's two sides: what one side's change makes of the other is put in place under whoever is typing.

const form = document.getElementById("edit");
const sent = new WeakMap(); // what a request was made of
let saving = false;

const content = () => new URLSearchParams(new FormData(form)).toString();
const nameIn = (line) => line.split("=", 1)[0].trim().replace(/^["']|["']$/g, "");

/** The inputs of a part, and in one text which there are. */
function inputs(part) {
  const found = [...part.querySelectorAll("input[name], select[name], textarea[name]")];
  return { found, kinds: found.map((input) => `${input.name} ${input.type}`).join("\n") };
}

/** The server's text with the lines of secrets that were typed here: it does not send those back. */
function withOwnSecrets(fresh, mine) {
  const kept = new Set(fresh.dataset.kept?.split(" "));
  const own = new Map(mine.value.split("\n").map((line) => [nameIn(line), line]));
  const keep = (line) => (kept.has(nameIn(line)) ? (own.get(nameIn(line)) ?? line) : line);
  return fresh.value.split("\n").map(keep).join("\n");
}

/** Give an input what the server says, and leave the caret where it is. */
function follow(mine, fresh) {
  const ours = mine.type === "password" && !fresh.hasAttribute("data-moved");
  const theirs = mine.type === "textarea" ? withOwnSecrets(fresh, mine) : fresh.value;
  const { selectionStart, selectionEnd } = mine;
  mine.checked = fresh.checked;
  mine.value = ours ? mine.value : theirs;
  if (mine === document.activeElement && Number.isInteger(selectionStart)) {
    mine.setSelectionRange(selectionStart, selectionEnd);
  }
}

form.addEventListener("htmx:beforeRequest", ({ detail }) => {
  sent.set(detail.xhr, content());
  saving ||= detail.requestConfig.triggeringEvent?.type === "submit";
});
form.addEventListener("htmx:afterRequest", ({ detail }) => {
  saving &&= detail.requestConfig.triggeringEvent?.type !== "submit";
});
// What is only to be checked does not take the place of what is being saved.
form.addEventListener("htmx:confirm", (event) => {
  if (saving && event.detail.triggeringEvent?.type !== "submit") {
    event.preventDefault();
  }
});
// An answer to what has changed meanwhile is dropped, and another one asked for.
form.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.target.id === "check" && sent.get(detail.xhr) !== content()) {
    detail.shouldSwap = false;
    form.dispatchEvent(new Event("input"));
  }
});
// Another plugin's fields are a change of the form, too.
form.addEventListener("htmx:afterSwap", ({ detail }) => {
  if (detail.target.matches(".family")) {
    form.dispatchEvent(new Event("input"));
  }
});
form.addEventListener("htmx:oobBeforeSwap", ({ detail }) => {
  if (!detail.target.hasAttribute("data-follows")) {
    return;
  }
  const [mine, fresh] = [inputs(detail.target), inputs(detail.fragment)];
  if (mine.kinds === fresh.kinds) {
    detail.shouldSwap = false;
    mine.found.forEach((input, number) => follow(input, fresh.found[number]));
    for (const words of detail.fragment.querySelectorAll("p[id], label[id]")) {
      document.getElementById(words.id)?.replaceChildren(...words.childNodes);
    }
    return;
  }
  detail.shouldSwap = !detail.target.matches("[id^='toml-']:focus-within");
  for (const input of fresh.found.filter(({ type }) => type === "password")) {
    const former = mine.found.find(({ name }) => name === input.name);
    input.value = former && !input.hasAttribute("data-moved") ? former.value : "";
  }
});
