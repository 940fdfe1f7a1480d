// Moving steps on the board by pointer and by keys. The server makes every move; here it is only said which.

const form = document.getElementById("plan-form");
const said = document.getElementById("plan-said");
let lifted = null; // the card, its home and the element after it there, the places, and which one it is at
let dragged = null;
let moving = false; // a card that moves on the page loses the focus for a moment

const grip = (card) => card.querySelector(".grip");
const nameOf = (card) => card.querySelector(".card-name").textContent;
const names = (place) =>
  [...(place?.children ?? [])].filter((card) => card !== lifted?.card).map(nameOf).join(" and ");

/** Ask the server for a move to a place. */
function ask(card, place) {
  const button = document.getElementById("plan-move");
  button.value = `${place.dataset.place} ${card.dataset.key} ${place.dataset.number}`;
  button.click();
}

/** All places in order; those beside a stage of its own would change nothing. */
function placesFor(card) {
  const home = card.parentElement;
  const all = [...form.querySelectorAll("[data-place]")];
  const at = all.indexOf(home);
  return home.children.length > 1 ? all : all.filter((_, index) => Math.abs(index - at) !== 1);
}

/** Say where the lifted card is now. */
function tell() {
  const { home, places, at } = lifted;
  const [before, here, after] = [at - 1, at, at + 1].map((number) => names(places[number]));
  const around = [before && `after ${before}`, after && `before ${after}`].filter(Boolean).join(", ");
  const shared = places[at].dataset.place === "onto" ? `At the same time as ${here}.` : "";
  said.textContent = places[at] === home ? "Where it was." : shared || `In a stage of its own, ${around}.`;
}

/** Put the lifted card somewhere on the page, with the focus still on it. */
function show(place, before = null) {
  moving = true;
  place.insertBefore(lifted.card, before);
  grip(lifted.card).focus();
  moving = false;
}

function lift(card) {
  const places = placesFor(card);
  const home = card.parentElement;
  lifted = { card, home, next: card.nextElementSibling, places, at: places.indexOf(home) };
  card.classList.add("is-lifted");
  grip(card).setAttribute("aria-pressed", "true");
  said.textContent = `${nameOf(card)} is lifted. Arrow keys move it, Space drops it, Escape puts it back.`;
}

/** Let the lifted card go: where it is, or where it came from. */
function drop(stays) {
  const { card, home, next, places, at } = lifted;
  show(home, next);
  card.classList.remove("is-lifted");
  grip(card).setAttribute("aria-pressed", "false");
  lifted = null;
  if (stays && places[at] !== home) {
    ask(card, places[at]);
  } else {
    said.textContent = `${nameOf(card)} is where it was.`;
  }
}

form.addEventListener("click", ({ target }) => {
  const card = target.closest(".grip")?.closest(".card");
  if (card) {
    lifted ? drop(true) : lift(card);
  }
});
form.addEventListener("keydown", (event) => {
  const step = { ArrowUp: -1, ArrowLeft: -1, ArrowDown: 1, ArrowRight: 1 }[event.key];
  if (!lifted || (!step && event.key !== "Escape")) {
    return;
  }
  event.preventDefault();
  if (!step) {
    drop(false);
  } else if (lifted.places[lifted.at + step]) {
    lifted.at += step;
    const place = lifted.places[lifted.at];
    show(place, place === lifted.home ? lifted.next : null);
    tell();
  }
});
form.addEventListener("focusout", () => lifted && !moving && drop(false));
form.addEventListener("dragstart", (event) => {
  dragged = event.target.closest?.(".card-head")?.closest(".card") ?? null;
  if (dragged) {
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", nameOf(dragged));
    form.classList.add("is-dragging");
  }
});
for (const kind of ["dragover", "drop"]) {
  form.addEventListener(kind, (event) => {
    const over = event.target.closest?.("[data-place], .stage");
    const place = over?.matches(".stage") ? over.querySelector("[data-place]") : over;
    form.querySelector(".is-over")?.classList.remove("is-over");
    if (!dragged || !place) {
      return;
    }
    event.preventDefault();
    if (kind === "dragover") {
      place.classList.add("is-over");
    } else if (place !== dragged.parentElement) {
      grip(dragged).focus();
      ask(dragged, place);
    }
  });
}
form.addEventListener("dragend", () => {
  form.classList.remove("is-dragging");
  form.querySelector(".is-over")?.classList.remove("is-over");
  dragged = null;
});
