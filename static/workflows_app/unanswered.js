// A request that is refused or not answered says so: htmx puts no such answer in place, and all would look well.

const signedOut = (xhr) => new URL(xhr.responseURL, location.href).pathname.endsWith("/login/");
let told = null; // the notice, and the element whose request it is about

function tell(elt, title, words) {
  told?.notice.remove();
  const notice = document.createElement("div");
  notice.className = "alarm is-error unanswered";
  notice.setAttribute("role", "alert");
  const text = document.createElement("p");
  const strong = document.createElement("strong");
  strong.textContent = `${title}.`;
  const lives = elt.closest(".edit") ? " What you typed is still here." : "";
  text.append(strong, ` ${words}${lives}`);
  notice.append(text);
  document.body.append(notice);
  // What was said of an earlier state is no longer known.
  document.getElementById("check")?.replaceChildren();
  told = { elt, notice };
}

const plain = (element) => element?.textContent.trim().replace(/\s+/g, " ") ?? "";

/** What a page that refuses says: an error's page, or another one by its alarm. */
function inPage(html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  const error = page.querySelector(".message-page");
  if (error) {
    return { title: plain(error.querySelector("h1")), words: plain(error.querySelector("p:not(.code)")) };
  }
  const alarm = page.querySelector(".alarm[role='alert'] p");
  const title = plain(alarm?.querySelector("strong"));
  return { title: title.replace(/[.:]$/, ""), words: plain(alarm).slice(title.length).trim() };
}

document.addEventListener("htmx:responseError", ({ detail }) => {
  const { status, responseText } = detail.xhr;
  const { title, words } = inPage(responseText);
  if (title && words) {
    tell(detail.elt, title, words);
  } else {
    tell(detail.elt, "That did not work", `The dashboard answered with an error (${status}). Try it again.`);
  }
});
document.addEventListener("htmx:sendError", ({ detail }) => {
  tell(detail.elt, "The dashboard does not answer", "Nothing was saved. Try it again when it is back.");
});
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (signedOut(detail.xhr)) {
    detail.shouldSwap = false;
    tell(detail.elt, "You are signed out", "Sign in again in another tab, and repeat it here.");
  }
});
document.addEventListener("htmx:afterOnLoad", ({ detail }) => {
  if (detail.xhr.status < 400 && !signedOut(detail.xhr) && told?.elt === detail.elt) {
    told.notice.remove();
    told = null;
  }
});
