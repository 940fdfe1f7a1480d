// How many files are chosen, while they are ticked: the server hears of a tick only with the next button.

const count = document.querySelector("[data-chosen]");
const boxes = [...document.querySelectorAll("[name='tick']")];
const was = boxes.filter((box) => box.defaultChecked).length;

function tell() {
  const now = boxes.filter((box) => box.checked).length;
  count.textContent = Number(count.dataset.chosen) - was + now;
}

if (count) {
  document.addEventListener("change", tell);
  // Back in the history: the browser has put the ticks back as they were.
  window.addEventListener("pageshow", tell);
}
