// One key for each thing that one does with a log. They can be turned off, for those whom they get in the way.

const dialog = document.getElementById("keys");
const on = document.getElementById("keys-on");
const button = document.getElementById("log-keys");

/** Press a button, if it is there to be pressed. */
function press(id) {
  const element = document.getElementById(id);
  if (element && !element.hidden) {
    element.click();
  }
}

/** Choose the next of the times. */
function nextTime() {
  const select = document.getElementById("log-time");
  select.selectedIndex = (select.selectedIndex + 1) % select.length;
  select.dispatchEvent(new Event("change"));
}

/** Go to the search box, with what is in it selected. */
function search() {
  document.getElementById("log-query").select();
}

const KEYS = {
  "/": search,
  n: () => press("hit-next"),
  N: () => press("hit-previous"),
  e: () => document.querySelector("#count-error:not([data-count='0'])") && press("first-error"),
  f: () => press("follow"),
  w: () => press("log-wrap"),
  t: nextTime,
  "?": () => dialog.showModal(),
};

on.checked = localStorage.getItem("log-keys") !== "off";
on.addEventListener("change", () => localStorage.setItem("log-keys", on.checked ? "on" : "off"));
button.hidden = false;
button.addEventListener("click", () => dialog.showModal());

document.addEventListener("keydown", (event) => {
  const modified = event.ctrlKey || event.metaKey || event.altKey;
  if (!on.checked || modified || event.target.closest("input, select, textarea, dialog")) {
    return;
  }
  if (Object.hasOwn(KEYS, event.key)) {
    event.preventDefault();
    KEYS[event.key]();
  }
});
