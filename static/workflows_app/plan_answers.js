// What the server answers is put in under whoever is typing: nothing that was just typed is lost.

const form = document.getElementById("plan-form");
const checker = document.getElementById("plan-checker");
const sent = new WeakMap(); // what a check was made of

const content = () => new URLSearchParams(new FormData(form)).toString();

// An answer to what has changed meanwhile is dropped, and another one asked for.
document.body.addEventListener("htmx:beforeRequest", ({ detail }) => {
  if (detail.elt === checker) {
    sent.set(detail.xhr, content());
  }
});
document.body.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.elt === checker && sent.get(detail.xhr) !== content()) {
    detail.shouldSwap = false;
    form.dispatchEvent(new Event("input"));
  }
});
// Options that are open stay so.
form.addEventListener("htmx:oobBeforeSwap", ({ detail }) => {
  for (const open of detail.target.querySelectorAll("details[open]")) {
    detail.fragment.querySelector(`#${CSS.escape(open.id)}`)?.setAttribute("open", "");
  }
});
